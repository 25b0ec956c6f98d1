"""Entries and balances split into principal, interest, costs and fees."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from collection import debts
from collection.balances import ledger
from collection.claims.components import Components
from collection.models import Debt, LedgerEntry
from payments import reconciliation
from tests import factories

TODAY = date(2026, 2, 1)
Kind = LedgerEntry.Kind

pytestmark = pytest.mark.django_db


def post(debt: Debt, kind: LedgerEntry.Kind, amount: str, **components: str) -> Debt:
    with transaction.atomic():
        debt = ledger.lock_debt(debt.pk)
        parts = Components(**{name: Decimal(value) for name, value in components.items()}) if components else None
        ledger.post(debt, kind, Decimal(amount), TODAY, by=None, cause={"type": "x"}, components=parts)
    debt.refresh_from_db()
    return debt


@pytest.fixture
def debt() -> Debt:
    placed = factories.debt(balance="100")
    post(placed, Kind.COST, "4.50", interest="4.50")
    return post(placed, Kind.COST, "8", costs="8")


def test_a_placement_is_principal():
    debt = factories.debt(balance="100")
    debt.refresh_from_db()
    assert ledger.balances(debt) == Components(Decimal(100), Decimal(0), Decimal(0), Decimal(0))
    assert debt.balance_principal == 100
    assert not debt.is_itemized


def test_the_balances_add_up_to_the_current_balance(debt: Debt):
    assert ledger.balances(debt) == Components(Decimal(100), Decimal("4.50"), Decimal(8), Decimal(0))
    assert (debt.current_balance, debt.balance_principal, debt.is_itemized) == (Decimal("112.50"), 100, True)
    assert list(reconciliation.differences()) == []


def test_no_component_falls_below_zero(debt: Debt):
    with pytest.raises(ledger.ExceedsComponent) as refused:
        post(debt, Kind.WAIVER, "-5", interest="-5")
    assert refused.value.field == "interest"
    debt.refresh_from_db()
    assert ledger.balances(debt) == Components(Decimal(100), Decimal("4.50"), Decimal(8), Decimal(0))


@pytest.mark.parametrize("column", ["balance_interest", "balance_costs", "balance_fees"])
@pytest.mark.parametrize("value", [-1, 1000])
def test_the_database_refuses_a_component_below_zero(column: str, value: int, debt: Debt):
    with pytest.raises(IntegrityError, match="debt_component_balances_are_not_negative"), transaction.atomic():
        Debt.objects.filter(pk=debt.pk).update(**{column: value})


def test_the_database_refuses_components_that_do_not_add_up():
    with pytest.raises(Exception, match="principal"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_entry (debt_id, kind, amount, principal, interest, currency_code, value_date, cause)"
            " VALUES (uuidv7(), 'adjustment', 10, 5, 4, 'GBP', '2026-02-01', '{}')"
        )


def test_closing_writes_off_each_component_and_reopening_brings_them_back(debt: Debt):
    debts.amend(debt, by=None, today=TODAY, current_status="written_off")
    debt.refresh_from_db()
    assert ledger.balances(debt) == Components(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    debts.amend(debt, by=None, today=TODAY, current_status="active")
    debt.refresh_from_db()
    assert ledger.balances(debt) == Components(Decimal(100), Decimal("4.50"), Decimal(8), Decimal(0))
    assert list(reconciliation.differences()) == []


def test_a_lower_balance_is_taken_from_principal_and_then_by_the_policy(debt: Debt):
    debts.amend(debt, by=None, today=TODAY, current_balance=Decimal("10"))
    debt.refresh_from_db()
    assert ledger.balances(debt) == Components(Decimal(0), Decimal(2), Decimal(8), Decimal(0))


def test_a_deleted_debt_leaves_no_component(debt: Debt):
    debts.delete(debt, by=None, today=TODAY)
    assert list(reconciliation.differences()) == []
