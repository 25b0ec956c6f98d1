"""The statuses of a debt and the changes between them.

An open status changes to any other open or closed status. ``settled``, ``written_off`` and ``recalled`` change back to
``active``. ``paid`` follows the balance and is never set by hand.
"""

from datetime import date

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.holds import amendments
from collection.models import OPEN, Debt, DebtStatus, Hold, LedgerEntry
from ddc.common.errors import DomainError

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


def change(debt: Debt, status: str, *, by: Agent | None, today: date) -> None:
    """Change the status of a locked debt. The status that it has already changes nothing.

    :raises InvalidTransition: if the status can't be changed this way
    :raises Forbidden: if ``by`` may not close or reopen debts
    """
    before = debt.current_status
    if status == before:
        return
    if debt.is_open and status in OPEN:
        _move(debt, status, by=by)
    elif debt.is_open and status in _CLOSED_BY_HAND:
        _close(debt, status, by=by, today=today)
    elif before in _CLOSED_BY_HAND and status == DebtStatus.ACTIVE:
        _reopen(debt, by=by, today=today)
    else:
        raise InvalidTransition(before, status)


def _move(debt: Debt, status: str, *, by: Agent | None) -> None:
    if debt.current_status == DebtStatus.DEFERRED:
        amendments.lift(debt, reason=Hold.Reason.DEFERRAL, by=by, why=f"The debt became {status}.")
    debt.current_status = status
    ledger.save(debt, "current_status")


def _close(debt: Debt, status: str, *, by: Agent | None, today: date) -> None:
    require_permission(by, "collections.close_debt")
    debt.current_status = status
    if status in WRITES_OFF:
        cause = {"type": "closing", "status": status}
        ledger.post(debt, LedgerEntry.Kind.WRITE_OFF, -debt.current_balance, today, by=by, cause=cause)
    else:
        ledger.save(debt, "current_status")


def _reopen(debt: Debt, *, by: Agent | None, today: date) -> None:
    require_permission(by, "collections.close_debt")
    cause = {"type": "reopening", "status": debt.current_status}
    debt.current_status = DebtStatus.ACTIVE
    ledger.save(debt, "current_status")
    for entry in ledger.unreversed(debt, LedgerEntry.Kind.WRITE_OFF):
        ledger.reverse(entry, debt, by=by, value_date=today, cause=cause)
