"""Send what is due: claimed in batches, and handed over one by one.

A message is committed as ``sending`` before it is handed over, and the hand-over happens outside any transaction. What may have
gone when its worker died is never sent again by itself: twice is worse than not at all. It turns ``uncertain``, and a provider's
callback or an agent settles it. A worker hands over one message at a time, so a killed one leaves one in doubt.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from communications.channels.message import Outcome
from communications.models import MessageStatus
from communications.outbox import may_go, outbox
from communications.outbox.may_go import Unsendable
from communications.outbox.outbox import Lane
from communications.sending import batches, circuits, dispatch, outcomes, rates
from communications.sending.batches import Batch
from communications.sending.dispatch import Ready
from communications.sending.outcomes import Ended
from communications.sending.senders import Senders, provider_of
from contact import validation_notice
from ddc.common.observing import tracing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process import shutdown
from debtors.channels import Channel

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

#: How many messages are claimed at once: few at first, and more while they go while their facts are fresh.
FIRST_BATCH, BATCH = 50, 200
#: How long a claim holds, unless its message goes out before.
CLAIM_LEASE = timedelta(seconds=60)
#: The gate decides by facts that are no older than this.
FACTS_LAST = timedelta(seconds=2)
#: A worker ends its turn after this, so that ticks don't pile up.
TURN = timedelta(seconds=20)
#: What becomes of a message that another was quicker to take, or that may not go at its turn after all: nothing yet.
_PASSED_BY = "passed by"


@dataclass
class Drained:
    """How many messages ended in which status, and whether time ran out before the outbox was empty."""

    ended: Counter[str] = field(default_factory=Counter)
    more: bool = False


@dataclass
class _Turn:
    """What one worker has at hand while it drains."""

    clock: Clock
    lane: Lane
    ends: datetime | None
    senders: Senders
    #: Whether it does it all, without asking for a place or waking another.
    is_alone: bool
    drained: Drained = field(default_factory=Drained)
    has_woken: bool = False
    #: Channels in which it had a place.
    served: set[Channel] = field(default_factory=set)
    paces: dict[str, rates.Pace] = field(default_factory=dict)
    #: Channels that are full for now: their turn comes later.
    resting: set[Channel] = field(default_factory=set)
    #: Providers whose last hand-over of this worker failed by their own fault.
    failing: set[str] = field(default_factory=set)
    sizes: dict[Channel, int] = field(default_factory=lambda: defaultdict(lambda: min(FIRST_BATCH, BATCH)))

    def pace(self, channel: Channel) -> rates.Pace:
        provider = provider_of(channel)
        return self.paces.setdefault(provider, rates.Pace(provider, rates.of(channel)))


def drain(*, clock: Clock, lane: Lane = Lane.ALL, turn: timedelta | None = None) -> Drained:
    """Send whatever is due until nothing is, or the turn is over. Any number may do so at once."""
    with Senders() as senders:
        return _drain(_Turn(clock, lane, clock() + turn if turn else None, senders, is_alone=True))


def drain_alone(*, clock: Clock, lane: Lane = Lane.ALL) -> Drained:
    """Drain for one turn, as far as there are places for one more in this lane; wake the next worker if more is due.

    Each provider has places of its own: while one hangs, who waits for it holds up nobody else's messages.
    """
    with Senders() as senders:
        turn = _Turn(clock, lane, clock() + TURN, senders, is_alone=False)
        drained = _drain(turn)
    # What came in between the last look and the end of the turn found this one still at it, and went away.
    now = clock()
    if outbox.is_due(now=now, lane=lane, among=turn.served - _closed(now)):
        outbox.wake(lane)
    return drained


def _drain(turn: _Turn) -> Drained:
    while not turn.drained.more and _send_a_batch_per_channel(turn):
        pass
    return turn.drained


@contextmanager
def _place(turn: _Turn, channel: Channel) -> Iterator[int | None]:
    """Hold one of the OUTBOX_DRAINS places that the channel's provider has in a lane; None if all are taken.

    Each is an advisory lock, which PostgreSQL frees with the connection, however a worker ends. The last place for who is alone.
    """
    if turn.is_alone:
        yield settings.OUTBOX_DRAINS - 1
        return
    of_provider = f"{turn.lane.value} {provider_of(channel)}"
    with ExitStack() as stack:
        for slot in range(settings.OUTBOX_DRAINS):
            if stack.enter_context(advisory_locks.session_lock(AdvisoryLock.WORKER_SLOT, f"{of_provider} {slot}")):
                yield slot
                return
        yield None


def _closed(now: datetime) -> set[Channel]:
    """Return the channels whose provider is down."""
    known = circuits.known()
    return {channel for channel in Channel if circuits.is_open(provider_of(channel), known, now=now)}


def _send_a_batch_per_channel(turn: _Turn) -> bool:
    """Send what is due, at most a batch in each channel; False if nothing was."""
    known, found = circuits.known(), False
    for channel in Channel:
        if channel in turn.resting or turn.drained.more:
            continue
        with _place(turn, channel) as place:
            if place is None:
                continue
            turn.served.add(channel)
            batch = _claim(turn, channel, known)
            found = found or bool(batch.taken)
            if batch.taken == turn.sizes[channel] and place < settings.OUTBOX_DRAINS - 1 and not turn.has_woken:
                outbox.wake(turn.lane)
                turn.has_woken = True
            _send(turn, channel, batch, known)
    return found


def _claim(turn: _Turn, channel: Channel, known: circuits.Known) -> Batch:
    """Take what is due in a channel: nothing while its provider is down, and one message to try whether it is back."""
    provider, now = provider_of(channel), turn.clock()
    if circuits.is_open(provider, known, now=now):
        return Batch(now)
    on_trial = circuits.is_on_trial(provider, known, now=now)
    limit = 1 if on_trial else turn.sizes[channel]
    batch = batches.claim(channel=channel, now=now, limit=limit, lease=CLAIM_LEASE, lane=turn.lane)
    turn.drained.ended += batch.ended
    if batch.messages and on_trial and not circuits.take_trial(known[provider], now=now):
        _give_back(batch, now=now)
        return Batch(now)
    return batch


def _send(turn: _Turn, channel: Channel, batch: Batch, known: circuits.Known) -> None:
    """Send a batch, as far as time, the provider's pace and its health allow; give the rest back."""
    pace, last, is_down, done = turn.pace(channel), None, False, 0
    window: deque[Ready] = deque()
    try:
        while (window or batch.messages) and not is_down:
            wait = pace.wait()
            if wait != 0:
                _write_down(last)
                last = None
            if wait is None:
                turn.resting.add(channel)
                break
            if wait:
                time.sleep(wait)
            now = turn.clock()
            if (turn.ends and now >= turn.ends) or shutdown.is_requested():
                turn.drained.more = True
                break
            if now - batch.claimed_at > FACTS_LAST and done:
                # What is left is claimed anew, with the facts of then, and no more at once than time was enough for.
                turn.sizes[channel] = done
                break
            window = window or _announce(turn, batch)
            if window:
                with tracing.caused_by(window[0].message.request_id):
                    last, is_down = _deliver(turn, window.popleft(), known, last)
                done += 1
        else:
            turn.sizes[channel] = min(turn.sizes[channel] * 2, BATCH)
    finally:
        _write_down(last)
    if batch.taken:
        log.info("batch", channel=channel, taken=batch.taken, handed_over=done)
    _give_back(batch, window, now=turn.clock())


def _announce(turn: _Turn, batch: Batch) -> deque[Ready]:
    """Write the next few messages, and commit that their hand-over is at hand."""
    now = turn.clock()
    some: list[Ready] = []
    while batch.messages and len(some) < dispatch.WINDOW:
        claimed = batch.messages.popleft()
        try:
            some.append(dispatch.prepare(claimed, now=now))
        except Exception as error:
            log.exception("message_not_written", message=str(claimed.message.pk))
            outcomes.close(
                claimed.message, MessageStatus.FAILED, f"{Unsendable.UNWRITABLE}: {type(error).__name__}", now=now
            )
            turn.drained.ended[MessageStatus.FAILED] += 1
    announced = dispatch.announce(some)
    turn.drained.ended += Counter({_PASSED_BY: len(some) - len(announced)})
    return deque(announced)


def _deliver(turn: _Turn, ready: Ready, known: circuits.Known, last: Ended | None) -> tuple[Ended | None, bool]:
    """Take one message as far as it goes now. Return what is yet to be written down, and whether the provider is down."""
    now, message, claimed = turn.clock(), ready.message, ready.claimed
    if not may_go.may_still_go(message, claimed.asked, now=now):
        return _take_back(turn, ready, now=now, last=last)
    if not dispatch.begin(ready, after=last):
        return _take_back(turn, ready, now=now, last=None)
    outcome = dispatch.hand_over(ready, turn.senders)
    ended = outcomes.end(message, outcome, earlier=claimed.earlier, began_at=now, now=turn.clock())
    turn.drained.ended[ended.status] += 1
    is_plain = ended.status == MessageStatus.SENT and not (claimed.variant and claimed.variant.is_validation_notice)
    if not is_plain:
        _write_down(ended)
    if not is_plain or message.request_id:
        log.info("message", message=str(message.pk), channel=message.communication_type, status=ended.status)
    return ended if is_plain else None, _is_down(outcome, turn, known)


def _take_back(turn: _Turn, ready: Ready, *, now: datetime, last: Ended | None) -> tuple[Ended | None, bool]:
    """Have a message that may not go at its turn claimed anew, when the gate is asked about it with the facts of then."""
    outcomes.take_back([ready.message.pk], now=now)
    turn.drained.ended[_PASSED_BY] += 1
    return last, False


def _write_down(ended: Ended | None) -> None:
    """Write down what became of a hand-over that is not followed by another at once."""
    if ended and outcomes.record(ended) == MessageStatus.SENT:
        message = ended.message
        if message.debt and message.template and message.template.is_validation_notice:
            validation_notice.record(message.debt, message_id=message.pk, sent_at=ended.attempt.began_at)


def _is_down(outcome: Outcome, turn: _Turn, known: circuits.Known) -> bool:
    """Note what an outcome says of the provider; True if that is taken for down now."""
    if outcome.down:
        turn.failing.add(outcome.provider)
        return circuits.failed(outcome.provider, outcome.reason_text, now=turn.clock())
    circuit = known.get(outcome.provider)
    if outcome.provider in turn.failing or (circuit and circuit.failures):
        circuits.worked(outcome.provider)
        turn.failing.discard(outcome.provider)
        if circuit:
            circuit.failures = 0
    return False


def _give_back(batch: Batch, window: Collection[Ready] = (), *, now: datetime) -> None:
    """Let go of what was claimed and not begun."""
    if window:
        outcomes.take_back([ready.message.pk for ready in window], now=now)
    outcomes.give_back([(claimed.message.pk, claimed.message.due_at) for claimed in batch.messages], now=now)
