"""Receipts: booked by their reference, else in suspense with the reason; nothing of them is ever lost."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from collection import debts
from collection.balances import ledger
from collection.holds import holds
from collection.models import Debt
from ddc.common.days import ImplausibleDate
from ddc.common.errors import Forbidden
from ddc.common.money import BadAmount
from payments import creditor_dues, credits, funding, posting, receipts, receipts_checks, reconciliation, returns
from payments.models import Credit, CreditEntry, Payment, Receipt, ReceiptAllocation, Refund, Suspense
from payments.receipts import Line
from tests import factories
from tests.payments.receipts.makers import NOW, TODAY, balance, booked, no_difference, reason, receipt

pytestmark = pytest.mark.django_db


def test_a_receipt_is_booked_to_the_debt_that_its_reference_names():
    debt = factories.debt(balance="100", external_reference="INV-2026-0042")
    came = receipt(60, "INV-2026-0042", value_date=date(2026, 1, 20))
    assert booked(came) == [("payment", 60)]
    assert balance(debt) == 40
    payment = Payment.objects.get()
    assert (payment.payment_date, payment.payment_method) == (date(2026, 1, 20), "bank_transfer")
    assert reason(came) is None
    assert no_difference()


@pytest.mark.parametrize(
    "text",
    [
        "inv 2026 0042",
        "Invoice INV-2026-0042 John Doe",
        "Rent\nINV-20\n26-0042",
        "INV-2O26-OO42",
        "1NV?? INV/2026/0042, thank you",
        "INV-2026-0042\u200b",
    ],
)
def test_a_reference_survives_breaks_spaces_punctuation_and_the_letter_o(text: str):
    factories.debt(balance="100", external_reference="INV-2026-0042")
    assert booked(receipt(10, text)) == [("payment", 10)]


@pytest.mark.parametrize("text", ["INV-2026-0043", "42", "thank you", "INV 2026 00421", "Doe"])
def test_a_reference_of_no_debt_waits(text: str):
    debt = factories.debt(balance="100", external_reference="INV-2026-0042")
    came = receipt(100, text)
    assert (reason(came), booked(came)) == ("unknown", [])
    assert balance(debt) == 100
    assert no_difference()


def test_a_short_reference_is_matched_as_a_whole_and_not_inside_a_text():
    factories.debt(balance="100", external_reference="12")
    assert booked(receipt(10, " 12 ")) == [("payment", 10)]
    assert reason(receipt(10, "flat 12, May")) == "unknown"


def test_an_amount_alone_never_books():
    factories.debt(balance="123.45")
    came = receipt("123.45")
    assert reason(came) == "no_reference"
    assert no_difference()


def test_a_reference_that_fits_two_people_waits_unless_it_is_exactly_one_of_them():
    first = factories.debt(balance="100", external_reference="AB100200")
    factories.debt(balance="100", external_reference="ABI00200", original_creditor="Other")
    factories.debt(balance="100", external_reference="ABIOO2OO", original_creditor="Third")
    assert reason(receipt(10, "ABI-00200 or ABIOO2OO")) == "ambiguous"
    came = receipt(10, "AB100200")
    assert booked(came) == [("payment", 10)]
    assert balance(first) == 90
    assert booked(receipt(10, "ABIOO2OO")) == [("payment", 10)]


def test_one_transfer_pays_several_debts_of_one_person_and_the_rest_is_credit():
    debtor = factories.debtor()
    older = factories.debt(debtor=debtor, balance="100", external_reference="A-100001", due_date=date(2026, 1, 5))
    newer = factories.debt(debtor=debtor, balance="50", external_reference="A-100002", due_date=date(2026, 1, 9))
    came = receipt(170, "A-100002 and A-100001")
    assert booked(came) == [("payment", 100), ("payment", 50), ("credit", 20)]
    assert (balance(older), balance(newer)) == (0, 0)
    assert funding.balance(Credit.objects.get()) == 20
    assert no_difference()


def test_one_transfer_pays_what_is_due_then_the_oldest_and_never_a_disputed_debt():
    debtor, text = factories.debtor(), "A-100001 A-100002 A-100003 A-100004"
    later = TODAY + timedelta(days=9)

    def debt(number: int, **values: Any) -> Debt:
        return factories.debt(debtor=debtor, balance="100", external_reference=f"A-10000{number}", **values)

    not_due = debt(1, placement_date=date(2026, 1, 1), due_date=later)
    newer = debt(2, placement_date=date(2026, 1, 1), due_date=date(2026, 1, 9))
    older = debt(3, placement_date=date(2026, 1, 5), due_date=None)
    disputed = debt(4, placement_date=date(2026, 1, 1), due_date=date(2026, 1, 1))
    factories.dispute(debt=disputed)
    came = receipt(150, text)
    assert [balance(each) for each in (older, newer, not_due, disputed)] == [0, 50, 100, 100]
    assert reason(came) is None
    came = receipt(170, text)
    assert booked(came) == [("payment", 50), ("payment", 100)]
    assert (reason(came), funding.rest(came)) == ("disputed", 20)
    assert no_difference()


def test_of_several_debts_the_disputed_part_of_one_takes_nothing():
    debtor = factories.debtor()
    older, newer = (
        factories.debt(debtor=debtor, balance="100", external_reference=f"A-10000{day}", due_date=date(2026, 1, day))
        for day in (1, 2)
    )
    factories.dispute(debt=older, portion=Decimal(60))
    assert reason(receipt(141, "A-100001 A-100002")) == "disputed"
    assert booked(receipt(120, "A-100001 A-100002")) == [("payment", 40), ("payment", 80)]
    assert (balance(older), balance(newer)) == (60, 20)


def test_the_creditor_of_a_receipt_narrows_its_reference():
    factories.debt(balance="100", external_reference="X-100001", original_creditor="One")
    two = factories.debt(balance="100", external_reference="X-100001", original_creditor="Two")
    assert reason(receipt(10, "X-100001")) == "ambiguous"
    assert booked(receipt(10, "X-100001", creditor=two.creditor)) == [("payment", 10)]
    assert balance(two) == 90


def test_what_arrives_for_a_paid_debt_is_credit():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    posting.record(debt=debt, amount=Decimal(100), by=None, today=TODAY)
    assert booked(receipt(30, "INV-100001")) == [("credit", 30)]
    assert no_difference()


@pytest.mark.parametrize("status", ["settled", "written_off", "recalled"])
def test_what_arrives_for_a_closed_debt_waits(status: str):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    debts.amend(debt, current_status=status, by=None, today=TODAY)
    came = receipt(30, "INV-100001")
    assert (reason(came), booked(came)) == (status, [])
    assert no_difference()


def test_a_recalled_debt_gives_way_to_the_one_that_took_its_reference():
    old = factories.debt(balance="100", external_reference="INV-100001")
    debts.amend(old, current_status="recalled", by=None, today=TODAY)
    new = factories.debt(balance="100", external_reference="INV-100001")
    assert booked(receipt(30, "INV-100001")) == [("payment", 30)]
    assert balance(new) == 70


@pytest.mark.parametrize(("portion", "amount", "waits"), [(None, 10, True), (60, 40, False), (60, 41, True)])
def test_the_disputed_part_of_a_debt_takes_nothing(portion: int | None, amount: int, waits: bool):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    factories.dispute(debt=debt, portion=portion and Decimal(portion))
    assert reason(receipt(amount, "INV-100001")) == ("disputed" if waits else None)


@pytest.mark.parametrize(("hold", "expected"), [("deceased", "deceased"), ("bankruptcy", "bankrupt"), ("cease", None)])
def test_money_for_a_person_who_died_or_is_bankrupt_waits(hold: str, expected: str | None):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    holds.open_hold(reason=hold, debtor=debt.debtor, source="Letter", by=factories.agent(), now=NOW)
    assert reason(receipt(10, "INV-100001")) == expected


def test_money_in_another_currency_waits():
    factories.debt(balance="100", external_reference="INV-100001")
    assert reason(receipt(10, "INV-100001", currency_code="EUR")) == "other_currency"


def test_a_receipt_is_recorded_once_per_provider_and_id():
    receipt(10, provider="A", provider_id="1")
    with pytest.raises(receipts.AlreadyRecorded):
        receipt(10, provider="A", provider_id="1")
    receipt(10, provider="B", provider_id="1")
    receipt(10, provider="A", provider_id=None)
    receipt(10, provider="A", provider_id=None)
    assert Receipt.objects.count() == 4


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"amount": Decimal("1.001")}, BadAmount),
        ({"value_date": date(1800, 1, 1)}, ImplausibleDate),
        ({"value_date": TODAY + timedelta(days=3)}, posting.PaidInFuture),
    ],
)
def test_a_receipt_that_cannot_be_is_refused(values: dict, error: type[Exception]):
    with pytest.raises(error):
        receipt(**{"amount": 1, **values})
    assert not Receipt.objects.exists()


def test_an_agent_books_parts_and_the_rest_waits():
    first, second = factories.debt(balance="100"), factories.debt(balance="50")
    came, agent = receipt(120), factories.agent("Agent")
    made = receipts.book(came, [Line(first, Decimal(70)), Line(second, Decimal(40))], by=agent, today=TODAY, now=NOW)
    assert [one.amount for one in made] == [70, 40]
    assert (balance(first), balance(second)) == (30, 10)
    assert reason(came) == "no_reference"
    with pytest.raises(funding.ExceedsReceipt):
        receipts.book(came, [Line(first, Decimal(11))], by=agent, today=TODAY, now=NOW)
    receipts.book(came, [Line(second, Decimal(10), to_credit=True)], by=agent, today=TODAY, now=NOW)
    assert reason(came) is None
    assert no_difference()


def test_one_key_books_what_is_open_and_the_rest_to_credit_and_the_second_agent_learns_who_did():
    debt, came, agent = factories.debt(balance="100"), receipt(130), factories.agent("Agent", first_name="Mia")
    receipts.book_to(came, debt, by=agent, today=TODAY, now=NOW)
    assert booked(came) == [("payment", 100), ("credit", 30)]
    with pytest.raises(receipts.NothingLeft, match=r"Mia No\d+ booked it at 12:00 UTC"):
        receipts.book_to(came, debt, by=factories.agent(), today=TODAY, now=NOW)
    assert no_difference()


def test_a_refused_booking_leaves_nothing():
    debt, came = factories.debt(balance="100"), receipt(500)
    with pytest.raises(ledger.ExceedsBalance):
        receipts.book(came, [Line(debt, Decimal(100)), Line(debt, Decimal(1))], by=None, today=TODAY, now=NOW)
    assert (balance(debt), booked(came), reason(came)) == (100, [], "no_reference")
    with pytest.raises(posting.CurrencyMismatch):
        receipts.book_to(came, factories.debt(currency_code="EUR"), by=None, today=TODAY, now=NOW)
    assert no_difference()


def test_an_undo_is_a_reversal_and_the_money_waits_again():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    came = receipt(130, "INV-100001")
    payment, credit = came.allocations.order_by("created_at", "id")
    supervisor = factories.agent()
    receipts.undo(payment, by=supervisor, today=TODAY, now=NOW)
    receipts.undo(credit, by=supervisor, today=TODAY, now=NOW)
    assert (balance(debt), booked(came), reason(came)) == (100, [], "undone")
    assert ReceiptAllocation.objects.count() == 4
    for one in (payment, credit):
        with pytest.raises(receipts.AlreadyReversed):
            receipts.undo(one, by=supervisor, today=TODAY, now=NOW)
    receipts.book_to(came, debt, by=supervisor, today=TODAY, now=NOW)
    assert no_difference()


def test_an_agent_does_not_undo():
    factories.debt(balance="100", external_reference="INV-100001")
    made = receipt(10, "INV-100001").allocations.get()
    with pytest.raises(Forbidden):
        receipts.undo(made, by=factories.agent("Agent"), today=TODAY, now=NOW)
    assert Payment.objects.count() == 1


def test_a_credit_that_was_used_is_not_undone():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    made = receipt(130, "INV-100001").allocations.get(kind="credit")
    other = factories.debt(debtor=debt.debtor, balance="20")
    credits.apply(Credit.objects.get(), debt=other, amount=Decimal(20), by=None, today=TODAY, now=NOW)
    with pytest.raises(funding.ExceedsCredit):
        receipts.undo(made, by=None, today=TODAY, now=NOW)
    assert no_difference()


def test_a_voided_payment_puts_its_money_back_into_suspense():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    came = receipt(10, "INV-100001")
    posting.void(Payment.objects.get(), by=None, today=TODAY)
    assert (balance(debt), reason(came)) == (100, "undone")
    assert no_difference()


@pytest.mark.parametrize("change", [{"amount": Decimal(5)}, {"status": "failed"}, {"status": "refunded"}])
def test_the_amount_of_a_payment_from_a_receipt_is_not_changed(change: dict):
    factories.debt(balance="100", external_reference="INV-100001")
    receipt(10, "INV-100001")
    with pytest.raises(funding.IsFunded):
        posting.amend(Payment.objects.get(), by=None, today=TODAY, **change)
    assert no_difference()


def test_a_payment_from_a_receipt_moves_to_another_debt():
    debt, other = factories.debt(balance="100", external_reference="INV-100001"), factories.debt(balance="100")
    receipt(10, "INV-100001")
    posting.amend(Payment.objects.get(), by=None, today=TODAY, debt=other)
    assert (balance(debt), balance(other)) == (100, 90)
    assert no_difference()


def test_a_charge_back_on_a_recalled_debt_is_due_from_the_creditor_until_the_creditor_pays():
    debt = factories.debt(balance="100")
    payment = posting.record(debt=debt, amount=Decimal(30), by=None, today=TODAY)
    debts.amend(debt, current_status="recalled", by=None, today=TODAY)
    due = creditor_dues.record(payment, amount=Decimal(30), value_date=TODAY, by=None, now=NOW)
    assert (due.amount, reason(due), due.creditor) == (-30, "due_from_creditor", debt.creditor)
    assert no_difference()
    part = receipt(20, source="creditor", creditor=debt.creditor)
    creditor_dues.set_off(part, due, by=None, now=NOW)
    assert (reason(part), reason(due), funding.rest(due)) == (None, "due_from_creditor", -10)
    whole = receipt(15, source="creditor", creditor=debt.creditor)
    creditor_dues.set_off(whole, due, by=None, now=NOW)
    assert (reason(whole), funding.rest(whole), reason(due)) == ("no_reference", 5, None)
    assert no_difference()
    receipts.undo(part.allocations.get(), by=None, today=TODAY, now=NOW)
    assert (reason(part), funding.rest(part), reason(due), funding.rest(due)) == (
        "undone",
        20,
        "due_from_creditor",
        -20,
    )
    assert no_difference()


def test_a_charge_back_of_a_payment_on_a_recalled_debt_posts_nothing_and_is_due_once():
    debt = factories.debt(balance="100")
    payment = posting.record(debt=debt, amount=Decimal(30), by=None, today=TODAY)
    debts.amend(debt, current_status="recalled", by=None, today=TODAY)
    entries = debt.ledger_entries.count()
    returned = returns.charge_back(payment, by=None, now=NOW, today=TODAY, amount=Decimal(20))
    assert (returned.status, returned.charged_back_at, debt.ledger_entries.count()) == ("completed", NOW, entries)
    due = Receipt.objects.get()
    assert (due.amount, reason(due), due.payment_id) == (-20, "due_from_creditor", payment.pk)
    with pytest.raises(returns.ExceedsPayment):
        returns.charge_back(payment, by=None, now=NOW, today=TODAY, amount=Decimal(11))
    assert no_difference()


def test_a_charge_back_takes_money_of_its_creditor_only():
    debt = factories.debt(balance="100")
    payment = posting.record(debt=debt, amount=Decimal(30), by=None, today=TODAY)
    due = creditor_dues.record(payment, amount=Decimal(30), value_date=TODAY, by=None, now=NOW)
    for wrong in (receipt(30, creditor=factories.creditor("Other")), receipt(30, currency_code="EUR")):
        with pytest.raises(creditor_dues.WrongCounterpart):
            creditor_dues.set_off(wrong, due, by=None, now=NOW)
    assert no_difference()


@pytest.mark.parametrize("model", [Receipt, ReceiptAllocation, Credit, CreditEntry])
def test_the_database_keeps_the_rows_as_they_are(model: Any):
    factories.debt(balance="100", external_reference="INV-100001")
    receipt(110, "INV-100001")
    for change in (
        lambda: model.objects.update(created_at=NOW + timedelta(days=1)),
        lambda: model.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(Exception, match=r"never changed|permission denied"), transaction.atomic():
            change()


def test_a_receipt_is_positive_and_a_charge_back_negative():
    for source, amount in (("bank", -1), ("bank", 0), ("chargeback", 1)):
        with pytest.raises(IntegrityError, match="receipt_is_money_in"), transaction.atomic():
            Receipt.objects.create(source=source, amount=amount, currency_code="GBP", value_date=TODAY)


def test_every_check_finds_its_fault():
    """Each fault is written past the domain functions."""
    factories.debt(balance="100", external_reference="INV-100001")
    came = receipt(110, "INV-100001")
    waits = receipt(10)
    assert no_difference()
    payment = Payment.objects.get()
    faults = {
        "what is booked of a receipt is at most its amount": lambda: ReceiptAllocation.objects.create(
            receipt=came, kind="payment", amount=1, payment_id=payment.pk
        ),
        "a receipt is in suspense while something of it is left": lambda: Suspense.objects.filter(
            receipt=waits
        ).delete(),
        "a payment has what its receipts and credits gave": lambda: Payment.objects.update(amount=99),
        "a credit is the sum of its entries and not negative": lambda: CreditEntry.objects.create(
            credit=Credit.objects.get(), kind="applied", amount=-11, payment_id=payment.pk
        ),
        "a credit has what receipts gave it": lambda: ReceiptAllocation.objects.create(
            receipt=waits, kind="credit", amount=1, credit=Credit.objects.get()
        ),
        "an undone allocation mirrors the one that it undoes": lambda: ReceiptAllocation.objects.create(
            receipt=came,
            kind="payment",
            amount=-1,
            payment_id=payment.pk,
            reverses=came.allocations.get(kind="payment"),
        ),
        "a reversal in a credit mirrors its entry": lambda: CreditEntry.objects.create(
            credit=Credit.objects.get(), kind="reversal", amount=-1, reverses=CreditEntry.objects.get()
        ),
        "a refund has taken its amount, and a rejected one has put it back": lambda: Refund.objects.create(
            receipt=came, amount=1, currency_code="GBP", reason="x"
        ),
        "what came in is in payments, credits, refunds and suspense": lambda: Payment.objects.update(amount=99),
    }
    assert set(faults) == set(receipts_checks.CHECKS)
    for check, fault in faults.items():
        start = transaction.savepoint()
        fault()
        assert check in {found.check for found in reconciliation.differences()}, check
        transaction.savepoint_rollback(start)
