"""Send what was claimed, once.

A message is committed as ``sending`` before it is handed over, and the hand-over happens outside any transaction. What a crash
leaves in ``sending`` is never sent again by itself: twice is worse than not at all. It turns ``uncertain``, and a provider's
callback or an agent settles it. A worker has one message at a time in that state, so a killed one leaves one in doubt.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction

from communications import (
    batches,
    circuits,
    contact_decisions,
    evidence,
    first_notice,
    outbox,
    outcomes,
    rates,
    states,
    suppressions,
)
from communications.batches import Batch
from communications.channels import senders as channel_senders
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.senders import Senders
from communications.composition import Text
from communications.contact_gate import Verdict
from communications.models import Channel, CommunicationLog, CommunicationTemplateVersion, MessageStatus
from communications.outbox import Lane
from communications.states import Cause
from ddc.common import stopping, tracing

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

BATCH = 50
#: How long a claim holds, unless its message goes out before.
CLAIM_LEASE = timedelta(seconds=60)
#: How long a hand-over may take before the message is in doubt.
SENDING_LEASE = timedelta(seconds=60)
#: The gate decides by facts that are no older than this.
FACTS_LAST = timedelta(seconds=2)
#: A worker ends its turn after this, so that ticks don't pile up.
TURN = timedelta(seconds=20)

#: Numbers that nobody else uses for advisory locks: from this one on, a hundred for each lane.
_LOCK, _LOCKS_OF_A_LANE = 0x44_44_43_00_00, 100
_LANES = tuple(Lane)


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
    alone: bool
    drained: Drained = field(default_factory=Drained)
    paces: dict[str, rates.Pace] = field(default_factory=dict)
    #: Channels that are full for now: their turn comes later.
    resting: set[Channel] = field(default_factory=set)
    #: Providers whose last hand-over of this worker failed by their own fault.
    failing: set[str] = field(default_factory=set)

    def pace(self, channel: Channel) -> rates.Pace:
        provider = channel_senders.provider(channel)
        return self.paces.setdefault(provider, rates.Pace(provider, rates.of(channel)))


def drain(*, clock: Clock, lane: Lane = Lane.ALL, turn: timedelta | None = None, alone: bool = True) -> Drained:
    """Send whatever is due until nothing is, or the turn is over. Any number may do so at once.

    :param alone: whether this one does it all, or wakes another worker of its lane where there is more than one batch
    """
    with Senders() as senders:
        at_work = _Turn(clock, lane, clock() + turn if turn else None, senders, alone)
        while not at_work.drained.more and _send_a_batch_per_channel(at_work):
            pass
    return at_work.drained


def drain_alone(*, clock: Clock, lane: Lane = Lane.ALL) -> Drained:
    """Drain for one turn, unless as many as may are at it in this lane; wake the next worker if more is due.

    The others are left to other work.
    """
    drained = Drained()
    with _place(lane) as place:
        if place is not None:
            drained = drain(clock=clock, lane=lane, turn=TURN, alone=place == settings.OUTBOX_DRAINS - 1)
    # What came in between the last look and the end of the turn found this one still at it, and went away.
    now = clock()
    if place is not None and outbox.is_due(now=now, lane=lane, but=_closed(now)):
        outbox.wake(lane)
    return drained


@contextmanager
def _place(lane: Lane) -> Iterator[int | None]:
    """Hold one of the lane's OUTBOX_DRAINS places; None if all are taken.

    Each is an advisory lock, which PostgreSQL frees with the connection, however a worker ends.
    """
    first = _LOCK + _LANES.index(lane) * _LOCKS_OF_A_LANE
    taken = None
    with connection.cursor() as cursor:
        for place in range(settings.OUTBOX_DRAINS):
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [first + place])
            if cursor.fetchone()[0]:
                taken = place
                break
    try:
        yield taken
    finally:
        if taken is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [first + taken])


def _closed(now: datetime) -> set[Channel]:
    """Return the channels whose provider is down."""
    known = circuits.known()
    return {channel for channel in Channel if circuits.is_open(channel_senders.provider(channel), known, now=now)}


def _send_a_batch_per_channel(turn: _Turn) -> bool:
    """Send what is due, at most a batch in each channel; False if nothing was."""
    known, found = circuits.known(), False
    for channel in Channel:
        if channel in turn.resting or turn.drained.more:
            continue
        messages = _claim(turn, channel, known)
        found = found or bool(messages)
        if len(messages) == BATCH and not turn.alone:
            outbox.wake(turn.lane)
            turn.alone = True
        if messages:
            _send(turn, channel, batches.load(messages, now=turn.clock()), known)
    return found


def _claim(turn: _Turn, channel: Channel, known: circuits.Known) -> list[CommunicationLog]:
    """Take what is due in a channel: nothing while its provider is down, and one message to try whether it is back."""
    provider, now = channel_senders.provider(channel), turn.clock()
    if circuits.is_open(provider, known, now=now):
        return []
    on_trial = circuits.is_on_trial(provider, known, now=now)
    messages = outbox.claim(channel=channel, now=now, limit=1 if on_trial else BATCH, lease=CLAIM_LEASE, lane=turn.lane)
    if messages and on_trial and not circuits.take_trial(known[provider], now=now):
        _give_back(messages, now=now)
        return []
    return messages


def _send(turn: _Turn, channel: Channel, batch: Batch, known: circuits.Known) -> None:
    """Send a batch, as far as time, the provider's pace and its health allow; give the rest back."""
    pace = turn.pace(channel)
    while batch.messages:
        wait = pace.wait()
        if wait is None:
            turn.resting.add(channel)
            return _give_back(batch.messages, now=turn.clock())
        time.sleep(wait)
        now = turn.clock()
        if (turn.ends and now >= turn.ends) or stopping.is_wanted():
            turn.drained.more = True
            return _give_back(batch.messages, now=now)
        if now - batch.loaded_at > FACTS_LAST:
            batch = batches.again(batch.messages, now=now)
        if batch.messages:
            message = batch.messages.pop(0)
            with tracing.caused_by(message.request_id):
                status, is_down = _deliver(message, batch, turn, known)
                log.info("message", message=str(message.pk), channel=channel, status=status)
            turn.drained.ended[status or "passed by"] += 1
            if is_down:
                return _give_back(batch.messages, now=turn.clock())
    return None


def _deliver(message: CommunicationLog, batch: Batch, turn: _Turn, known: circuits.Known) -> tuple[str | None, bool]:
    """Take one message as far as it goes now; return its status, None if another was quicker, and if the provider is down."""
    now = turn.clock()
    if message.expires_at and message.expires_at <= now:
        reason = "expired: It was worthless by the time it could go."
        return outcomes.close(message, MessageStatus.FAILED, reason, now=now), False
    claimed_until = message.due_at
    ready = _prepare(message, batch, now=now)
    if ready is None:
        _look_again(message, claimed_until=claimed_until, now=now)
    if not isinstance(ready, _Ready):
        return ready, False
    outcome = _hand_over(message, ready.goes, turn.senders, language=ready.language)
    status = outcomes.record(message, outcome, began_at=now, now=turn.clock())
    if status == MessageStatus.SENT:
        first_notice.start(message, at=now)
    return status, _is_down(outcome, turn, known)


@dataclass(frozen=True)
class _Ready:
    """What goes of a message whose hand-over has begun."""

    goes: Text
    language: str | None


@transaction.atomic
def _prepare(message: CommunicationLog, batch: Batch, *, now: datetime) -> _Ready | str | None:
    """Ask the contact gate, write the text, and commit that the hand-over begins; else return what became of the message.

    Where contacts are counted, the gate locks the person until this is committed. None, and nothing kept, if the hand-over
    could not begin.
    """
    decision = contact_decisions.decide(message, batch.gate[message.pk], at=now, stage=contact_decisions.Stage.SENDING)
    if decision.verdict != Verdict.ALLOW:
        return outcomes.put_off(message, decision, now=now)
    version = batch.version(message)
    if message.template and version is None:
        reason = "template_inactive: No variant of it is active."
        return outcomes.close(message, MessageStatus.FAILED, reason, now=now)
    try:
        goes, kept = batches.write(message, version, batch.values[message.pk])
    except Exception as error:
        log.exception("message_not_written", message=str(message.pk))
        return outcomes.close(message, MessageStatus.FAILED, f"unwritable: {type(error).__name__}", now=now)
    claimed_until = message.due_at
    _write_down(message, version, kept, now=now)
    if not _begin(message, claimed_until=claimed_until):
        transaction.set_rollback(True)  # What was decided here let nothing go.
        return None
    return _Ready(goes, version.language if version else None)


def _write_down(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, kept: Text, *, now: datetime
) -> None:
    """Bring a message into the state in which it is handed over, with the text that goes, under seal."""
    if version is None:
        message.draft = dict(zip(("subject", "body"), batches.draft(message), strict=True))
    message.template_version = version
    message.template_id = version.template_id if version else None
    message.attempts += 1
    message.address = _address(message)
    message.subject, message.body, message.html = kept.subject, kept.body, kept.html
    message.provider = channel_senders.provider(Channel(message.communication_type))
    message.status, message.due_at, message.updated_at = MessageStatus.SENDING, now + SENDING_LEASE, now
    message.seal = evidence.seal(message, message.attempt_rows.all())


def _begin(message: CommunicationLog, *, claimed_until: datetime | None) -> bool:
    """Commit that the hand-over begins. False if the claim was lost: a later one has another end.

    False as well if the address is not what it was when the batch was loaded: it is another now, or somebody said stop. What is
    known at this very statement counts.
    """
    claimed = states.before(MessageStatus.SENDING, Cause.WORKER)
    row = CommunicationLog.objects.filter(pk=message.pk, status__in=claimed, due_at=claimed_until)
    if not message.confirms_opt_out:
        channel, address = message.communication_type, message.address or ""
        stopped = suppressions.standing(address, channel=channel)
        row = row.filter(~stopped, suppressions.address_is(address, channel=channel))
    return bool(row.update(**{name: getattr(message, name) for name in _BEGUN}))


def _look_again(message: CommunicationLog, *, claimed_until: datetime | None, now: datetime) -> None:
    """Put what is still claimed back to be asked about anew; nothing if the claim was lost."""
    row = CommunicationLog.objects.filter(pk=message.pk, status=MessageStatus.CLAIMED, due_at=claimed_until)
    row.update(status=MessageStatus.QUEUED, due_at=now, updated_at=now)


_BEGUN = (
    "status", "due_at", "updated_at", "attempts", "address", "template_id", "template_version", "draft", "subject", "body",
    "html", "provider", "seal",
)  # fmt: skip


def _hand_over(message: CommunicationLog, text: Text, senders: Senders, *, language: str | None) -> Outcome:
    """Hand a message to its channel. A call script goes to an agent, before whom it is once it is written."""
    if message.communication_type == Channel.CALL_SCRIPT:
        return Outcome(Result.SENT, channel_senders.AGENT)
    outgoing = Outgoing(message.pk, message.address or "", text.subject, text.body, text.html, language)
    try:
        return senders.send(Channel(message.communication_type), outgoing)
    except Exception as error:  # A channel tells every failure that it knows; of any other, who knows?
        log.exception("hand_over_failed", message=str(message.pk))
        return Outcome(Result.UNCERTAIN, "unknown", words=f"{type(error).__name__}: {error}")


def _is_down(outcome: Outcome, turn: _Turn, known: circuits.Known) -> bool:
    """Note what an outcome says of the provider; True if that is taken for down now."""
    if outcome.down:
        turn.failing.add(outcome.provider)
        return circuits.failed(outcome.provider, outcome.words, now=turn.clock())
    circuit = known.get(outcome.provider)
    if outcome.provider in turn.failing or (circuit and circuit.failures):
        circuits.worked(outcome.provider)
        turn.failing.discard(outcome.provider)
        if circuit:
            circuit.failures = 0
    return False


def _address(message: CommunicationLog) -> str:
    debtor = message.debtor
    if message.confirms_opt_out or debtor is None:
        return message.address or ""
    return debtor.email if message.communication_type == Channel.EMAIL else (debtor.mobile_phone or "")


def _give_back(messages: list[CommunicationLog], *, now: datetime) -> None:
    """Let go of what was claimed and not begun."""
    for message in messages:
        outcomes.give_back(message, now=now)
