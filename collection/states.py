"""The changes of a debt's status by hand.

An open status changes to any other open status unless a record outranks it (``collection.statuses``), and to a closed one.
``settled``, ``written_off`` and ``recalled`` change back to ``active``; the status is then the derived one. ``paid`` follows the
balance and is never set by hand.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.timezone import now

from agents.models import Agent, require_permission
from collection import statuses
from collection.balances import accounts, ledger
from collection.balances.events import Draft
from collection.models import OPEN, Debt, DebtStatus, LedgerEntry
from ddc.common import money
from ddc.common.errors import DomainError, OutOfRange

Kind = LedgerEntry.Kind
#: Closing a debt with one of these posts its balance as a write-off.
WRITES_OFF = (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF)
_CLOSED_BY_HAND = (*WRITES_OFF, DebtStatus.RECALLED)


class ClosedStatusRefused(DomainError):
    field = "current_status"
    code = "enum"
    message = "A debt can't be placed with a closed status. Choose an open one."


class InvalidTransition(DomainError):
    field = "current_status"
    code = "enum"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A debt that is {before} can't become {after}.")


class Outranked(DomainError):
    """A record decides the status, so it can't be set by hand."""

    field = "current_status"
    code = "enum"

    def __init__(self, record: statuses.Record) -> None:
        self.record = record
        super().__init__(
            f"The status is {record.cause.status}, by {record.cause.name} {record.id} since {record.since}."
            " Decide or end that first."
        )


class EndsTooSoon(OutOfRange):
    field = "status_until"
    message = "The end of the status must be later than today."


def change(
    debt: Debt,
    status: str,
    *,
    by: Agent | None,
    today: date,
    reason: str | None = None,
    until: date | None = None,
    cause: dict[str, Any] | None = None,
    posted_at: datetime | None = None,
) -> None:
    """Change the status of a locked debt. The status that it has already changes nothing, but for its reason and end.

    :param reason: why an agent sets an open status
    :param until: the first day without an open status set by hand; None: open-ended
    :param cause: what to add to the cause in the ledger, if it is not by hand
    :param posted_at: the time of posting; None: the database's clock
    :raises InvalidTransition: if the status can't be changed this way
    :raises Outranked: if an open dispute or a running deferral decides the status
    :raises EndsTooSoon: if ``until`` is not in the future
    :raises Forbidden: if ``by`` may not close or reopen debts
    """
    before = debt.current_status
    if status == before and not (debt.hand_status == status and (reason or until)):
        return
    if debt.is_open and status in OPEN:
        if record := statuses.outranking(debt):
            raise Outranked(record)
        set_by_hand(debt, status, by=by, today=today, reason=reason, until=until)
        ledger.save(debt, "current_status", *statuses.FIELDS)
    elif debt.is_open and status in _CLOSED_BY_HAND:
        require_permission(by, "collections.close_debt")
        close(debt, status, by=by, today=today, cause=cause, posted_at=posted_at)
    elif before in _CLOSED_BY_HAND and status == DebtStatus.ACTIVE:
        _reopen(debt, by=by, today=today, cause=cause, posted_at=posted_at)
    else:
        raise InvalidTransition(before, status)


def set_by_hand(
    debt: Debt, status: str, *, by: Agent | None, today: date, reason: str | None = None, until: date | None = None
) -> None:
    """Set an open status of a locked or new debt that no record outranks; the caller saves it.

    :raises EndsTooSoon: if ``until`` is not in the future
    """
    if until is not None and until <= today:
        raise EndsTooSoon
    statuses.set_by_hand(debt, status, by_id=by.pk if by else None, now=now(), reason=reason, until=until)
    debt.current_status = status


def close(
    debt: Debt,
    status: str,
    *,
    by: Agent | None,
    today: date,
    cause: Mapping[str, Any] | None = None,
    posted_at: datetime | None = None,
) -> None:
    """Close a locked, open debt. For ``settled`` and ``written_off`` all that is owed is written off.

    :param cause: more about the write-off; that of a settled debt tells what was paid
    """
    if status in WRITES_OFF:
        owed, paid = accounts.owed(debt, today), accounts.paid(debt)
        debt.current_status = status
        more = {"settledFor": money.text(paid, debt.currency_code)} if status == DebtStatus.SETTLED else {}
        because = {"type": "closing", "status": str(status)} | more | dict(cause or {})
        accounts.book(debt, Draft(Kind.WRITE_OFF, -owed.total, today, because, -owed), by=by, posted_at=posted_at)
    else:
        debt.current_status = status
        ledger.save(debt, "current_status")
    statuses.close_requests(debt, now=now())


def _reopen(
    debt: Debt, *, by: Agent | None, today: date, cause: dict[str, Any] | None, posted_at: datetime | None
) -> None:
    require_permission(by, "collections.close_debt")
    reopen(
        debt,
        by=by,
        today=today,
        cause={"type": "reopening", "status": debt.current_status, **(cause or {})},
        posted_at=posted_at,
    )


def reopen(
    debt: Debt, *, by: Agent | None, today: date, cause: dict[str, Any], posted_at: datetime | None = None
) -> None:
    """Give a locked, closed debt the status that its records give it, and reverse the write-off that closed it.

    Parts that were written off before stay so.
    """
    debt.current_status = statuses.derive(debt)
    ledger.save(debt, "current_status")
    entries = [entry for entry in ledger.unreversed(debt, Kind.WRITE_OFF) if entry.cause.get("type") == "closing"]
    accounts.book(debt, *(accounts.reversal(entry, today, cause) for entry in entries), by=by, posted_at=posted_at)
