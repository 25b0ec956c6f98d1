"""Apply all rules for one day.

First the holds that are over are lifted, which makes deferred debts active again, and each debt comes into the segment that it
fits that day. Then the rules are weighed, all at once, and fire by priority. The messages of some rules and their lines in the
report are committed together, so that progress shows and a run that breaks off leaves nothing half done: the next one queues
what is still missing.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from collection import hold_expiry, segmentation
from ddc.common.nudge import nudge
from strategy import contact_outlook, firing, weighing
from strategy.models import Reason, StrategyRule, StrategyRun
from strategy.weighing import Match

Clock = Callable[[], datetime]
#: Called after some rules with how many are done, and of how many.
Progress = Callable[[int, int], None]

#: After how many messages what was queued is committed, at the end of a rule.
AT_ONCE = 20_000


def run(run: StrategyRun, *, clock: Clock, progress: Progress | None = None) -> None:
    """Apply the rules that are active for the run's day, and write the report into the run.

    A dry run does all that a real one does before the rules fire, tells what they would do, and takes everything back.
    """
    if run.dry_run:
        _foresee(run, clock=clock)
        run.save(update_fields=["rules", "contact", "updated_at"])
        if progress:
            progress(len(run.rules), len(run.rules))
        return
    _prepare(run, clock=clock)
    rules = _rules()
    matches = weighing.weigh(rules, day=run.date)
    woken = False
    for portion in _portions(rules, matches):
        with transaction.atomic():
            is_due = any(matches[rule.pk].due for rule in portion)
            queued = firing.fire(portion, run, now=clock()) if is_due else {}
            lines = [_line(rule, matches[rule.pk], queued=queued.get(rule.pk, 0)) for rule in portion]
            run.rules = [*run.rules, *lines]
            run.save(update_fields=["rules", "updated_at"])
            if queued and not woken:
                nudge("communications.tasks.drain_outbox")  # Once: who drains goes on while there is something.
                woken = True
        if progress:
            progress(len(run.rules), len(rules))
    weighing.forget()


def _foresee(run: StrategyRun, *, clock: Clock) -> None:
    with transaction.atomic():
        _prepare(run, clock=clock)
        rules = _rules()
        matches = weighing.weigh(rules, day=run.date)
        run.contact = contact_outlook.of_due(rules, at=_moment(run, clock=clock))
        transaction.set_rollback(True)
    run.rules = [_line(rule, matches[rule.pk], queued=matches[rule.pk].due) for rule in rules]


def _prepare(run: StrategyRun, *, clock: Clock) -> None:
    hold_expiry.expire(now=_moment(run, clock=clock))
    segmentation.assign_all(today=run.date)


def _moment(run: StrategyRun, *, clock: Clock) -> datetime:
    """Return when the run is made; a dry one for a day to come, at noon of it, when it is that day by most clocks."""
    now = clock()
    if run.date <= now.date():
        return now
    return datetime.combine(min(run.date, date.max - timedelta(days=1)), time(12), UTC)


def _rules() -> list[StrategyRule]:
    active = StrategyRule.objects.filter(is_active=True).select_related("template")
    return list(active.order_by("priority", "created_at", "id"))


def _portions(rules: list[StrategyRule], matches: Mapping[uuid.UUID, Match]) -> Iterator[list[StrategyRule]]:
    """Yield the rules in turn, as many at once as make enough messages for a transaction."""
    portion: list[StrategyRule] = []
    messages = 0
    for rule in rules:
        portion.append(rule)
        messages += matches[rule.pk].due
        if messages >= AT_ONCE:
            yield portion
            portion, messages = [], 0
    if portion:
        yield portion


def _line(rule: StrategyRule, match: Match, *, queued: int) -> dict[str, Any]:
    """Report on a rule. What another run queued between our look and our write counts as queued already."""
    left_out = dict(match.left_out)
    if others := match.due - queued:
        left_out = {Reason.ALREADY_QUEUED: left_out.pop(Reason.ALREADY_QUEUED, 0) + others, **left_out}
    return {
        "rule_id": str(rule.pk),
        "name": rule.name,
        "matched": match.matched,
        "queued": queued,
        "left_out": [{"reason": reason.value, "count": count} for reason, count in left_out.items()],
    }
