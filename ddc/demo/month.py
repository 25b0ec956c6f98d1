"""The demo's month: thirty days of strategy, messages, debtors and agents, made by the product's own rules.

Each step is a domain function that is given the time of the month at which it happens. So every message has its decision and its
strategy step, and every figure is a sum of what happened. The same seed gives the same month.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from communications.callbacks import inbox
from communications.sending import worker
from ddc.demo import arrangements, claims, debtors, desk, itemized, parked, reactions
from ddc.demo.context import Month
from strategy import runs

#: The hours (UTC) at which the month's messages are sent, and the time between them in which people react.
_SENDING = (7, 15, 19)
_GAP = timedelta(hours=3, minutes=50)
#: So many days at the end, reports pass through the inbox of callbacks, which keeps them. Earlier ones are handled at once.
_BY_INBOX = 5
#: Work takes so long by the clock of the month: little enough that a batch of messages is sent by its current facts.
_TICK = timedelta(milliseconds=3)


@dataclass
class Clock:
    """The time of the month. It moves on a little at each look, as a real one does."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += _TICK
        return self.now


def live(month: Month, *, progress: Callable[[], object] = lambda: None) -> None:
    """Let the days of the month pass, the last one up to ``month.now``; ``progress`` is called at the beginning of each."""
    start = month.portfolio.start
    for number in range((month.portfolio.today - start).days + 1):
        day = start + timedelta(days=number)
        # A generator of its own for each day: one step more on a day leaves the others as they are.
        month.rng = random.Random(f"{month.seed} {number}")  # noqa: S311 - the same data each time, and no secret
        progress()
        for at, step in _steps(month, day):
            if at <= month.now:
                step(at)


def _steps(month: Month, day: date) -> list[tuple[datetime, Callable[[datetime], object]]]:
    steps: list[tuple[time, Callable[[datetime], object]]] = [
        (time(5), lambda at: month.portfolio.placed[day].write()),
        (time(5, 1), lambda at: runs.run_daily(clock=Clock(at))),
        *((time(hour), lambda at: _send(month, at)) for hour in _SENDING),
        (time(9), lambda at: desk.morning(month, at)),
        (time(12), lambda at: debtors.ask(month, at)),
        (time(13), lambda at: debtors.pay(month, day, at)),
        (time(13, 30), lambda at: claims.receive(month, at)),
        (time(13, 45), lambda at: itemized.happen(month, at)),
        (time(14), lambda at: parked.arrive(month, at)),
        (time(16), lambda at: desk.afternoon(month, at)),
        (time(17), lambda at: arrangements.happen(month, at)),
    ]
    return [(datetime.combine(day, at, UTC), step) for at, step in sorted(steps, key=lambda step: step[0])]


def _send(month: Month, at: datetime) -> None:
    """Send what is due, and let providers report and debtors react until the messages of the next hour."""
    worker.drain(clock=Clock(at))
    reactions.happen(month.rng, since=at, until=min(at + _GAP, month.now), by_inbox=month.days_left(at) < _BY_INBOX)
    inbox.process(clock=Clock(at + _GAP), time_budget=None)
