"""The outbox: a message is queued with what caused it, and claimed by one worker at a time."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction

from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate, MessageStatus
from contact import addresses
from contact.engine import gate
from contact.models import Purpose
from ddc.common.process.wake import wake_worker
from debtors.channels import Channel
from debtors.models import Debtor


class Lane(StrEnum):
    """Which messages a worker takes: what debtors wait for has a lane of its own, that no campaign blocks."""

    ALL = "all"
    SOLICITED = "solicited"


TASKS = {
    Lane.ALL: "communications.tasks.drain_outbox",
    Lane.SOLICITED: "communications.tasks.send_solicited",
}

# The statuses are literals: with parameters PostgreSQL could not prove that the partial index covers them.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM communication_log
    WHERE status IN ('queued', 'postponed', 'claimed') AND communication_type = %(channel)s AND due_at <= %(now)s {lane}
    ORDER BY due_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE communication_log SET status = 'claimed', due_at = %(until)s, updated_at = %(now)s
FROM due WHERE communication_log.id = due.id
RETURNING communication_log.id
"""


@transaction.atomic
def queue(
    *,
    debtor: Debtor | None,
    channel: str,
    template: CommunicationTemplate | None = None,
    subject: str | None = None,
    body: str | None = None,
    debt: Debt | None = None,
    purpose: Purpose = Purpose.COLLECTION,
    now: datetime,
    one_time_code_of: uuid.UUID | None = None,
    expires_at: datetime | None = None,
    confirms_opt_out_of: str | None = None,
) -> CommunicationLog:
    """Put a message in the outbox, together with whatever else the caller's transaction does.

    Either a template, whose variant is picked at sending, or a text of our own. Its placeholders are filled in at sending
    as well, ``{{otp_code}}`` among them: a text must not hold what a debtor typed. Nothing is sent after ``expires_at``.

    To an address that must not be used any more nothing is queued: the message is blocked at once, and says why. Only what
    confirms an opt-out goes there, once, to ``confirms_opt_out_of``, even where that is no debtor's.
    """
    if (template is None) == (body is None):
        raise TypeError("a message has either a template or a body")
    if debtor is None and confirms_opt_out_of is None:
        raise TypeError("only what confirms an opt-out goes to who is no debtor")
    refused = debtor is not None and confirms_opt_out_of is None and addresses.is_suppressed(debtor, channel)
    log = CommunicationLog.objects.create(
        debtor=debtor,
        debt=debt,
        template=template,
        communication_type=Channel(channel),
        purpose=purpose,
        status=MessageStatus.BLOCKED if refused else MessageStatus.QUEUED,
        failure_reason=str(gate.SUPPRESSED) if refused else None,
        due_at=None if refused else now,
        address=confirms_opt_out_of,
        confirms_opt_out=confirms_opt_out_of is not None,
        expires_at=expires_at,
        one_time_code_of=one_time_code_of,
        subject=subject,
        body=body,
        created_at=now,
    )
    if not refused:
        wake(Lane.SOLICITED if purpose == Purpose.SOLICITED else Lane.ALL)
    return log


def wake(lane: Lane) -> None:
    """Have a worker look at the outbox once the transaction has committed."""
    wake_worker(TASKS[lane])


def is_due(*, now: datetime, lane: Lane = Lane.ALL, among: Collection[Channel]) -> bool:
    """Tell whether a worker of the lane would find something to do in some channels."""
    due = CommunicationLog.objects.due(now).filter(communication_type__in=list(among))
    return (due.filter(purpose=Purpose.SOLICITED) if lane == Lane.SOLICITED else due).exists()


def claim(
    *, channel: Channel, now: datetime, limit: int, lease: timedelta, lane: Lane = Lane.ALL
) -> list[CommunicationLog]:
    """Take up to ``limit`` due messages of a channel for the time of the lease, the longest due first.

    Others pass by what is claimed. When the lease is over, what became of none of the other statuses is due again; the
    new ``due_at`` tells one claim from the next.
    """
    sql = _CLAIM.format(lane="AND purpose = 'solicited'" if lane == Lane.SOLICITED else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, {"channel": channel.value, "now": now, "until": now + lease, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    return sorted(load(ids), key=lambda log: (log.purpose != Purpose.SOLICITED, log.created_at, log.pk))


def load(ids: Collection[uuid.UUID]) -> list[CommunicationLog]:
    """Return messages with all that is needed to send them; those of one template share it."""
    return list(
        CommunicationLog.objects.filter(pk__in=ids)
        .select_related("debtor", "debt__creditor")
        .prefetch_related("template")
    )
