"""Withdraw messages that were queued and not handed over yet.

A claimed message is stopped too, and so is one that is ``sending`` while its row in ``pending_dispatch`` proves that its
hand-over did not begin. Messages that debtors asked for are left alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from communications.calls import records
from communications.models import (
    DUE_STATUSES,
    UNFINISHED_STATUSES,
    CommunicationLog,
    MessageStatus,
    PendingDispatch,
)
from communications.outbox import states
from communications.sending import leases
from contact.engine.decision import Reason, ReasonCode
from contact.models import Purpose

#: Messages that went out are counted if they were queued in this time.
COUNTED_FOR = timedelta(days=7)
_GONE = (
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.UNCERTAIN,
)
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Withdrawn:
    """How many messages and open call tasks are stopped, and how many are not, by their status."""

    messages: int
    call_tasks: int
    not_stopped: dict[str, int]


def preview(selection: Q, *, now: datetime) -> Withdrawn:
    """Count what ``withdraw`` would stop now, and what it would not."""
    return Withdrawn(stoppable(selection).count(), _calls(selection).count(), _not_stopped(selection, now=now))


def stoppable(selection: Q) -> QuerySet[CommunicationLog]:
    """Return the messages of a selection that are not handed over yet."""
    return _messages(selection).filter(Q(status__in=DUE_STATUSES) | _is_pending())


@transaction.atomic
def withdraw(selection: Q, *, reason: str, now: datetime) -> Withdrawn:
    """Block the waiting messages of a selection with WITHDRAWN, and end its call tasks that no agent has begun.

    Their rows are locked, so a worker either has handed a message over by then or never will.
    """
    waiting = _messages(selection).filter(status__in=UNFINISHED_STATUSES)
    locked = dict(waiting.select_for_update(no_key=True).order_by("pk").values_list("pk", "status"))
    sending = [pk for pk, status in locked.items() if status == MessageStatus.SENDING]
    stopped = leases.requeue(sending, now=now) if sending else set()
    ids = [pk for pk in locked if pk in stopped or locked[pk] != MessageStatus.SENDING]
    text = str(Reason(ReasonCode.WITHDRAWN, reason))[:_REASON_LENGTH]
    messages = states.withdraw(ids, reason_text=text, now=now)
    calls = records.withdraw(_calls(selection), reason, now=now)
    return Withdrawn(messages, calls, _not_stopped(selection, now=now))


def _messages(selection: Q) -> QuerySet[CommunicationLog]:
    return CommunicationLog.objects.filter(
        selection, direction=CommunicationLog.Direction.OUTBOUND, purpose=Purpose.COLLECTION
    )


def _calls(selection: Q) -> QuerySet[CommunicationLog]:
    return records.open_tasks().filter(selection, purpose=Purpose.COLLECTION, begun_at__isnull=True)


def _is_pending() -> Q:
    return Q(status=MessageStatus.SENDING) & Q(Exists(PendingDispatch.objects.filter(pk=OuterRef("pk"))))


def _not_stopped(selection: Q, *, now: datetime) -> dict[str, int]:
    gone = _messages(selection).filter(status__in=_GONE, created_at__gt=now - COUNTED_FOR)
    gone = gone.exclude(pk__in=_calls(selection).values("pk")).exclude(_is_pending())
    counts = dict(gone.order_by().values_list("status").annotate(n=Count("*")))
    return {status.value: counts[status] for status in _GONE if status in counts}
