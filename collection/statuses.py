"""The status of an open debt, derived from the records that decide it.

The first of these gives the status: an open dispute of the whole debt, a running deferral, an active arrangement, the status set
by hand, else ``active``. The column ``current_status`` keeps the result. The transaction that changes a cause writes it, and
``check_ledger`` compares it. A debt is locked (``collection.balances.ledger``) before its status is derived.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from collection.models import Debt, DebtStatus, DeferralRequest, Dispute, Hold

_CLOSED_NOTES = "The debt was closed before a decision."


@dataclass(frozen=True)
class Cause:
    """Records that give a status to their debt.

    :param name: one such record in words, for refusals
    :param records: SQL that selects, for a row called ``debt``, the id and the first day of each record in effect
    """

    status: DebtStatus
    name: str
    records: str


def _quoted(words: Collection[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


#: The causes, the first one outranks the others. Arrangements are an app above; only this SQL knows their tables.
CAUSES: tuple[Cause, ...] = (
    Cause(
        DebtStatus.DISPUTED,
        "the open dispute",
        "SELECT dispute.id, dispute.received_at::date AS since FROM dispute"  # noqa: S608 - Our own constants.
        f" WHERE dispute.debt_id = debt.id AND dispute.portion IS NULL AND dispute.status IN ({_quoted(Dispute.OPEN)})",
    ),
    Cause(
        DebtStatus.DEFERRED,
        "the running deferral",
        "SELECT coalesce(hold.deferral_request_id, hold.id) AS id, hold.starts_on AS since FROM hold"  # noqa: S608
        f" WHERE hold.debt_id = debt.id AND hold.reason = '{Hold.Reason.DEFERRAL.value}' AND hold.ended_at IS NULL",
    ),
    Cause(
        DebtStatus.PAYMENT_PLAN,
        "the active arrangement",
        "SELECT arrangement.id, arrangement.starts_on AS since FROM arrangement_debt"
        " JOIN arrangement ON arrangement.id = arrangement_debt.arrangement_id"
        " WHERE arrangement_debt.debt_id = debt.id AND arrangement_debt.is_active",
    ),
)

#: SQL of the derived status of a row called ``debt``.
DERIVED = "CASE {} ELSE coalesce(debt.hand_status, '{}') END".format(
    " ".join(f"WHEN EXISTS ({cause.records}) THEN '{cause.status.value}'" for cause in CAUSES), DebtStatus.ACTIVE.value
)

_OUTRANKING = " UNION ALL ".join(
    f"SELECT {rank} AS rank, record.id, record.since FROM debt CROSS JOIN LATERAL ({cause.records}) AS record"  # noqa: S608
    f" WHERE debt.id = %(debt)s"
    for rank, cause in enumerate(CAUSES)
)
_REFRESH = f"""
    UPDATE debt SET current_status = {DERIVED}, updated_at = %(now)s
    WHERE debt.id = ANY(%(debts)s) AND debt_is_open(debt.current_status) AND debt.current_status <> {DERIVED}
"""  # noqa: S608


class Record(NamedTuple):
    """A record that gives a debt its status."""

    cause: Cause
    id: uuid.UUID
    since: date


def outranking(debt: Debt) -> Record | None:
    """Return the record that decides the status of a debt; None if the status set by hand does."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_OUTRANKING} ORDER BY rank, since, id LIMIT 1", {"debt": debt.pk})
        row = cursor.fetchone()
    return Record(CAUSES[row[0]], row[1], row[2]) if row else None


def derive(debt: Debt) -> str:
    """Return the status that a locked debt has while it is open."""
    record = outranking(debt)
    return record.cause.status if record else debt.hand_status or DebtStatus.ACTIVE


def refresh(debt: Debt) -> None:
    """Set the derived status of a locked debt, if it is open; the caller saves ``current_status``."""
    if debt.is_open:
        debt.current_status = derive(debt)


def refresh_all(debt_ids: Collection[uuid.UUID], *, now: datetime) -> None:
    """Write the derived status of those of some locked debts that are open and have another one."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, {"debts": list(debt_ids), "now": now})


def set_by_hand(debt: Debt, status: str, *, by_id: uuid.UUID | None, now: datetime, reason: str | None = None,
                until: date | None = None) -> None:  # fmt: skip
    """Note the status that an agent sets on a locked debt; ``active`` clears the one before. The caller saves ``FIELDS``.

    :param until: the first day without it, by the agency's calendar; None: open-ended
    """
    is_set = status != DebtStatus.ACTIVE
    debt.hand_status = status if is_set else None
    debt.hand_status_by_id = by_id if is_set else None
    debt.hand_status_at = now if is_set else None
    debt.hand_status_reason = reason if is_set else None
    debt.hand_status_until = until if is_set else None


#: The columns of a status set by hand.
FIELDS = ("hand_status", "hand_status_by", "hand_status_at", "hand_status_reason", "hand_status_until")


def ending_by_time(today: date) -> list[uuid.UUID]:
    """Return the debts with a status set by hand that is over."""
    return list(Debt.objects.filter(hand_status_until__lte=today).values_list("pk", flat=True))


def end_by_time(debt_ids: Collection[uuid.UUID], *, today: date) -> None:
    """Clear the statuses set by hand that are over, of some locked debts."""
    over = Debt.objects.filter(pk__any_of=debt_ids, hand_status_until__lte=today)
    over.update(**dict.fromkeys(FIELDS))


def close_requests(debt: Debt, *, now: datetime) -> None:
    """Reject the pending deferral request of a debt that has just been closed."""
    DeferralRequest.objects.filter(debt=debt, status=DeferralRequest.Status.PENDING).update(
        status=DeferralRequest.Status.REJECTED,
        closed_by=DeferralRequest.ClosedBy.SYSTEM,
        reviewed_at=now,
        review_notes=_CLOSED_NOTES,
        updated_at=now,
    )


def keep_disputed(debt: Debt) -> None:
    """Raise the disputed amount of a locked debt to its balance, if the whole debt is disputed."""
    if 0 < debt.disputed_amount < debt.current_balance:
        whole = Dispute.objects.filter(debt=debt, portion=None, status__in=Dispute.OPEN)
        if whole.exists():
            debt.disputed_amount = debt.current_balance
