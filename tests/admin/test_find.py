"""The search for people, debts and payments from the home page and by Ctrl+K."""

import pytest

from collection.models import Debt
from debtors.models import Debtor
from payments.models import Payment
from tests import factories
from tests.admin.conftest import Browser, address


@pytest.fixture
def debt(db: None) -> Debt:
    debtor = factories.debtor(
        first_name="Zoë", last_name="Quint", mobile_phone="+12125550171", postal_code="10001", country_code="US"
    )
    return factories.debt(debtor=debtor, external_reference="INV-2026-01243", balance=1234, currency_code="USD")


@pytest.mark.parametrize(
    "said", ["(212) 555-0171", "212 555 0171", "1-212-555-0171", "550171", "quint, zoe", "10001", "zoe quint"]
)
def test_what_a_caller_says_opens_the_person(agent_at_desk: Browser, debt: Debt, said: str):
    factories.debt(debtor=factories.debtor(first_name="Amy", last_name="Other", mobile_phone="+12125550188"))
    answer = agent_at_desk.get("/admin/find/", q=said)
    assert answer["Location"] == address(Debtor, "change", debt.debtor_id)


@pytest.mark.parametrize("said", ["inv-2026-01243", "01243"])
def test_a_reference_opens_the_person_who_owes(agent_at_desk: Browser, debt: Debt, said: str):
    factories.debt(external_reference="INV-2026-09999")
    assert agent_at_desk.get("/admin/find/", q=said)["Location"] == address(Debtor, "change", debt.debtor_id)


@pytest.mark.parametrize("said", ["tx-7", "id"])
def test_a_payment_and_a_debt_are_found_by_their_ids(agent_at_desk: Browser, debt: Debt, said: str):
    paid = Payment.objects.create(
        debt=debt, amount=1005, currency_code="USD", payment_date="2026-01-02", processor_txn_id="tx-7"
    )
    page = agent_at_desk.get("/admin/find/", q=said if said != "id" else str(debt.pk))
    expected: list[object] = [debt] if said == "id" else [paid]
    assert [*page.context["debts"], *page.context["payments"]] == expected
    assert ("1,234.00" if said == "id" else "1,005.00") in page.content.decode()


def test_several_people_are_listed_with_what_they_owe(agent_at_desk: Browser, debt: Debt):
    factories.debtor(first_name="Ann", last_name="Quint")
    page = agent_at_desk.get("/admin/find/", q="quint")
    assert {str(row): row.owes for row in page.context["people"]} == {"Zoë Quint": "1,234.00 USD", "Ann Quint": ""}


@pytest.mark.parametrize(("said", "told"), [("nobodyhere", "Nothing was found"), ("x", "two letters"), ("", "Search")])
def test_nothing_found_says_what_to_try(agent_at_desk: Browser, said: str, told: str):
    assert told in agent_at_desk.get("/admin/find/", q=said).content.decode()


def test_ctrl_k_finds_records_before_pages(agent_at_desk: Browser, debt: Debt):
    links = [item.link for item in agent_at_desk.get("/admin/search/", s="quint", extended=1).context["found"]]
    assert links == [address(Debtor, "change", debt.debtor_id)]
    pages = agent_at_desk.get("/admin/search/", s="template", extended=1).content.decode()
    assert "/admin/communications/communicationtemplate/" in pages


def test_more_people_than_shown_lead_to_the_list(agent_at_desk: Browser):
    for number in range(21):
        factories.debtor(first_name=f"A{number}", last_name="Quint")
    page = agent_at_desk.get("/admin/find/", q="quint")
    assert len(page.context["people"]) == 20
    assert agent_at_desk.get(page.context["lists"]["people"]).context["cl"].result_count == 21
