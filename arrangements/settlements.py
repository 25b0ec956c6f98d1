"""The discount of a settlement: written off once it is kept, in the same transaction."""

from datetime import datetime

from arrangements import decisions
from arrangements.models import Arrangement, Kind
from collection import states
from collection.models import Debt, DebtStatus
from debtors import calendars


def complete(arrangement: Arrangement, *, now: datetime) -> None:
    """Write off what a kept settlement leaves open, and close its debts as settled. The debts are locked."""
    if arrangement.kind == Kind.SETTLEMENT:
        for debt in _open(arrangement):
            _change(debt, DebtStatus.SETTLED, arrangement, now=now)


def undo(arrangement: Arrangement, *, now: datetime) -> None:
    """Reopen the debts of a settlement that is not kept after all, and reverse what was written off. The debts are locked."""
    if arrangement.kind == Kind.SETTLEMENT:
        for debt in decisions.lock_debts(arrangement).values():
            if debt.current_status == DebtStatus.SETTLED:
                _change(debt, DebtStatus.ACTIVE, arrangement, now=now)


def _open(arrangement: Arrangement) -> list[Debt]:
    return [debt for debt in decisions.lock_debts(arrangement).values() if debt.is_open and debt.current_balance > 0]


def _change(debt: Debt, status: DebtStatus, arrangement: Arrangement, *, now: datetime) -> None:
    cause = {"arrangementId": str(arrangement.pk)}
    states.change(debt, status, by=None, today=calendars.today(arrangement.debtor, at=now), cause=cause, posted_at=now)
