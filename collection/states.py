"""The states of a debt, and which leads to which.

Open states lead to one another freely and to the closed ones; ``settled``, ``written_off`` and ``recalled`` lead back to
``active``; ``paid`` follows the balance alone.
"""

from datetime import date

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.holds import amendments
from collection.models import OPEN, Debt, DebtStatus, Hold, LedgerEntry
from ddc.common.errors import DomainError

#: Closing in one of these states posts what is left as a write-off.
WRITES_OFF = (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF)
_CLOSED_BY_HAND = (*WRITES_OFF, DebtStatus.RECALLED)


class NotAnOpenState(DomainError):
    """A debt starts open."""

    field = "current_status"
    code = "enum"
    message = "A debt can't be placed in a closed state."


class NoSuchStep(DomainError):
    """The state machine doesn't lead there."""

    field = "current_status"
    code = "enum"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A debt that is {before} can't become {after}.")


def change(debt: Debt, status: str, *, by: Agent | None, today: date) -> None:
    """Bring a locked debt into another state. To the state that it has: nothing happens.

    :raises NoSuchStep: if the state machine doesn't lead there
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
        raise NoSuchStep(before, status)


def _move(debt: Debt, status: str, *, by: Agent | None) -> None:
    if debt.current_status == DebtStatus.DEFERRED:
        amendments.lift(debt, reason=Hold.Reason.DEFERRAL, by=by, why=f"The debt became {status}.")
    debt.current_status = status
    ledger.save(debt, "current_status")


def _close(debt: Debt, status: str, *, by: Agent | None, today: date) -> None:
    require_permission(by, "collections.close_debt")
    debt.current_status = status
    if status in WRITES_OFF:
        ledger.post(
            debt,
            kind=LedgerEntry.Kind.WRITE_OFF,
            amount=-debt.current_balance,
            value_date=today,
            by=by,
            cause={"type": "closing", "status": status},
        )
    else:
        ledger.save(debt, "current_status")


def _reopen(debt: Debt, *, by: Agent | None, today: date) -> None:
    require_permission(by, "collections.close_debt")
    cause = {"type": "reopening", "status": debt.current_status}
    debt.current_status = DebtStatus.ACTIVE
    ledger.save(debt, "current_status")
    for entry in ledger.standing(debt, LedgerEntry.Kind.WRITE_OFF):
        ledger.reverse(entry, debt, by=by, value_date=today, cause=cause)
