"""Status and balance in one change: every pair of statuses with every kind of balance, against the contract."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from collection import debts
from collection.models import Debt, LedgerEntry
from communications.models import CommunicationLog
from ddc.common.errors import DomainError
from payments.reconciliation import differences
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

TODAY = date(2026, 2, 1)
OPEN = ("active", "payment_plan", "deferred", "disputed")
WRITES_OFF = ("settled", "written_off")
CLOSED = (*WRITES_OFF, "recalled")
STATUSES = (*OPEN, "paid", *CLOSED)
BALANCES = (None, 0, 200, 500, 700)


def debt_in(status: str) -> Debt:
    """Return a debt of 500 in a status."""
    if status == "paid":
        return factories.debt(balance="500", current_balance=Decimal(0))
    debt = factories.debt(balance="500", current_status=status if status in OPEN else "active")
    return debts.amend(debt, current_status=status, by=None, today=TODAY) if status in CLOSED else debt


def expected(before: str, after: str, given: int | None) -> tuple[str, int] | None:
    """Return the status and balance that the contract wants; None where it refuses."""
    now = 0 if before in ("paid", *WRITES_OFF) else 500
    changed = given if given != now else None
    if before in CLOSED:
        if before == after:
            return (before, now) if changed is None else None
        if after != "active":
            return None
        return owing("active", 500 if changed is None else changed)
    balance = now if changed is None else changed
    if after == "paid":
        # A paid debt that is sent back with another balance follows the balance.
        return ("paid", 0) if balance == 0 else ("active", balance) if before == "paid" else None
    if after in WRITES_OFF:
        return (after, 0) if before != "paid" or balance else None
    if after == "recalled":
        return (after, balance) if balance else None
    if before == "paid" and not balance:
        return None
    return owing(after, balance)


def owing(status: str, balance: int) -> tuple[str, int]:
    return (status, balance) if balance else ("paid", 0)


@pytest.mark.parametrize("given", BALANCES)
@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("before", STATUSES)
def test_status_and_balance_change_together(before: str, after: str, given: int | None):
    debt = debt_in(before)
    unchanged = state(debt)
    wanted = expected(before, after, given)
    balance = {} if given is None else {"current_balance": Decimal(given)}

    if wanted is None:
        with pytest.raises(DomainError):
            debts.amend(debt, current_status=after, **balance, by=None, today=TODAY)
        assert state(debt) == unchanged
    else:
        debts.amend(debt, current_status=after, **balance, by=None, today=TODAY)
        assert state(debt)[:2] == wanted
    assert list(differences()) == []
    assert not LedgerEntry.objects.filter(amount=0).exists()


def state(debt: Debt) -> tuple[str, Decimal, int]:
    debt.refresh_from_db()
    return debt.current_status, debt.current_balance, LedgerEntry.objects.filter(debt_id=debt.pk).count()


def test_a_debt_whose_balance_was_0_for_a_while_keeps_its_postponed_message(api: Api):
    debt = factories.debt(balance="80", currency_code="EUR")
    waiting = CommunicationLog.objects.create(
        debtor=debt.debtor,
        debt=debt,
        communication_type="email",
        status="postponed",
        due_at=datetime(2026, 2, 1, tzinfo=UTC),
    )
    for balance, status in (("0", "paid"), ("50", "active")):
        answer = api.put(f"/debts/{debt.pk}", {"currentBalance": balance}).json()
        assert (answer["currentStatus"], answer["currentBalance"]) == (status, f"{balance}.00")
        waiting.refresh_from_db()
        assert waiting.status == "postponed"


@pytest.mark.parametrize("closed", CLOSED)
def test_a_closed_debt_is_reopened_with_another_balance_in_one_request(api: Api, closed: str):
    debt = debt_in(closed)

    answer = api.put(f"/debts/{debt.pk}", {"currentStatus": "active", "currentBalance": "200.00"})

    assert answer.status_code == 200, answer.content
    assert (answer.json()["currentStatus"], answer.json()["currentBalance"]) == ("active", "200.00")
    again = api.put(f"/debts/{debt.pk}", {"currentStatus": "settled", "currentBalance": "0"}).json()
    assert (again["currentStatus"], again["currentBalance"]) == ("settled", "0.00")
    sums = [Decimal(entry["amount"]) for entry in api.get(f"/debts/{debt.pk}/ledger").json()["data"]]
    assert sum(sums) == 0
    assert list(differences()) == []


def test_a_debt_as_it_was_read_is_reopened_with_all_of_its_balance(api: Api):
    debt = debt_in("written_off")
    read = api.get(f"/debts/{debt.pk}").json()

    answer = api.put(f"/debts/{debt.pk}", {**read, "currentStatus": "active"})

    assert (answer.status_code, answer.json()["currentBalance"]) == (200, "500.00")


def test_a_recalled_debt_is_reopened_in_another_currency():
    debt = debt_in("recalled")

    debts.amend(debt, current_status="active", currency_code="EUR", current_balance=Decimal(300), by=None, today=TODAY)

    assert state(debt)[:2] == ("active", 300)
    assert list(differences()) == []


def test_an_original_balance_and_the_balance_that_follows_from_it_post_no_empty_adjustment():
    debt = factories.debt(balance="500")

    debts.amend(debt, original_balance=Decimal(600), current_balance=Decimal(600), by=None, today=TODAY)

    assert state(debt)[:2] == ("active", 600)
    assert not LedgerEntry.objects.filter(amount=0).exists()
