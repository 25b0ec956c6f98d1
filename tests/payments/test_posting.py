from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from collection import debts
from collection.balances import ledger
from collection.models import Debt, LedgerEntry
from ddc.common.errors import Forbidden, Stale
from ddc.common.money import BadAmount
from payments import locks, posting
from payments.models import Payment
from tests import factories

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


def pay(debt: Debt, amount: str, **values: object) -> Payment:
    return posting.record(**{"debt": debt, "amount": Decimal(amount), "by": None, "today": TODAY} | values)  # type: ignore[arg-type]


def balance(debt: Debt) -> Decimal:
    debt.refresh_from_db()
    assert debt.current_balance == sum(entry.amount for entry in debt.ledger_entries.all())
    return debt.current_balance


def test_a_completed_payment_lowers_the_balance_and_only_that_status_does():
    debt = factories.debt(balance="1000")
    pay(debt, "300")
    for status in ("pending", "failed", "refunded"):
        pay(debt, "100", status=status)
    assert balance(debt) == 700


def test_a_payment_above_the_balance_is_refused_and_leaves_nothing():
    debt = factories.debt(balance="100")
    with pytest.raises(ledger.ExceedsBalance) as refused:
        pay(debt, "100.01")
    assert refused.value.field == "amount"
    assert balance(debt) == 100
    assert not Payment.objects.exists()


def test_the_last_payment_pays_the_debt_and_its_reversal_restores_the_status():
    debt = factories.debt(balance="100", current_status="payment_plan")
    payment = pay(debt, "100")
    assert balance(debt) == 0
    assert debt.current_status == "paid"
    posting.void(payment, by=None, today=TODAY)
    assert balance(debt) == 100
    assert debt.current_status == "payment_plan"


def test_a_voided_payment_is_gone_and_the_ledger_keeps_a_copy():
    debt = factories.debt(balance="100")
    payment = pay(debt, "40", processor_txn_id="TXN-1", payment_method="card")
    key = payment.pk
    posting.void(payment, by=None, today=TODAY)
    assert not Payment.objects.filter(pk=key).exists()
    posted, reversal = LedgerEntry.objects.filter(payment_id=key)
    assert (posted.kind, posted.amount, reversal.kind, reversal.amount) == ("payment", -40, "reversal", 40)
    assert reversal.reverses == posted
    assert posted.cause["processorTxnId"] == "TXN-1"
    assert reversal.cause["type"] == "payment_voided"
    assert reversal.cause["amount"] == "40.00"


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"amount": Decimal("70")}, 30),
        ({"status": "failed"}, 100),
        ({"payment_method": "cash"}, 60),
        ({"amount": Decimal("40.00")}, 60),
    ],
)
def test_a_change_of_a_posted_payment_adjusts_the_balance(change: dict[str, object], left: int):
    debt = factories.debt(balance="100")
    payment = pay(debt, "40")
    posting.amend(payment, by=None, today=TODAY, **change)
    assert balance(debt) == left


def test_a_change_that_moves_no_money_posts_nothing():
    debt = factories.debt(balance="100")
    payment = pay(debt, "40")
    before = LedgerEntry.objects.count()
    posting.amend(payment, by=None, today=TODAY, payment_method="cash", amount=Decimal("40.0"))
    assert LedgerEntry.objects.count() == before


def test_completing_a_pending_payment_posts_it():
    debt = factories.debt(balance="100")
    payment = pay(debt, "40", status="pending")
    posting.amend(payment, by=None, today=TODAY, status="completed")
    assert balance(debt) == 60


def test_a_payment_moves_from_one_debt_to_another():
    first, second = factories.debt(balance="100"), factories.debt(balance="100")
    payment = pay(first, "40")
    posting.amend(payment, by=None, today=TODAY, debt=second)
    assert (balance(first), balance(second)) == (100, 60)


def test_a_move_to_a_debt_that_owes_less_is_refused_and_changes_neither():
    first, second = factories.debt(balance="100"), factories.debt(balance="30")
    payment = pay(first, "40")
    with pytest.raises(ledger.ExceedsBalance):
        posting.amend(payment, by=None, today=TODAY, debt=second)
    assert (balance(first), balance(second)) == (60, 30)
    payment.refresh_from_db()
    assert payment.debt_id == first.pk


def test_a_payment_is_in_its_debts_currency():
    debt = factories.debt(currency_code="GBP")
    with pytest.raises(posting.CurrencyMismatch) as refused:
        pay(debt, "10", currency_code="EUR")
    assert refused.value.field == "currency_code"
    assert not Payment.objects.exists()
    assert pay(debt, "10").currency_code == "GBP"


def test_an_amount_has_no_more_decimals_than_its_currency():
    debt = factories.debt(currency_code="JPY", balance="1000")
    with pytest.raises(BadAmount):
        pay(debt, "10.5")
    assert balance(debt) == 1000


def test_a_processors_transaction_is_recorded_once():
    debt = factories.debt(balance="100")
    pay(debt, "10", processor_txn_id="TXN-1")
    with pytest.raises(posting.DuplicateTransaction) as refused:
        pay(debt, "10", processor_txn_id="TXN-1")
    assert refused.value.status == 409
    assert balance(debt) == 90


@pytest.mark.parametrize("amount", ["10", "60"])
def test_a_repeated_transaction_is_a_duplicate_even_above_the_balance(amount: str):
    debt, other = factories.debt(balance="60"), factories.debt(balance="60")
    pay(debt, "60", processor_txn_id="TXN-1")
    for repeated in (debt, other):
        with pytest.raises(posting.DuplicateTransaction):
            pay(repeated, amount, processor_txn_id="TXN-1")
    with pytest.raises(ledger.ExceedsBalance):
        pay(debt, amount, processor_txn_id="TXN-2")
    assert (balance(debt), balance(other)) == (0, 60)
    assert Payment.objects.count() == 1


def test_a_payment_needs_an_existing_debt():
    payment = pay(factories.debt(), "10")
    with pytest.raises(locks.NoSuchDebt):
        pay(Debt(), "10")
    with pytest.raises(locks.NoSuchDebt):
        posting.amend(payment, by=None, today=TODAY, debt=Debt())
    assert list(Payment.objects.all()) == [payment]
    assert balance(payment.debt) == payment.debt.original_balance - 10


def test_recording_a_payment_is_the_lock_and_two_statements(django_assert_num_queries: Any):
    debt = factories.debt(balance="100")
    with django_assert_num_queries(5):  # Two of them are the test's own savepoint.
        pay(debt, "40")


@pytest.mark.parametrize("status", ["settled", "recalled"])
def test_nothing_is_paid_on_a_settled_or_recalled_debt(status: str):
    debt = factories.debt(balance="100")
    debts.amend(debt, by=None, today=TODAY, current_status=status)
    with pytest.raises(debts.DebtIsClosed):
        pay(debt, "10")
    assert not Payment.objects.exists()


def test_a_payment_is_not_reversed_while_its_debt_is_settled():
    debt = factories.debt(balance="100")
    payment = pay(debt, "40")
    debts.amend(debt, by=None, today=TODAY, current_status="settled")
    with pytest.raises(debts.DebtIsClosed):
        posting.void(payment, by=None, today=TODAY)
    assert balance(debt) == 0
    assert Payment.objects.filter(pk=payment.pk).exists()


def test_only_a_supervisor_reverses_a_posted_payment():
    debt, agent = factories.debt(balance="100"), factories.agent("Agent")
    payment = pay(debt, "40", status="pending")
    posting.amend(payment, by=agent, today=TODAY, status="completed")
    with pytest.raises(Forbidden):
        posting.amend(payment, by=agent, today=TODAY, amount=Decimal(50))
    assert balance(debt) == 60
    posting.amend(payment, by=factories.agent("Supervisor"), today=TODAY, amount=Decimal(50))
    assert balance(debt) == 50


def test_a_change_of_money_by_a_stale_read_is_refused():
    debt = factories.debt(balance="100")
    payment = pay(debt, "40")
    with pytest.raises(Stale):
        posting.amend(
            payment, by=None, today=TODAY, if_unchanged_since=datetime(2026, 1, 1, tzinfo=UTC), amount=Decimal(50)
        )
    assert balance(debt) == 60
    posting.amend(payment, by=None, today=TODAY, if_unchanged_since=payment.updated_at, amount=Decimal(50))
    assert balance(debt) == 50


def test_an_entry_names_its_author():
    agent = factories.agent("Agent")
    payment = pay(factories.debt(), "40", by=agent)
    assert LedgerEntry.objects.get(payment_id=payment.pk).by == agent


def test_payments_and_their_entries_have_the_time_that_was_given():
    debt, supervisor = factories.debt(balance="100"), factories.agent("Supervisor")
    recorded, reversed_ = datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 7, 9, tzinfo=UTC)
    payment = pay(debt, "40", now=recorded)
    posting.amend(payment, by=supervisor, today=TODAY, now=reversed_, status="refunded")
    entries = LedgerEntry.objects.filter(payment_id=payment.pk)
    assert list(entries.values_list("kind", "posted_at")) == [("payment", recorded), ("reversal", reversed_)]
    assert Payment.objects.get(pk=payment.pk).created_at == recorded
