"""The search of the back office finds people as agents and callers write and say them, at any size of the tables."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin

from collection import search
from collection.models import Debt, DeferralRequest, Dispute
from communications.models import CommunicationLog, InboundMessage
from debtors import search as people
from debtors.models import ContactPoint, Debtor
from payments import posting
from payments.models import Payment
from tests import factories
from tests.admin.conftest import NOW, Browser, fill

pytestmark = pytest.mark.django_db

#: What is typed, and the fields of the debtor that it finds.
PEOPLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Smith Mary", {"first_name": "Mary", "last_name": "Smith"}),
    ("Smith, Mary", {"first_name": "Mary", "last_name": "Smith"}),
    ("mary smith", {"first_name": "Mary", "last_name": "Smith"}),
    ("MARY", {"first_name": "Mary", "last_name": "Smith"}),
    ("jean luc", {"first_name": "Jean-Luc", "last_name": "Picard"}),
    ("picard jean-luc", {"first_name": "Jean-Luc", "last_name": "Picard"}),
    ("Jean\N{NON-BREAKING HYPHEN}Luc", {"first_name": "Jean-Luc", "last_name": "Picard"}),
    ("dangelo", {"first_name": "Rosa", "last_name": "D'Angelo"}),
    ("D\N{RIGHT SINGLE QUOTATION MARK}Angelo", {"first_name": "Rosa", "last_name": "D'Angelo"}),
    ("d angelo", {"first_name": "Rosa", "last_name": "D\N{RIGHT SINGLE QUOTATION MARK}Angelo"}),
    ("obrien", {"first_name": "Pat", "last_name": "O'Brien"}),
    ("ana maria", {"first_name": "Ana\N{NO-BREAK SPACE}María", "last_name": "Ruiz"}),
    ("Ana\N{NO-BREAK SPACE}María", {"first_name": "Ana María", "last_name": "Ruiz"}),
    ("lukasz", {"first_name": "Łukasz", "last_name": "Żak"}),
    ("dorde", {"first_name": "Đorđe", "last_name": "Ilić"}),
    ("igdir", {"first_name": "Can", "last_name": "Iğd\N{LATIN SMALL LETTER DOTLESS I}r"}),
    ("ipek", {"first_name": "İpek", "last_name": "Can"}),
    ("zoe", {"first_name": "Zoe\N{COMBINING DIAERESIS}", "last_name": "Quint"}),
    ("Zo\N{SOFT HYPHEN}ë", {"first_name": "Zoë", "last_name": "Quint"}),
    ("qu", {"first_name": "Zoë", "last_name": "Quint"}),
    ("李 明", {"first_name": "明", "last_name": "李"}),
    ("acme ltd", {"legal_entity": "Acme (Holdings) Ltd."}),
    ("zoe@example.org", {"email": "Zoe@Example.org"}),
    ("example.org zoe", {"email": "zoe.q@example.org"}),
    ("sw1a 1aa", {"postal_code": "SW1A 1AA"}),
    ("SW1A1AA", {"postal_code": "SW1A 1AA"}),
    ("SW1A 1AA", {"postal_code": "sw1a1aa"}),
    ("sw1a", {"postal_code": "SW1A 1AA"}),
    ("1011 ab", {"postal_code": "1011AB"}),
    ("quint 1011 ab", {"last_name": "Quint", "postal_code": "1011 AB"}),
    ("mac donald", {"last_name": "MacDonald"}),
    ("1000-001", {"postal_code": "1000-001"}),
    ("+44 7911 123456", {"mobile_phone": "+447911123456"}),
    ("+447911123456", {"mobile_phone": "+447911123456"}),
    ("07911 123 456", {"mobile_phone": "+447911123456"}),
    ("00447911123456", {"mobile_phone": "+447911123456"}),
    ("0044 7911-123456", {"mobile_phone": "+447911123456"}),
    ("447911123456", {"mobile_phone": "+447911123456"}),
    ("+44 (0)7911 123456", {"mobile_phone": "+447911123456"}),
    ("7911\N{NO-BREAK SPACE}123456", {"mobile_phone": "+447911123456"}),
    ("٠٧٩١١١٢٣٤٥٦", {"mobile_phone": "+447911123456"}),
    ("123456", {"mobile_phone": "+447911123456"}),
    ("456", {"mobile_phone": "+447911123456"}),
    ("0176 12345678", {"mobile_phone": "+4917612345678", "country_code": "DE"}),
    ("(212) 555-0142", {"mobile_phone": "+12125550142", "country_code": "US"}),
    ("+1234567890", {"mobile_phone": "+1234567890"}),
)


@pytest.mark.parametrize(("typed", "fields"), PEOPLE)
def test_a_debtor_is_found_as_people_write_and_say(typed: str, fields: dict[str, Any]):
    wanted = factories.debtor(**fields)
    factories.debtor(first_name="Hugo", last_name="Novak", email="hugo@novak.test", mobile_phone="+420601999888")
    assert search.debtors(typed) == [wanted.pk]


@pytest.mark.parametrize(
    "typed",
    [
        "smith john",
        "911",
        "5612345",
        "mith ary x",
        "'",
        "-",
        "%",
        "_",
        "\\",
        " ",
        "+",
        "00",
        "aa",
        "1aa sw1b",
        "1234567890123456",
    ],
)
def test_another_text_does_not_find_a_debtor(typed: str):
    factories.debtor(
        first_name="Mary",
        last_name="Smith",
        mobile_phone="+447911123456",
        postal_code="SW1A 1AA",
        email="m@example.org",
    )
    assert search.debtors(typed) == []


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("inv-2024/001", "INV-2024/001"),
        ("INV 2024 001", "INV-2024/001"),
        ("inv2024001", "INV-2024/001"),
        ("2024/0", "INV-2024/001"),
        ("001", "INV-2024/001"),
        ("in", "INV-2024/001"),
        ("ab 12 34", "AB1234"),
        ("100%", "100%-X"),
        ("straße", "STRASSE-1"),
    ],
)
def test_a_debt_is_found_by_its_reference_in_any_case_or_part(typed: str, reference: str):
    wanted = factories.debt(external_reference=reference)
    factories.debt(external_reference="Z-77", debtor=factories.debtor(mobile_phone=None, email="hugo@novak.test"))
    assert search.debts(typed) == [wanted.pk]
    assert search.debtors(typed) == [wanted.debtor_id]


def test_another_part_does_not_find_a_reference():
    factories.debt(external_reference="INV-2024/001")
    assert search.debts("nv") == search.debts("2023") == search.debts("_") == []


def test_a_reference_that_many_others_contain_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(people, "MAX_FOUND", 2)
    first = factories.debt(external_reference="INV-1")
    for number in range(10, 14):
        factories.debt(external_reference=f"INV-{number}")
    assert first.pk in search.debts("inv-1")


def test_the_debts_of_a_debtor_are_found_by_the_debtor():
    debtor = factories.debtor(last_name="Quint")
    owed = {factories.debt(debtor=debtor, external_reference=f"Q{number}").pk for number in range(2)}
    factories.debt()
    assert set(search.debts("quint")) == owed


def test_a_former_address_finds_its_debtor():
    debtor = factories.debtor(email="old@example.org", mobile_phone="+447911123456")
    Debtor.objects.filter(pk=debtor.pk).update(email="new@example.org", mobile_phone=None)
    assert search.debtors("OLD@example.org") == search.debtors("0044 7911 123456") == [debtor.pk]


def test_a_message_of_a_stranger_is_found_by_its_address(agent_at_desk: Browser):
    stranger = CommunicationLog.objects.create(
        communication_type="sms", status="received", direction="inbound", address="+447911123456", body="Who is this?"
    )
    fill(1)
    found = agent_at_desk.list(InboundMessage, q="0044 7911 123456").context["cl"].queryset
    assert [message.pk for message in found] == [stranger.pk]


@pytest.mark.parametrize("model", [Debtor, Debt, Payment, CommunicationLog, Dispute, DeferralRequest])
@pytest.mark.parametrize("typed", ["Quint, Zoë", "0044 7911 123456", "3456", "zq-0", "EC1A 1BB"])
def test_each_list_finds_the_records_of_a_debtor(supervisor_at_desk: Browser, model: Any, typed: str):
    debtor = factories.debtor(
        first_name="Zoë", last_name="Quint", mobile_phone="+447911123456", postal_code="EC1A 1BB", email="z@example.org"
    )
    debt = factories.debt(debtor=debtor, external_reference="ZQ-01")
    posting.record(debt=debt, amount=Decimal(1), by=supervisor_at_desk.agent, today=NOW.date())
    CommunicationLog.objects.create(debtor=debtor, debt=debt, communication_type="email", status="sent")
    factories.dispute(debt=debt)
    DeferralRequest.objects.create(debtor=debtor, debt=debt, requested_deferral_days=3, reason="x")
    fill(1)
    found = supervisor_at_desk.list(model, q=typed).context["cl"].queryset
    assert 0 < found.count() < model.objects.count()
    assert {debtor.pk} == {getattr(row, "debtor_id", None) or debtor_of(row) for row in found}


def test_an_address_is_found_by_its_debtor(agent_at_desk: Browser):
    debtor = factories.debtor(last_name="Quint")
    fill(1)
    found = agent_at_desk.list(ContactPoint, q="quint").context["cl"].queryset
    assert {point.debtor_id for point in found} == {debtor.pk}


def debtor_of(row: Any) -> Any:
    return row.pk if isinstance(row, Debtor) else row.debt.debtor_id


def test_each_list_with_a_search_box_can_be_searched(supervisor_at_desk: Browser):
    for model, page in list(admin.site._registry.items()):
        if page.search_fields:
            assert supervisor_at_desk.list(model, q="smith").status_code in (200, 403), model
