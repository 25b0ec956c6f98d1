"""The outbox: queue a message in the transaction of its cause, and let one worker at a time claim it."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from collection.models import Debt
from communications.models import DUE_STATUSES, CommunicationLog, CommunicationTemplate, MessageStatus
from contact import addresses
from contact.engine import gate
from contact.models import Purpose
from ddc.common.errors import DomainError, refusing
from ddc.common.process.wake import wake_worker
from debtors.channels import Channel
from debtors.models import Debtor


class Queue(StrEnum):
    """The messages that a worker takes. Messages that debtors wait for have a queue of their own, which no campaign blocks."""

    ALL = "all"
    AWAITED = "awaited"


TASKS = {
    Queue.ALL: "communications.tasks.drain_outbox",
    Queue.AWAITED: "communications.tasks.send_awaited",
}

# Literal statuses, because with parameters PostgreSQL does not use the partial index.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM communication_log
    WHERE status IN ('queued', 'postponed', 'claimed') AND communication_type = %(channel)s AND due_at <= %(now)s {purpose}
    ORDER BY due_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE communication_log SET status = 'claimed', due_at = %(until)s, updated_at = %(now)s
FROM due WHERE communication_log.id = due.id
RETURNING communication_log.id
"""


class AlreadyQueued(DomainError):
    """The same message was queued before: its form was sent twice."""

    message = "This message was sent before."


def new(
    *,
    debtor: Debtor | None,
    channel: str,
    template: CommunicationTemplate | None = None,
    subject: str | None = None,
    body: str | None = None,
    debt: Debt | None = None,
    purpose: Purpose = Purpose.COLLECTION,
    one_time_code_of: uuid.UUID | None = None,
    expires_at: datetime | None = None,
    confirms_opt_out_of: str | None = None,
    new_address: str | None = None,
    **of_an_agent: Any,
) -> CommunicationLog:
    """Return a message that is not queued yet: ``put`` queues it, and ``preview`` shows how it will be.

    It has either a template or a subject and body. The variant is chosen and placeholders are filled in at sending, so a body
    must not contain text that a debtor entered. ``of_an_agent`` are the fields that only a message by an agent has.

    Only the confirmation of an opt-out is sent to a suppressed address, ``confirms_opt_out_of``, even if it belongs to no known
    debtor. A code goes to ``new_address``, which is not the debtor's yet.
    """
    if (template is None) == (body is None):
        raise TypeError("Give either a template or a body.")
    if debtor is None and confirms_opt_out_of is None:
        raise TypeError("Give a debtor. Only the confirmation of an opt-out may have none.")
    return CommunicationLog(
        debtor=debtor,
        debt=debt,
        template=template,
        communication_type=Channel(channel),
        purpose=Purpose(purpose).value,
        address=new_address or confirms_opt_out_of,
        proves_address=new_address is not None,
        confirms_opt_out=confirms_opt_out_of is not None,
        expires_at=expires_at,
        one_time_code_of=one_time_code_of,
        subject=subject,
        body=body,
        **of_an_agent,
    )


def queue(*, now: datetime, not_before: datetime | None = None, **fields: Any) -> CommunicationLog:
    """Queue a message with the fields of ``new`` in the caller's transaction."""
    return put(new(**fields), not_before=not_before, now=now)


@transaction.atomic
def put(message: CommunicationLog, *, not_before: datetime | None = None, now: datetime) -> CommunicationLog:
    """Queue a message in the caller's transaction. It is not sent before ``not_before``, nor after it has expired.

    A message to a suppressed address is blocked at once, unless it confirms the opt-out.

    :raises AlreadyQueued: if a message with its id was queued before
    """
    debtor, channel = message.debtor, message.communication_type
    is_suppressed = (
        debtor is not None
        and not message.confirms_opt_out
        and addresses.is_suppressed(debtor, channel, new=message.address if message.proves_address else None)
    )
    message.status = MessageStatus.BLOCKED if is_suppressed else MessageStatus.QUEUED
    message.failure_reason = str(gate.SUPPRESSED) if is_suppressed else None
    message.due_at = None if is_suppressed else max(not_before or now, now)
    message.created_at = now
    with refusing({"communication_log_pkey": AlreadyQueued()}, savepoint=False):
        message.save(force_insert=True)
    if not is_suppressed and message.due_at == now:
        wake(Queue.ALL if message.purpose == Purpose.COLLECTION else Queue.AWAITED)
    return message


def wake(queue: Queue) -> None:
    """Wake a worker of a queue once the transaction has committed."""
    wake_worker(TASKS[queue])


def is_due(*, now: datetime, queue: Queue = Queue.ALL, channels: Collection[Channel]) -> bool:
    """Return whether a message of a queue is due in some channels."""
    due = CommunicationLog.objects.filter(
        status__in=DUE_STATUSES, due_at__lte=now, communication_type__in=list(channels)
    )
    return (due.exclude(purpose=Purpose.COLLECTION) if queue == Queue.AWAITED else due).exists()


def claim(
    *, channel: Channel, now: datetime, limit: int, lease: timedelta, queue: Queue = Queue.ALL
) -> list[CommunicationLog]:
    """Claim up to ``limit`` due messages of a channel for the time of the lease, the longest due first.

    Other workers skip claimed messages until the lease is over. Each claim has another ``due_at``, which identifies it.
    """
    sql = CLAIM.format(purpose="AND purpose <> 'collection'" if queue == Queue.AWAITED else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, {"channel": channel.value, "now": now, "until": now + lease, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    return sorted(load(ids), key=lambda one: (one.purpose == Purpose.COLLECTION, one.created_at, one.pk))


def load(ids: Collection[uuid.UUID]) -> list[CommunicationLog]:
    """Return messages with their debtors, debts and templates."""
    return list(
        CommunicationLog.objects.filter(pk__in=ids)
        .select_related("debtor", "debt__creditor")
        .prefetch_related("template", "in_reply_to")
    )
