"""Payments, charge-backs and refunds on debts with interest and costs, in any order of arrival."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agents.limits import AboveLimit
from agents.models import RoleLimit
from collection import debts
from collection.balances import accounts, ledger
from collection.balances.events import Draft
from collection.claims.components import Components
from collection.debts import DebtIsClosed
from collection.models import Debt, LedgerEntry
from creditors import creditors
from ddc.common.errors import Forbidden
from payments import credits, locks, posting, reconciliation, returns
from payments.models import Payment, Receipt, Refund
from tests import factories

Kind = LedgerEntry.Kind
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.django_db


def parts(principal: str = "0", interest: str = "0", costs: str = "0", fees: str = "0") -> Components:
    return Components(Decimal(principal), Decimal(interest), Decimal(costs), Decimal(fees))


def charge(debt: Debt, costs: str, day: date, **others: str) -> None:
    components = parts(costs=costs, **others)
    with transaction.atomic():
        draft = Draft(Kind.COST, components.total, day, {"type": "charge"}, components)
        accounts.book(ledger.lock_debt(debt.pk), draft, by=None)


def pay(debt: Debt, amount: str, day: date = TODAY) -> Payment:
    return posting.record(debt=debt, amount=Decimal(amount), payment_date=day, by=None, today=TODAY)


def balances(debt: Debt) -> Components:
    debt.refresh_from_db()
    return ledger.balances(debt)


def german(**values: Any) -> Debt:
    """1,000.00 with 45.00 interest and 80.00 costs, owed by a German."""
    debt = factories.debt(debtor=factories.debtor(country_code=values.pop("country", "DE")), currency_code="EUR")
    charge(debt, "80", date(2026, 1, 1), interest="45")
    return debt


@pytest.mark.parametrize(
    ("country", "left"),
    [
        ("DE", parts("825", "0", "0")),
        ("NL", parts("825", "0", "0")),
        ("FR", parts("825", "0", "0")),
        ("US", parts("745", "0", "80")),
        ("GB", parts("745", "0", "80")),
    ],
)
def test_a_payment_is_allocated_by_the_law_of_the_debtors_country(country: str, left: Components):
    debt = german(country=country)
    pay(debt, "300")
    assert balances(debt) == left
    assert list(reconciliation.differences()) == []


def test_the_policy_agreed_with_the_creditor_comes_before_the_law_of_the_country():
    debt = german()
    creditors.amend(debt.creditor, allocation_policy="PRINCIPAL_FIRST")
    pay(debt, "300")
    assert balances(debt) == parts("700", "45", "80")


def test_what_the_debtor_names_is_paid_first_where_the_law_allows():
    debt = german(country="GB")
    payment = posting.record(
        debt=debt, amount=Decimal(300), allocation=["costs", "principal"], payment_date=TODAY, by=None, today=TODAY
    )
    assert balances(debt) == parts("780", "45", "0")
    # A booking before it allocates it again, by the same direction.
    charge(debt, "20", date(2026, 1, 2))
    assert balances(debt) == parts("800", "45", "0")
    posting.amend(payment, allocation=[], by=None, today=TODAY)
    assert balances(debt) == parts("745", "0", "100")
    assert list(reconciliation.differences()) == []


def test_what_the_debtor_names_is_refused_where_the_creditor_may_refuse_it():
    debt = german()
    with pytest.raises(posting.DirectionRefused, match="BGB_367"):
        posting.record(debt=debt, amount=Decimal(300), allocation=["principal"], by=None, today=TODAY)
    assert (balances(debt), Payment.objects.count()) == (parts("1000", "45", "80"), 0)


def test_the_order_of_arrival_does_not_matter():
    arrivals = [
        lambda debt: pay(debt, "300", date(2026, 2, 1)),
        lambda debt: charge(debt, "55.62", date(2026, 2, 10)),
        lambda debt: pay(debt, "60", date(2026, 2, 20)),
        lambda debt: pay(debt, "20.01", date(2026, 1, 5)),
    ]
    found = set()
    for order in itertools.permutations(arrivals):
        debt = german()
        for arrival in order:
            arrival(debt)
        found.add((balances(debt), debt.current_status))
    assert len(found) == 1
    assert list(reconciliation.differences()) == []


def test_a_payment_before_a_charge_changes_what_later_payments_cover():
    debt = german()
    later = pay(debt, "125", date(2026, 2, 1))
    pay(debt, "100", date(2026, 1, 15))
    assert balances(debt) == parts("900")
    changed = LedgerEntry.objects.get(kind=Kind.REALLOCATION)
    assert changed.refers_to == LedgerEntry.objects.get(payment_id=later.pk, kind=Kind.PAYMENT)
    assert ledger.components_of(changed) == parts("-100", "20", "80")
    entries = LedgerEntry.objects.count()
    with transaction.atomic():
        accounts.book(ledger.lock_debt(debt.pk), by=None)
    assert LedgerEntry.objects.count() == entries


def test_a_payment_may_take_what_is_open_and_no_more():
    debt = german()
    with pytest.raises(ledger.ExceedsBalance):
        pay(debt, "1125.01")
    debt.refresh_from_db()
    assert accounts.largest_payment(debt, TODAY) == 1125
    pay(debt, "1125")
    assert (balances(debt), debt.current_status) == (parts(), "paid")


def test_a_charge_back_counts_as_if_it_had_never_been_paid():
    debt = german()
    payment = returns.charge_back(pay(debt, "300", date(2026, 1, 31)), by=None, now=NOW, today=TODAY)
    assert balances(debt) == parts("1000", "45", "80")
    assert (payment.status, payment.refunded_amount, payment.charged_back_at) == ("refunded", 300, NOW)
    entry = LedgerEntry.objects.get(kind=Kind.CHARGEBACK)
    assert (entry.value_date, ledger.components_of(entry)) == (date(2026, 1, 31), parts("175", "45", "80"))
    assert entry.refers_to == LedgerEntry.objects.get(kind=Kind.PAYMENT)
    assert list(reconciliation.differences()) == []


def test_a_part_that_is_charged_back_is_the_part_allocated_last():
    debt = german()
    payment = returns.charge_back(
        pay(debt, "300"), amount=Decimal("200"), by=None, now=NOW, today=TODAY, reason="No funds."
    )
    assert balances(debt) == parts("1000", "25", "0")
    assert (payment.status, payment.refunded_amount) == ("completed", 200)
    assert list(reconciliation.differences()) == []


@pytest.mark.parametrize("status", ["settled", "written_off"])
def test_a_charge_back_opens_a_closed_debt_and_reverses_its_write_off(status: str):
    debt = german()
    payment = pay(debt, "300")
    debts.amend(debt, by=None, today=TODAY, current_status=status)
    assert balances(debt) == parts()
    returns.charge_back(payment, by=None, now=NOW, today=TODAY)
    assert (balances(debt), debt.current_status) == (parts("1000", "45", "80"), "active")
    assert list(reconciliation.differences()) == []


def test_a_charge_back_of_a_paid_debt_opens_it():
    debt = factories.debt(balance="100")
    returns.charge_back(pay(debt, "100"), by=None, now=NOW, today=TODAY)
    assert (balances(debt), debt.current_status) == (parts("100"), "active")
    assert list(reconciliation.differences()) == []


def test_a_refund_gives_back_what_the_payment_covered_last():
    debt = german()
    payment = returns.refund(pay(debt, "300", date(2026, 2, 1)), amount=Decimal(200), by=None, today=TODAY)
    assert balances(debt) == parts("1000", "25", "0")
    assert (payment.status, payment.refunded_amount, payment.charged_back_at) == ("completed", 200, None)
    entry = LedgerEntry.objects.get(kind=Kind.REFUND)
    assert (entry.value_date, entry.refers_to.payment_id) == (TODAY, payment.pk)
    assert list(reconciliation.differences()) == []


def test_money_that_waits_covers_what_a_refund_makes_owed_again():
    for debt, amount in ((factories.debt(balance="1000", currency_code="EUR"), "900"), (german(), "1025")):
        first = pay(debt, "300", date(2026, 1, 10))
        returns.refund(first, value_date=date(2026, 3, 1), by=None, today=TODAY)
        # On its day, 300.00 less are owed than it brings; from the refund on, all of it is.
        pay(debt, amount, date(2026, 2, 1))
        assert balances(debt) == parts("100")
    assert list(reconciliation.differences()) == []


def test_no_more_goes_back_than_was_paid():
    payment = pay(german(), "300")
    returns.refund(payment, amount=Decimal(200), by=None, today=TODAY)
    entries = LedgerEntry.objects.count()
    with pytest.raises(returns.ExceedsPayment):
        returns.charge_back(payment, amount=Decimal("100.01"), by=None, now=NOW, today=TODAY)
    payment = returns.charge_back(payment, by=None, now=NOW, today=TODAY)
    assert payment.status == "refunded"
    with pytest.raises(returns.NotPosted):
        returns.refund(payment, by=None, today=TODAY)
    assert LedgerEntry.objects.count() <= entries + 2
    assert list(reconciliation.differences()) == []


def test_the_money_of_a_payment_is_fixed_once_a_part_went_back():
    payment = pay(german(), "300")
    returns.refund(payment, amount=Decimal(200), by=None, today=TODAY)
    with pytest.raises(posting.PartlyReturned):
        posting.amend(payment, by=None, today=TODAY, amount=Decimal(250))
    payment.refresh_from_db()
    assert payment.amount == 300


def test_a_payment_with_returns_is_voided_whole():
    debt = german()
    payment = pay(debt, "300")
    returns.refund(payment, amount=Decimal(100), by=None, today=TODAY)
    returns.charge_back(payment, amount=Decimal(50), by=None, now=NOW, today=TODAY)
    posting.void(payment, by=None, today=TODAY)
    assert balances(debt) == parts("1000", "45", "80")
    assert list(reconciliation.differences()) == []


def test_a_refund_of_a_payment_needs_a_second_person():
    debt, agent, supervisor = german(), factories.agent("Agent"), factories.agent("Supervisor")
    payment = pay(debt, "300", date(2026, 2, 1))
    refund = returns.propose_refund(payment, amount=Decimal(200), reason="Paid twice.", by=supervisor, now=NOW)
    assert balances(debt) == parts("825")
    with pytest.raises(returns.RefundProposed):
        returns.propose_refund(payment, by=agent, now=NOW)
    with pytest.raises(credits.OwnProposal):
        credits.approve(refund, by=supervisor, now=NOW)
    with pytest.raises(Forbidden):
        credits.approve(refund, by=agent, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.update(decision="approved", decided_by=supervisor, decided_at=NOW)
    other = factories.agent("Supervisor")
    limit = RoleLimit.objects.create(role="Supervisor", kind="refund_amount", value=199)
    with pytest.raises(AboveLimit):
        credits.approve(refund, by=other, now=NOW)
    assert balances(debt) == parts("825")
    limit.delete()
    credits.approve(refund, by=other, now=NOW)
    payment.refresh_from_db()
    assert (balances(debt), payment.refunded_amount) == (parts("1000", "25"), 200)
    with pytest.raises(credits.AlreadyDecided):
        credits.approve(refund, by=other, now=NOW)
    rejected = returns.propose_refund(payment, by=agent, now=NOW)
    credits.reject(rejected, by=agent, now=NOW, note="Not needed.")
    assert (rejected.amount, balances(debt)) == (100, parts("1000", "25"))
    assert list(reconciliation.differences()) == []


def test_a_refund_of_a_payment_that_was_voided_or_charged_back_since_is_not_booked():
    supervisor = factories.agent("Supervisor")
    voided, returned = pay(german(), "300"), pay(german(), "300")
    proposed = [returns.propose_refund(payment, by=supervisor, now=NOW) for payment in (voided, returned)]
    posting.void(voided, by=None, today=TODAY)
    returns.charge_back(returned, by=None, now=NOW, today=TODAY)
    for refund, error in zip(proposed, (locks.PaymentNotFound, returns.NotPosted), strict=True):
        with pytest.raises(error), transaction.atomic():
            credits.approve(refund, by=factories.agent("Supervisor"), now=NOW)
        refund.refresh_from_db()
        assert refund.status == "proposed"
    assert not LedgerEntry.objects.filter(kind=Kind.REFUND).exists()


def test_a_refund_of_a_closed_debt_is_refused():
    debt = german()
    payment = pay(debt, "300")
    debts.amend(debt, by=None, today=TODAY, current_status="settled")
    with pytest.raises(DebtIsClosed):
        returns.refund(payment, by=None, today=TODAY)
    assert balances(debt) == parts()


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 3, 22)])
def test_a_refund_is_not_before_its_payment_nor_in_the_future(day: date):
    payment = pay(german(), "300", date(2026, 2, 1))
    with pytest.raises(returns.RefundBeforePayment):
        returns.refund(payment, value_date=day, by=None, today=TODAY)


def test_a_charge_back_of_a_recalled_debt_is_due_from_the_creditor():
    debt = german()
    payment = pay(debt, "300")
    debts.amend(debt, by=None, today=TODAY, current_status="recalled")
    before = balances(debt)
    payment = returns.charge_back(payment, amount=Decimal("200"), by=None, now=NOW, today=TODAY)
    assert (balances(debt), payment.charged_back_at, payment.status) == (before, NOW, "completed")
    receipt = Receipt.objects.get()
    assert (receipt.amount, receipt.suspense.reason) == (-200, "due_from_creditor")
    with pytest.raises(returns.ExceedsPayment):
        returns.charge_back(payment, amount=Decimal("100.01"), by=None, now=NOW, today=TODAY)
    assert list(reconciliation.differences()) == []
