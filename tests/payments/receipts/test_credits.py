"""Credits: applied to a debt or refunded, never more than there is, and a refund needs a second person."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from collection.balances import ledger
from ddc.common.errors import Forbidden
from payments import credits, funding, posting
from payments.models import Credit, Payment, Receipt, Refund
from tests import factories
from tests.payments.receipts.makers import NOW, TODAY, balance, booked, no_difference, reason, receipt

pytestmark = pytest.mark.django_db


def credit(amount: int = 30) -> Credit:
    """Return a credit that a receipt brought."""
    debt = factories.debt(balance="100", external_reference="INV-100001")
    receipt(100 + amount, "INV-100001", payer_name="Ann Payer")
    return Credit.objects.get(debtor=debt.debtor)


def apply(credit: Credit, debt: object, amount: int) -> Payment:
    return credits.apply(credit, debt=debt, amount=Decimal(amount), by=None, today=TODAY, now=NOW)


def test_a_credit_pays_another_debt_of_the_person_with_the_creditor():
    one = credit()
    debt = factories.debt(debtor=one.debtor, balance="50")
    payment = apply(one, debt, 20)
    assert (balance(debt), payment.amount, funding.balance(one)) == (30, 20, 10)
    with pytest.raises(funding.ExceedsCredit):
        apply(one, debt, 11)
    assert (balance(debt), funding.balance(one)) == (30, 10)
    assert no_difference()


@pytest.mark.parametrize("whose", ["another person", "another creditor"])
def test_a_credit_pays_no_other_debt(whose: str):
    one = credit()
    debt = factories.debt() if whose == "another person" else factories.debt(debtor=one.debtor, original_creditor="X")
    with pytest.raises(credits.OtherCredit):
        apply(one, debt, 10)
    assert funding.balance(one) == 30


def test_a_credit_is_in_one_currency():
    one = credit()
    with pytest.raises(posting.CurrencyMismatch):
        apply(one, factories.debt(debtor=one.debtor, currency_code="EUR"), 10)
    assert funding.balance(one) == 30


def test_a_voided_payment_puts_its_money_back_into_the_credit():
    one = credit()
    payment = apply(one, factories.debt(debtor=one.debtor), 20)
    with pytest.raises(funding.IsFunded):
        posting.amend(payment, by=None, today=TODAY, amount=Decimal(5))
    posting.void(payment, by=None, today=TODAY)
    assert funding.balance(one) == 30
    assert no_difference()


def test_a_refund_takes_the_money_at_once_and_a_second_person_approves_it():
    one, agent, supervisor = credit(), factories.agent("Agent"), factories.agent()
    refund = credits.propose_refund(one, amount=Decimal(25), reason="Asked for it", by=agent, now=NOW)
    assert (funding.balance(one), refund.receipt.payer_name) == (5, "Ann Payer")
    with pytest.raises(Forbidden):
        credits.approve(refund, by=agent, now=NOW)
    credits.approve(refund, by=supervisor, now=NOW)
    for again in (credits.approve, credits.reject):
        with pytest.raises(credits.AlreadyDecided):
            again(refund, by=supervisor, now=NOW, note="x")
    refund.refresh_from_db()
    assert (refund.decision, refund.decided_by) == ("approved", supervisor)
    assert no_difference()


def test_nobody_approves_the_own_proposal():
    one, supervisor = credit(), factories.agent()
    refund = credits.propose_refund(one, amount=Decimal(25), reason="x", by=supervisor, now=NOW)
    with pytest.raises(credits.OwnProposal):
        credits.approve(refund, by=supervisor, now=NOW)
    with pytest.raises(IntegrityError, match="refund_is_decided_by_a_second_person"), transaction.atomic():
        Refund.objects.update(decision="approved", decided_by=supervisor, decided_at=NOW)


def test_a_rejected_refund_puts_the_money_back():
    one, agent = credit(), factories.agent("Agent")
    refund = credits.propose_refund(one, amount=Decimal(25), reason="x", by=agent, now=NOW)
    with pytest.raises(credits.NoteRequired):
        credits.reject(refund, by=factories.agent(), now=NOW, note=" ")
    with pytest.raises(Forbidden):
        credits.reject(refund, by=factories.agent("Agent"), now=NOW, note="No")
    credits.reject(refund, by=agent, now=NOW, note="Withdrawn")
    assert funding.balance(one) == 30
    assert no_difference()


def test_a_refund_goes_to_a_payer_who_brought_the_money():
    one = credit()
    receipt(5, "INV-100001")
    agent = factories.agent("Agent")
    with pytest.raises(credits.NoPayer):
        credits.propose_refund(one, amount=Decimal(5), reason="x", by=agent, now=NOW, receipt=receipt(5))
    with pytest.raises(credits.ExceedsReceiptOfRefund):
        credits.propose_refund(one, amount=Decimal(6), reason="x", by=agent, now=NOW)
    first = Receipt.objects.get(payer_name="Ann Payer")
    credits.propose_refund(one, amount=Decimal(30), reason="x", by=agent, now=NOW, receipt=first)
    with pytest.raises(credits.ExceedsReceiptOfRefund):
        credits.propose_refund(one, amount=Decimal(1), reason="x", by=agent, now=NOW, receipt=first)
    assert funding.balance(one) == 5
    assert no_difference()


def test_money_in_suspense_is_refunded_too():
    came, agent = receipt(40), factories.agent("Agent")
    refund = credits.propose_refund_of_receipt(came, amount=Decimal(40), reason="Not ours", by=agent, now=NOW)
    assert (booked(came), reason(came)) == ([("refund", 40)], None)
    with pytest.raises(funding.ExceedsReceipt):
        credits.propose_refund_of_receipt(came, amount=Decimal(1), reason="x", by=agent, now=NOW)
    credits.reject(refund, by=factories.agent(), now=NOW, note="It is ours")
    assert (funding.rest(came), reason(came)) == (40, "undone")
    assert no_difference()


def overpay(amount: str, debt: object, **values: object) -> Payment:
    fields = {"debt": debt, "amount": Decimal(amount), "by": None, "today": TODAY, "overpayment": "credit"}
    return posting.record(**fields, **values)


def test_an_overpayment_becomes_credit_and_the_receipt_keeps_the_whole():
    debt = factories.debt(balance="50")
    payment = overpay("70.00", debt, processor_txn_id="T1", payment_method="card")
    assert (payment.amount, balance(debt), debt.current_status) == (50, 0, "paid")
    came = Receipt.objects.get()
    assert (came.amount, came.source, came.provider_id) == (70, "provider", "T1")
    assert booked(came) == [("payment", 50), ("credit", 20)]
    assert no_difference()


def test_a_payment_of_what_is_open_or_less_has_no_receipt():
    debt = factories.debt(balance="50")
    assert overpay("50", debt).amount == 50
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("values", [{}, {"overpayment": "refuse"}])
def test_without_the_word_an_overpayment_is_refused(values: dict):
    debt = factories.debt(balance="50")
    with pytest.raises(ledger.ExceedsBalance):
        posting.record(debt=debt, amount=Decimal("50.01"), by=None, today=TODAY, **values)
    assert not Payment.objects.exists()


def test_where_nothing_is_open_there_is_no_payment():
    debt = factories.debt(balance="50")
    overpay("50", debt)
    with pytest.raises(ledger.ExceedsBalance):
        overpay("1", debt)


def test_the_same_transaction_is_recorded_once_and_leaves_no_receipt():
    debt = factories.debt(balance="50")
    overpay("70", debt, processor_txn_id="T1")
    with pytest.raises(posting.DuplicateTransaction), transaction.atomic():
        overpay("70", factories.debt(balance="50"), processor_txn_id="T1")
    assert (Receipt.objects.count(), Payment.objects.count()) == (1, 1)
