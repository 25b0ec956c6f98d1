"""Each fault is planted by raw SQL, past all domain functions and triggers, and has to be found."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection

from collection import debts
from collection.models import Debt
from payments import posting, reconciliation
from payments.models import Payment
from tests import factories

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid_in_part() -> Payment:
    debt = factories.debt(balance="100")
    voided = posting.record(debt=debt, amount=Decimal(30), by=None, today=TODAY)
    posting.void(voided, by=None, today=TODAY)
    posting.record(debt=debt, amount=Decimal(10), status="pending", by=None, today=TODAY)
    return posting.record(debt=debt, amount=Decimal(40), by=None, today=TODAY)


def unguarded(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_append_only")
        cursor.execute("ALTER TABLE debt DROP CONSTRAINT debt_is_paid_only_at_zero")
        cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_reverses_id_key")
        cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_reverses_if_and_only_if_it_is_a_reversal")
        cursor.execute(sql, params)
        assert cursor.rowcount == 1, "the fault was not planted"


def found() -> set[str]:
    return {difference.check for difference in reconciliation.differences()}


def test_a_correct_ledger_has_no_difference(paid_in_part: Payment):
    debts.amend(paid_in_part.debt, by=None, today=TODAY, current_status="written_off")
    debts.delete(factories.debt(), by=None, today=TODAY)
    call_command("check_ledger")
    assert found() == set()


_COPY = """
    INSERT INTO ledger_entry (debt_id, kind, amount, currency_code, value_date, payment_id, cause, reverses_id)
    SELECT debt_id, kind, {amount}, currency_code, value_date, payment_id, cause, reverses_id FROM ledger_entry
"""

FAULTS: dict[str, tuple[str, str]] = {
    "balance moved without an entry": (
        "UPDATE debt SET current_balance = current_balance + 1",
        "a balance is the sum of its entries",
    ),
    "an entry deleted": ("DELETE FROM ledger_entry WHERE amount = -40", "a balance is the sum of its entries"),
    "a part of the balance moved to interest": (
        "UPDATE debt SET balance_interest = 1, is_itemized = TRUE",
        "a component's balance is the sum of its entries",
    ),
    "an entry changed to costs": (
        "UPDATE ledger_entry SET costs = -1 WHERE amount = -40",
        "a debt with interest, costs or fees is itemized",
    ),
    "an entry in another currency": (
        "UPDATE ledger_entry SET currency_code = 'EUR' WHERE amount = -40",
        "entries in a currency that the debt is not in cancel out",
    ),
    "original balance changed": (
        "UPDATE debt SET original_balance = 99",
        "the unreversed placement is the original balance",
    ),
    "a completed payment changed": (
        "UPDATE payment SET amount = 41 WHERE status = 'completed'",
        "a completed payment has posted its amount on its debt",
    ),
    "a pending payment booked as completed": (
        "UPDATE payment SET status = 'completed' WHERE status = 'pending'",
        "a completed payment has posted its amount on its debt",
    ),
    "a failed payment still posted": (
        "UPDATE payment SET status = 'failed' WHERE status = 'completed'",
        "a payment that is not completed, or gone, or moved, has nothing posted",
    ),
    "a payment deleted without a reversal": (
        "DELETE FROM payment WHERE status = 'completed'",
        "a payment that is not completed, or gone, or moved, has nothing posted",
    ),
    "a reversal of another amount": (
        "UPDATE ledger_entry SET amount = 29 WHERE kind = 'reversal'",
        "a reversal mirrors its entry",
    ),
    "a reversal of nothing": (
        "UPDATE ledger_entry SET reverses_id = NULL WHERE kind = 'reversal'",
        "a reversal reverses something",
    ),
    "an entry reversed twice": (
        _COPY.format(amount="amount") + " WHERE kind = 'reversal'",
        "an entry is reversed once",
    ),
    "a transaction changed by hand": (
        "UPDATE payment SET processor_txn_id = 'other' WHERE status = 'completed'",
        "a completed payment has the transaction that was posted",
    ),
    "a status changed by hand": (
        "UPDATE debt SET current_status = 'disputed'",
        "an open debt has the status that its records give it",
    ),
    "a disputed amount without a dispute": (
        "UPDATE debt SET disputed_amount = 5",
        "the disputed amount is that of the open dispute",
    ),
    "paid with a balance": ("UPDATE debt SET current_status = 'paid'", "a debt is paid at 0 and only there"),
}


@pytest.mark.owner
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault: str, paid_in_part: Payment, capsys: pytest.CaptureFixture[str]):
    sql, check = FAULTS[fault]
    unguarded(sql)
    assert check in found()
    with pytest.raises(SystemExit) as end:
        call_command("check_ledger")
    assert end.value.code == 1
    assert check in capsys.readouterr().err


@pytest.mark.owner
def test_a_payment_moved_by_hand_is_found(paid_in_part: Payment):
    other: Callable[[], Debt] = factories.debt
    unguarded("UPDATE payment SET debt_id = %s WHERE id = %s", other().pk, paid_in_part.pk)
    assert found() == {
        "a completed payment has posted its amount on its debt",
        "a payment that is not completed, or gone, or moved, has nothing posted",
    }


@pytest.mark.owner
@pytest.mark.parametrize(
    ("portion", "sql"),
    [
        (None, "UPDATE debt SET disputed_amount = 5"),
        (Decimal(5), "UPDATE debt SET disputed_amount = 6"),
        (Decimal(5), "UPDATE debt SET disputed_amount = 0"),
    ],
)
def test_a_disputed_amount_other_than_that_of_the_dispute_is_found(portion: Decimal | None, sql: str):
    factories.dispute(portion=portion)
    assert found() == set()
    unguarded(sql)
    assert found() == {"the disputed amount is that of the open dispute"}


@pytest.mark.owner
def test_a_dispute_that_is_decided_by_hand_is_found():
    factories.dispute()
    unguarded("UPDATE dispute SET portion = 5")
    assert found() == {
        "the disputed amount is that of the open dispute",
        "an open debt has the status that its records give it",
    }
