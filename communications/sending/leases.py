"""End claims and hand-overs without an outcome: release a claim, queue a message again, or expire a lease."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, MessageStatus, PendingDispatch
from communications.outbox import states
from communications.outbox.states import Cause
from communications.sending import evidence, outcomes

_CUT_SHORT = "The worker died during the hand-over. The provider may have the message or not."


def release(messages: Iterable[CommunicationLog], *, now: datetime) -> None:
    """Queue claimed messages again, unless another worker has claimed them since: a later claim ends at another time."""
    by_end: dict[datetime | None, list[uuid.UUID]] = {}
    for message in messages:
        by_end.setdefault(message.due_at, []).append(message.pk)
    for ends_at, ids in by_end.items():
        with transaction.atomic():
            claimed = CommunicationLog.objects.filter(pk__in=ids, status=MessageStatus.CLAIMED, due_at=ends_at)
            locked = list(claimed.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
            CommunicationLog.objects.filter(pk__in=locked).update(
                status=MessageStatus.QUEUED, due_at=now, updated_at=now
            )


@transaction.atomic
def requeue(ids: Collection[uuid.UUID], *, now: datetime) -> set[uuid.UUID]:
    """Queue messages again that are ``sending`` but were provably not handed over; return which.

    Everybody locks messages in the order of their ids, and then what is pending: so none waits for another in a circle.
    """
    sending = CommunicationLog.objects.select_for_update(of=("self",)).filter(pk__in=ids, status=MessageStatus.SENDING)
    locked = {message.pk: message for message in sending.order_by("pk").prefetch_related("attempt_rows")}
    pending = PendingDispatch.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    messages = [locked[row.pk] for row in pending if row.pk in locked]
    for message in messages:
        message.status, message.due_at, message.updated_at = MessageStatus.QUEUED, now, now
        message.attempts -= 1
        message.seal = evidence.seal(message, message.attempt_rows.all()) if message.attempts else None
    CommunicationLog.objects.bulk_update(messages, ["status", "due_at", "updated_at", "attempts", "seal"])
    pending.delete()
    return {message.pk for message in messages}


def expire(*, now: datetime) -> int:
    """End hand-overs after their lease: queue a message again if it was provably not handed over.

    Mark the others as uncertain, and return how many.
    """
    overdue = CommunicationLog.objects.filter(status=MessageStatus.SENDING, due_at__lte=now)
    ids = list(overdue.values_list("pk", flat=True))
    requeued = requeue(ids, now=now) if ids else set()
    return sum(_mark_uncertain(pk, now=now) for pk in ids if pk not in requeued)


@transaction.atomic
def _mark_uncertain(pk: uuid.UUID, *, now: datetime) -> bool:
    before = states.before(MessageStatus.UNCERTAIN, Cause.CLOCK)
    overdue = CommunicationLog.objects.filter(pk=pk, status__in=before, due_at__lte=now)
    message = overdue.select_for_update(of=("self",), skip_locked=True).first()
    if message is None:
        return False
    end_without_outcome(message, _CUT_SHORT, now=now)
    return True


def end_without_outcome(message: CommunicationLog, reason: str, *, now: datetime) -> None:
    """Mark a message that is ``sending`` as uncertain, with an attempt that says why; the caller has locked it."""
    unknown = Outcome(Result.UNCERTAIN, message.provider or "unknown", reason_text=reason)
    attempt = outcomes.attempt(message, unknown, began_at=message.updated_at, now=now)
    CommunicationLog.objects.filter(pk=message.pk).update(
        status=MessageStatus.UNCERTAIN,
        due_at=None,
        updated_at=now,
        failure_reason=reason,
        seal=evidence.seal(message, [*message.attempt_rows.all(), attempt]),
    )
    attempt.save(force_insert=True)
