"""Send what was claimed, once.

A message is committed as ``sending`` before it is handed over, and the hand-over happens outside any transaction. What a crash
leaves in ``sending`` is never sent again by itself: twice is worse than not at all. It turns ``uncertain``, and a provider's
callback or an agent settles it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from communications import (
    composition,
    contact_gate,
    facts,
    one_time_code,
    outbox,
    placeholders,
    suppressions,
    templates,
    tracking,
)
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.senders import Senders
from communications.composition import Text
from communications.contact_gate import Decision, Verdict
from communications.models import (
    Channel,
    CommunicationLog,
    CommunicationLogQuerySet,
    CommunicationTemplate,
    MessageStatus,
)
from communications.outbox import Lane
from debtors.models import Suppression

Clock = Callable[[], datetime]

BATCH = 50
#: How long a claim holds, unless its message goes out before.
CLAIM_LEASE = timedelta(seconds=60)
#: How long a hand-over may take before the message is in doubt.
SENDING_LEASE = timedelta(seconds=60)
#: The gate asks by facts that are no older than this.
FACTS_LAST = timedelta(seconds=2)
#: When a message is tried again after a failure that may pass; after the last of these it has failed.
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
#: A task ends itself after this, so that ticks don't pile up.
TURN = timedelta(seconds=45)

_REASON_LENGTH = 500
#: Any number that nobody else uses for an advisory lock; the lane is added to it.
_LOCK = 0x44_44_43_00
_LANES = tuple(Lane)


@dataclass
class Drained:
    """How many messages ended in which status, and whether time ran out before the outbox was empty."""

    ended: Counter[str] = field(default_factory=Counter)
    more: bool = False


@dataclass
class _Batch:
    """Claimed messages, with what is needed to decide and to write them."""

    logs: list[CommunicationLog]
    variants: dict[tuple[str, str], list[CommunicationTemplate]]
    gate: dict[object, contact_gate.Facts]
    values: dict[object, dict[str, str]]
    loaded_at: datetime


def drain(*, clock: Clock, lane: Lane = Lane.ALL, turn: timedelta | None = None) -> Drained:
    """Send whatever is due until nothing is, or the turn is over. Any number may do so at once."""
    drained = Drained()
    ends = clock() + turn if turn else None
    with Senders() as senders:
        while logs := outbox.claim(now=clock(), limit=BATCH, lease=CLAIM_LEASE, lane=lane):
            batch = _load(logs, now=clock())
            while batch.logs:
                if ends and clock() >= ends:
                    _give_back(batch.logs, now=clock())
                    drained.more = True
                    return drained
                if clock() - batch.loaded_at > FACTS_LAST:
                    batch = _load(_again(batch.logs), now=clock())
                    continue
                status = _deliver(batch.logs.pop(0), batch, senders, clock=clock)
                drained.ended[status or "passed by"] += 1
    return drained


def drain_alone(*, clock: Clock, lane: Lane = Lane.ALL) -> Drained:
    """Drain for one turn, unless another is at it in this lane; wake the next worker if more is due.

    One at a time leaves the other workers to other work, and at most one message of a lane in doubt when all are killed.
    """
    with _alone(lane) as alone:
        drained = drain(clock=clock, lane=lane, turn=TURN) if alone else Drained()
    if drained.more:
        outbox.wake(lane)
    return drained


def settle_stuck(*, now: datetime) -> int:
    """Mark what has been in the hand-over for too long as uncertain; return how many."""
    stuck = CommunicationLog.objects.filter(status=MessageStatus.SENDING, due_at__lte=now)
    return stuck.update(
        status=MessageStatus.UNCERTAIN,
        due_at=None,
        updated_at=now,
        failure_reason="The hand-over was cut short: the provider may have the message, or not.",
    )


@contextmanager
def _alone(lane: Lane) -> Iterator[bool]:
    """Hold the lane's advisory lock; PostgreSQL frees it with the connection, however a worker ends."""
    key = _LOCK + _LANES.index(lane)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (alone,) = cursor.fetchone()
    try:
        yield bool(alone)
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _load(logs: list[CommunicationLog], *, now: datetime) -> _Batch:
    """Fetch what a batch needs, in a number of queries that doesn't depend on its size."""
    today = now.date()
    variants = templates.variants_of((log.template.name, log.communication_type) for log in logs if log.template)
    used = placeholders.used(
        *(text for log in logs for text in (log.subject, log.body)),
        *(text for some in variants.values() for variant in some for text in (variant.subject, variant.body)),
    )
    pairs = [(log.debtor, log.debt) for log in logs if log.debtor]
    values = facts.gather(pairs, today=today, names=used)
    return _Batch(
        logs=logs,
        variants=variants,
        gate={log.pk: found for log, found in zip(logs, contact_gate.facts_of(logs, today=today), strict=True)},
        values={log.pk: dict(found) for log, found in zip(logs, values, strict=True)},
        loaded_at=now,
    )


def _again(logs: list[CommunicationLog]) -> list[CommunicationLog]:
    """Read claimed messages anew, with their debtors and debts as they are now, leaving out what another has claimed."""
    rows = CommunicationLog.objects.filter(pk__in=[log.pk for log in logs]).select_related("debtor", "debt", "template")
    fresh = {row.pk: row for row in rows}
    return [fresh[log.pk] for log in logs if log.pk in fresh and fresh[log.pk].due_at == log.due_at]


def _deliver(log: CommunicationLog, batch: _Batch, senders: Senders, *, clock: Clock) -> str | None:
    now = clock()
    if log.expires_at and log.expires_at <= now:
        return _close(log, MessageStatus.FAILED, "expired: It was worthless by the time it could go.", now=now)
    decision = contact_gate.decide(batch.gate[log.pk], window=contact_gate.policy(), at=now)
    if decision.verdict != Verdict.ALLOW:
        return put_off(log, decision, now=now)
    template = None
    if log.template:
        variants = batch.variants[(log.template.name, log.communication_type)]
        template = templates.choose(variants, log.debtor.language_preference if log.debtor else None)
        if template is None:
            return _close(log, MessageStatus.FAILED, "template_inactive: No variant of it is active.", now=now)
    values = batch.values[log.pk]
    goes, kept = _write(log, template, values)
    if not _begin(log, template, kept, now=now):
        return None
    if log.communication_type == Channel.CALL_SCRIPT:
        outcome = Outcome(Result.SENT, "agent")
    else:
        outcome = senders.send(
            Channel(log.communication_type),
            Outgoing(
                log.pk, _address(log), goes.subject, goes.body, goes.html, template.language if template else None
            ),
        )
    return _record(log, outcome, now=clock())


def _write(log: CommunicationLog, template: CommunicationTemplate | None, values: dict[str, str]) -> tuple[Text, Text]:
    """Write the text that goes and the one that is kept, which differ by the one-time code alone."""
    subject, body = (template.subject, template.body) if template else (log.subject, log.body or "")
    mail = log.communication_type == Channel.EMAIL
    kept = composition.compose(subject, body, values, mail=mail)
    if log.one_time_code_of:
        values = values | {"otp_code": one_time_code.derive(log.one_time_code_of)}
    goes = composition.compose(subject, body, values, mail=mail)
    if mail and log.debtor and tracking.may_track(log.debtor):
        url = tracking.pixel_url(log.pk)
        goes, kept = (
            Text(text.subject, text.body, composition.with_pixel(text.html or "", url)) for text in (goes, kept)
        )
    return goes, kept


def _address(log: CommunicationLog) -> str:
    debtor = log.debtor
    if debtor is None:
        return ""
    return debtor.email.strip() if log.communication_type == Channel.EMAIL else (debtor.mobile_phone or "")


def _claimed(log: CommunicationLog) -> "CommunicationLogQuerySet":
    """The row, if our claim still holds: a later one has another ``due_at``."""
    return CommunicationLog.objects.filter(pk=log.pk, status=MessageStatus.CLAIMED, due_at=log.due_at)


def _begin(log: CommunicationLog, template: CommunicationTemplate | None, kept: Text, *, now: datetime) -> bool:
    """Commit that the hand-over begins, with the text that goes. False if the claim was lost."""
    return bool(
        _claimed(log).update(
            status=MessageStatus.SENDING,
            due_at=now + SENDING_LEASE,
            attempts=log.attempts + 1,
            address=_address(log),
            template=template,
            subject=kept.subject,
            body=kept.body,
            html=kept.html,
            updated_at=now,
        )
    )


def put_off(log: CommunicationLog, decision: Decision, *, now: datetime) -> str | None:
    """Postpone or block a message that waits, as the contact gate decided."""
    if decision.verdict == Verdict.POSTPONE:
        put = {"status": MessageStatus.POSTPONED, "due_at": decision.until, "failure_reason": None, "updated_at": now}
        return MessageStatus.POSTPONED if _waiting(log).update(**put) else None
    return _close(log, MessageStatus.BLOCKED, decision.reason or "", now=now)


def _waiting(log: CommunicationLog) -> "CommunicationLogQuerySet":
    return CommunicationLog.objects.filter(pk=log.pk, status=log.status, due_at=log.due_at)


def _close(log: CommunicationLog, status: MessageStatus, reason: str, *, now: datetime) -> str | None:
    closed = _waiting(log).update(status=status, due_at=None, failure_reason=reason[:_REASON_LENGTH], updated_at=now)
    return status if closed else None


def _give_back(logs: list[CommunicationLog], *, now: datetime) -> None:
    """Let go of what was claimed and not begun."""
    for log in logs:
        _claimed(log).update(status=MessageStatus.QUEUED, due_at=now, updated_at=now)


@transaction.atomic
def _record(log: CommunicationLog, outcome: Outcome, *, now: datetime) -> str | None:
    """Write down what became of a hand-over. A callback may have been quicker; its state stays."""
    code = one_time_code.derive(log.one_time_code_of) if log.one_time_code_of else None
    words = (outcome.words or "").replace(code or "\0", one_time_code.MASK)[:_REASON_LENGTH].replace("\0", "") or None
    changes: dict[str, Any] = {
        "provider": outcome.provider,
        "provider_message_id": outcome.message_id,
        "updated_at": now,
    }
    row = CommunicationLog.objects.filter(pk=log.pk)
    undecided = row.filter(status__in=(MessageStatus.SENDING, MessageStatus.UNCERTAIN))
    if outcome.result == Result.SENT:
        row.update(**changes, sent_at=now)
        sent = undecided.update(status=MessageStatus.SENT, due_at=None, failure_reason=None)
        return MessageStatus.SENT if sent else None
    if outcome.result == Result.UNCERTAIN:
        status, due_at = MessageStatus.UNCERTAIN, None
    elif outcome.result == Result.RETRY and log.attempts < len(BACKOFF):
        # The text goes back to what it was before, to be written anew with the facts of then.
        source = {"subject": log.subject, "body": log.body, "html": log.html, "template": log.template}
        status, due_at = MessageStatus.QUEUED, now + BACKOFF[log.attempts]
        changes |= source
    else:
        status, due_at = MessageStatus.FAILED, None
    if outcome.result == Result.OPTED_OUT:
        suppressions.suppress(
            _address(log),
            medium=suppressions.MEDIUM[Channel(log.communication_type)],
            reason=Suppression.Reason.OPTED_OUT,
            source=words or outcome.provider,
        )
    ended = undecided.update(**changes, status=status, due_at=due_at, failure_reason=words)
    return status if ended else None
