"""Bank transfers: accounts by four eyes, creditor references with check digits, and QR codes that a banking app reads."""

from decimal import Decimal
from io import BytesIO

import pytest
import qrcode
import zxingcpp
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from payments import bank_accounts, creditor_references, payable, receipts_import, transfers
from payments.models import BankAccount, Receipt
from tests import factories
from tests.conftest import Api
from tests.payments.receipts.makers import balance, booked, no_difference, reason, receipt

pytestmark = pytest.mark.django_db
IBAN = "DE89370400440532013000"


def account(**values) -> BankAccount:
    """A bank account in force."""
    fields = {"holder": "DDC Trust Account", "iban": IBAN, "bic": "COBADEFFXXX", "currency_code": "EUR", **values}
    proposed = bank_accounts.propose(BankAccount(**fields), by=factories.agent(), now=now())
    return bank_accounts.approve(proposed, by=factories.agent(), now=now())


def transfers_of(*debts, amount) -> list[transfers.Transfer]:
    found = payable.chosen(debts[0].debtor, [debt.pk for debt in debts], now=now())
    return transfers.of(found, Decimal(amount))


@pytest.mark.parametrize(
    "reference", ["RF18539007547034", "RF712348231", "RF29DDC0001234567", "RF45G72UUR", "RF6518K5"]
)
def test_check_digits_by_vectors(reference: str):
    assert creditor_references.is_valid(reference)
    assert creditor_references.with_check_digits(reference[4:]) == reference
    wrong = reference[:-1] + ("1" if reference[-1] != "1" else "2")
    assert not creditor_references.is_valid(wrong)
    for at in range(4, len(reference) - 1):
        swapped = reference[:at] + reference[at + 1] + reference[at] + reference[at + 2 :]
        assert swapped == reference or not creditor_references.is_valid(swapped)


def test_a_debt_keeps_its_reference():
    one, other = factories.debt(), factories.debt()
    first = creditor_references.of([one])
    assert creditor_references.of([one, other]) == {**first, other.pk: creditor_references.of([other])[other.pk]}
    assert creditor_references.is_valid(first[one.pk])
    assert creditor_references.spaced("RF29DDC0001234567") == "RF29 DDC0 0012 3456 7"


@pytest.mark.parametrize(
    "written",
    [
        "{0}",
        "Payment {1} thank you",
        "{2}",
        "INVOICE 4711 {3}",
        "EREF+NOTPROVIDED\nSVWZ+{4}",
    ],
    ids=["plain", "spaced", "small letters", "O for 0", "broken over lines"],
)
def test_a_transfer_is_booked_by_its_reference_however_banks_write_it(written: str):
    factories.debt(external_reference="4711999")
    debt = factories.debt(balance=100, currency_code="EUR")
    reference = creditor_references.of([debt])[debt.pk]
    forms = (
        reference,
        creditor_references.spaced(reference),
        reference.lower(),
        reference.replace("0", "O"),
        f"{reference[:9]}\n{reference[9:]}",
    )
    came = receipt(40, written.format(*forms), currency_code="EUR")
    assert (booked(came), balance(debt)) == ([("payment", 40)], 60)
    assert no_difference()


def test_a_damaged_reference_books_nothing():
    debt = factories.debt(balance=100, currency_code="EUR")
    reference = creditor_references.of([debt])[debt.pk]
    last = "1" if reference[-1] != "1" else "2"
    assert reason(receipt(40, reference[:-1] + last, currency_code="EUR")) == "unknown"


def test_a_file_is_booked_by_references():
    debt = factories.debt(balance=100, currency_code="EUR")
    reference = creditor_references.spaced(creditor_references.of([debt])[debt.pk])
    file = f"amount,currencyCode,valueDate,reference\n25.00,EUR,2026-11-02,{reference}\n".encode()
    report = receipts_import.load(BytesIO(file), provider="Trust", by=None)
    assert report.counts["booked"] == 1
    assert balance(debt) == 75


def test_an_account_needs_two_people_and_right_check_digits():
    proposer, other = factories.agent(), factories.agent()
    proposed = bank_accounts.propose(
        BankAccount(holder=" DDC  Trust ", iban="de89 3704 0044 0532 0130 00", currency_code="EUR"),
        by=proposer,
        now=now(),
    )
    assert (proposed.holder, proposed.iban, proposed.status) == ("DDC Trust", IBAN, "proposed")
    debt = factories.debt(currency_code="EUR")
    assert transfers_of(debt, amount=10) == []
    with pytest.raises(bank_accounts.OwnProposal):
        bank_accounts.approve(proposed, by=proposer, now=now())
    with pytest.raises(IntegrityError), transaction.atomic():
        BankAccount.objects.filter(pk=proposed.pk).update(decision="approved", decided_by=proposer, decided_at=now())
    bank_accounts.approve(proposed, by=other, now=now())
    with pytest.raises(bank_accounts.AlreadyDecided):
        bank_accounts.reject(proposed, by=other, now=now())
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        BankAccount.objects.filter(pk=proposed.pk).update(iban="GB33BUKB20201555555555")
    with pytest.raises(bank_accounts.BadIban):
        bank_accounts.propose(
            BankAccount(holder="x", iban=IBAN[:-1] + "1", currency_code="EUR"), by=proposer, now=now()
        )
    with pytest.raises(bank_accounts.BadBic):
        bank_accounts.propose(BankAccount(holder="x", iban=IBAN, bic="X", currency_code="EUR"), by=proposer, now=now())
    # Another account replaces it, and a creditor's own one is preferred.
    second = account(holder="New Trust")
    assert transfers_of(debt, amount=10)[0].account == second
    proposed.refresh_from_db()
    assert proposed.status == "replaced"
    own = account(creditor=debt.creditor, holder="ABC")
    assert transfers_of(debt, amount=10)[0].account == own


def read(payload: str) -> str:
    """Read the QR code as a banking app does: from a picture."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=4)
    code.add_data(payload.encode())
    (found,) = zxingcpp.read_barcodes(code.make_image().get_image())
    return found.text


def test_a_banking_app_reads_the_sample():
    sample = "\n".join(["BCD", "002", "1", "SCT", "", "DDC Trust Account", IBAN, "EUR123.45", "", "RF29DDC0001234567"])
    assert read(sample) == sample


def test_the_qr_code_has_every_field_of_the_transfer():
    account(holder="Müller & Söhne Treuhand")
    debt = factories.debt(balance=1000, currency_code="EUR")
    (transfer,) = transfers_of(debt, amount="123.45")
    fields = read(transfer.payload).split("\n")
    assert fields == [
        "BCD", "002", "1", "SCT", "COBADEFFXXX", "Müller & Söhne Treuhand", IBAN, "EUR123.45", "",
        creditor_references.of([debt])[debt.pk],
    ]  # fmt: skip
    assert transfers.qr_code(transfer.payload).startswith("<svg")
    with pytest.raises(ValueError, match="too long"):
        transfers.qr_code("x" * 332)


def test_several_debts_of_a_creditor_are_one_transfer_that_is_booked_to_all():
    account()
    first = factories.debt(balance=100, currency_code="EUR")
    second = factories.debt(balance=50, currency_code="EUR", debtor=first.debtor)
    other = factories.debt(balance=30, currency_code="EUR", debtor=first.debtor, original_creditor="Other Bank")
    found = {transfer.amount: transfer for transfer in transfers_of(first, second, other, amount=170)}
    assert set(found) == {Decimal(150), Decimal(20)}
    both = found[Decimal(150)]
    fields = read(both.payload).split("\n")
    assert fields[9:] == ["", both.text]
    assert len(both.text) <= 140
    came = receipt(150, fields[10], currency_code="EUR")
    assert sorted(booked(came)) == [("payment", 50), ("payment", 100)]
    assert (balance(first), balance(second), balance(other)) == (0, 0, 30)
    assert Receipt.objects.count() == 1
    assert no_difference()


def test_no_qr_code_outside_the_euro():
    account(currency_code="GBP", iban="GB33BUKB20201555555555", bic="")
    (transfer,) = transfers_of(factories.debt(balance=100), amount=10)
    assert (transfer.payload, transfer.amount) == ("", 10)


def test_the_transfer_of_a_debt_over_the_api(api: Api):
    debt = factories.debt(balance=100, currency_code="EUR")
    assert api.get(f"/debts/{debt.pk}/payment-reference").status_code == 409
    own = account()
    answer = api.get(f"/debts/{debt.pk}/payment-reference").json()
    assert answer == {
        "reference": creditor_references.of([debt])[debt.pk], "name": own.holder, "iban": IBAN, "bic": "COBADEFFXXX",
        "amount": "100.00", "currencyCode": "EUR", "epcQr": answer["epcQr"],
    }  # fmt: skip
    assert read(answer["epcQr"]).split("\n")[7] == "EUR100.00"
