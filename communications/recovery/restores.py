"""After a restore from a backup: nothing that the lost database may have sent since the dump goes again.

A waiting message that was due before the lost database stopped may have gone. Where the provider keeps records, they decide: it
was sent, or it waits on. Any other one is uncertain, and an agent decides.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from communications.callbacks import inbox
from communications.models import (
    UNFINISHED_STATUSES,
    CommunicationLog,
    DatabaseRestore,
    MessageStatus,
    PendingDispatch,
    ProviderEvent,
)
from communications.providers.base import SentRecord
from communications.recovery import marking, matching
from ddc.common.errors import DomainError
from debtors.channels import Channel

_S = MessageStatus


class InvalidTime(DomainError):
    """The dump was taken before the lost database stopped, and both lie in the past."""

    status = 422
    message = "The dump was taken before the database stopped, and both times lie in the past."


class DumpIsLater(DomainError):
    """A row of the database is newer than the time given for its dump."""


class Outcome(StrEnum):
    """What became of a message that was waiting in the dump."""

    SENT = "sent: the provider has it"
    UNCERTAIN = "uncertain"
    NOT_SENT = "still waiting: the provider does not have it"
    DUE_LATER = "still waiting: due after the database stopped"


@dataclass
class Report:
    """The effects of a restore on messages. ``is_repeated``: it had been handled before."""

    dump_taken_at: datetime
    stopped_at: datetime
    newest_row: datetime | None
    is_repeated: bool
    #: The number of messages by channel and outcome.
    counts: Counter[tuple[Channel, Outcome]] = field(default_factory=Counter)
    uncertain: Sequence[CommunicationLog] = ()
    #: Messages that the provider sent for the lost database and this one does not know.
    unknown: Sequence[SentRecord] = ()
    callbacks: int = 0
    open_call_tasks: int = 0


def check(*, dump_taken_at: datetime, stopped_at: datetime, now: datetime) -> None:
    """Check the times of a restore.

    :raises InvalidTime: if they are not in the order dump, stop, now
    :raises DumpIsLater: if a message or callback is newer than the dump
    """
    if not dump_taken_at <= stopped_at <= now:
        raise InvalidTime
    newest = newest_row()
    if newest and newest > dump_taken_at and not DatabaseRestore.objects.filter(dump_taken_at=dump_taken_at).exists():
        raise DumpIsLater(
            f"The database has a row of {newest.isoformat(timespec='seconds')}. The dump was taken later than the given time, or "
            "the site has worked since the restore. Give the time at which the dump began, or restore again."
        )


@transaction.atomic
def recover(
    *, dump_taken_at: datetime, stopped_at: datetime, records: Sequence[SentRecord] | None, now: datetime
) -> Report:
    """Mark the messages that may have gone since the dump, and record the restore. A repetition changes nothing more.

    ``records`` are the provider's of unknown messages since the dump; None if it keeps none or was not asked. No worker may run.
    """
    restore, is_new = DatabaseRestore.objects.get_or_create(
        dump_taken_at=dump_taken_at, defaults={"stopped_at": stopped_at, "handled_at": now}
    )
    report = Report(dump_taken_at, restore.stopped_at, newest_row(), is_repeated=not is_new)
    report.callbacks = _process_callbacks(now=now)
    PendingDispatch.objects.all().delete()  # It was proof at the time of the dump.
    waiting = _waiting(until=restore.handled_at)
    later = waiting.exclude(_may_have_gone(restore.stopped_at)).order_by().values_list("communication_type")
    for channel, count in later.annotate(Count("pk")):
        report.counts[Channel(channel), Outcome.DUE_LATER] = count
    messages = list(
        waiting.filter(_may_have_gone(restore.stopped_at)).select_related("debtor").order_by("due_at", "id")
    )
    found = matching.match(messages, records)
    marking.mark_sent(found.sent, now=now)
    marking.mark_uncertain(found.uncertain, restore, now=now)
    marking.keep_waiting(found.not_sent, now=now)
    for outcome, some in (
        (Outcome.SENT, [message for message, _ in found.sent]),
        (Outcome.UNCERTAIN, found.uncertain),
        (Outcome.NOT_SENT, found.not_sent),
    ):
        report.counts.update((Channel(message.communication_type), outcome) for message in some)
    report.uncertain, report.unknown = found.uncertain, found.unknown
    report.open_call_tasks = CommunicationLog.objects.filter(
        communication_type=Channel.CALL_SCRIPT, status=_S.SENT, outcome__isnull=True
    ).count()
    return report


def newest_row() -> datetime | None:
    """Return when the newest message or callback was stored."""
    message = CommunicationLog.objects.order_by("-created_at", "-id").values_list("created_at", flat=True).first()
    callback = ProviderEvent.objects.order_by("-received_at", "-id").values_list("received_at", flat=True).first()
    return max((moment for moment in (message, callback) if moment), default=None)


def _process_callbacks(*, now: datetime) -> int:
    """Process all waiting callbacks, so that a confirmation of STOP that they queue counts as one that may have gone."""
    ProviderEvent.objects.filter(processed_at__isnull=True, failed_at__isnull=True).update(due_at=now)
    return sum(inbox.process(clock=lambda: now, time_budget=None).values())


def _waiting(*, until: datetime) -> QuerySet[CommunicationLog]:
    return CommunicationLog.objects.filter(status__in=UNFINISHED_STATUSES, created_at__lte=until)


def _may_have_gone(stopped_at: datetime) -> Q:
    return Q(status__in=(_S.CLAIMED, _S.SENDING)) | Q(due_at__lte=stopped_at)
