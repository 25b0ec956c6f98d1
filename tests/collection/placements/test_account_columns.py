"""Principal, interest, costs and fees in a placement file."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from collection.balances import ledger
from collection.claims.components import Components
from collection.models import Debt, LedgerEntry
from payments import reconciliation
from tests.collection.placements.files import ROW, counts, everything, load, text

pytestmark = pytest.mark.django_db

PARTS = {"originalBalance": "1125.00", "principal": "1000", "interest": "45.00", "costs": "70", "fees": "10"}


def test_a_debt_is_placed_with_its_components():
    row = ROW | PARTS | {"currentBalance": "1100.00", "interestFrom": "2026-06-01", "placementDate": "2026-06-10"}
    assert counts(load(text(row))) == (1, 0, 0)
    debt = Debt.objects.get()
    assert ledger.balances(debt) == Components(Decimal(975), Decimal(45), Decimal(70), Decimal(10))
    assert (debt.balance_principal, debt.is_itemized, debt.interest_from) == (975, True, date(2026, 6, 1))
    placed, adjusted = LedgerEntry.objects.order_by("-amount")
    assert ledger.components_of(placed) == Components(Decimal(1000), Decimal(45), Decimal(70), Decimal(10))
    assert ledger.components_of(adjusted) == Components(Decimal(-25))
    assert list(reconciliation.differences()) == []


def test_the_rest_of_the_original_balance_is_principal():
    assert counts(load(text(ROW | {"costs": "30"}))) == (1, 0, 0)
    assert ledger.balances(Debt.objects.get()) == Components(principal=Decimal(70), costs=Decimal(30))


def test_without_components_a_debt_is_principal():
    assert counts(load(text(ROW | dict.fromkeys(("principal", "interest", "costs", "fees"), "")))) == (1, 0, 0)
    debt = Debt.objects.get()
    assert (ledger.balances(debt), debt.is_itemized) == (Components(principal=Decimal(100)), False)


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"principal": "999.99"}, "principal", "add up to originalBalance"),
        ({"principal": "", "interest": "2000"}, "principal", "add up to originalBalance"),
        ({"interest": "-1"}, "interest", "at least 0"),
        ({"costs": "seventy"}, "costs", "must be an amount"),
        ({"fees": "10.001"}, "fees", "has 2 decimals"),
        ({"currentBalance": "100"}, "principal", "lower than interest, costs and fees"),
        ({"interestFrom": "0026-01-01"}, "interestFrom", "not plausible"),
    ],
)
def test_components_that_cannot_be_are_refused(change: dict[str, Any], column: str, reason: str):
    before = everything()
    report = load(text(ROW | PARTS | change))
    assert counts(report) == (0, 0, 1)
    assert (column, True) in {(fault.column, reason in fault.reason) for fault in report.refusals}
    assert everything() == before
