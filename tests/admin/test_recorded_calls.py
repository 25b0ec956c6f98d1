"""Agents note a phone call on the debtor's page; the contact panel knows of it at once."""

from datetime import timedelta

import pytest
import time_machine

from collection.models import Debt
from communications.models import CommunicationLog
from ddc.common.admin.listings import Listing
from debtors.models import Debtor
from tests import factories
from tests.admin.conftest import Browser, address, errors, said
from tests.communications.conftest import NOON

PHONE = "+12015550123"
#: Noon in New Jersey.
NOW = NOON + timedelta(hours=5)


@pytest.fixture
def debt(db: None) -> Debt:
    return factories.debt(debtor=factories.debtor(country_code="US", region_state="NJ", mobile_phone=PHONE))


def page(debt: Debt) -> str:
    return f"/admin/debtors/debtor/{debt.debtor_id}/record_call/"


def listed(browser: Browser, row: Debtor | Debt) -> dict[str, Listing]:
    shown = browser.get(address(type(row), "change", row.pk), panel="contact").context["listings"]
    return {listing.title: listing for listing in shown}


def test_a_call_is_noted_from_the_debts_page_and_shows_there_on_the_debtors_and_in_the_panel(
    agent_at_desk: Browser, debt: Debt
):
    with time_machine.travel(NOW, tick=False):
        form = listed(agent_at_desk, debt)["Calls"].add
        assert form == f"{page(debt)}?debt={debt.pk}"
        asked = agent_at_desk.client.get(form).context["form"]
        assert (asked["debt"].value(), asked["number"].value()) == (str(debt.pk), PHONE)

        told = {
            "direction": "inbound",
            "debt": debt.pk,
            "number": PHONE,
            "outcome": "promise",
            "at": "2026-01-14T16:30",
        }
        answer = agent_at_desk.post(form, told, follow=True)
        of_debtor, of_debt = listed(agent_at_desk, debt.debtor), listed(agent_at_desk, debt)

    assert said(answer) == ["The call is recorded."]
    for listing in (of_debtor["Calls"], of_debt["Calls"]):
        ((when, *rest),) = listing.rows
        assert "14 Jan 2026, 16:30" in when
        assert rest == ["The debtor called us", PHONE, "the debtor promised to pay", agent_at_desk.agent]
        assert agent_at_desk.client.get(listing.more).context["cl"].result_count == 1
    by_agent = next(row for row in of_debt["May we contact now?"].rows if row[0] == "Agent call")
    assert by_agent[1].startswith("Postponed")
    assert "The last conversation was on 14 January" in by_agent[3]
    assert "12 CFR 1006.14(b)(2)(i)(B), US-REGF/" in by_agent[3]
    log = CommunicationLog.objects.get()
    assert (
        "the debtor promised to pay" in agent_at_desk.get(address(CommunicationLog, "change", log.pk)).content.decode()
    )


def test_without_a_time_it_was_just_now(agent_at_desk: Browser, debt: Debt):
    with time_machine.travel(NOW, tick=False):
        assert agent_at_desk.post(page(debt), {"direction": "outbound", "outcome": "no_answer"}).status_code == 302
    assert CommunicationLog.objects.get().begun_at == NOW


def test_what_can_not_be_is_told_at_its_field_and_not_noted(agent_at_desk: Browser, debt: Debt):
    told = {"direction": "inbound", "outcome": "right_party"}
    other = factories.debt()
    with time_machine.travel(NOW, tick=False):
        found = [
            errors(agent_at_desk.post(page(debt), told | wrong))
            for wrong in ({"at": "2026-01-14T17:01"}, {"outcome": "busy"}, {"debt": other.pk}, {"number": "x"})
        ]
    assert [list(each) for each in found] == [["at"], ["outcome"], ["debt"], ["number"]]
    assert not CommunicationLog.objects.exists()


def test_an_auditor_notes_nothing_and_is_offered_nothing(auditor_at_desk: Browser, debt: Debt):
    assert listed(auditor_at_desk, debt)["Calls"].add is None
    assert auditor_at_desk.post(page(debt), {"direction": "inbound", "outcome": "promise"}).status_code == 403
    assert not CommunicationLog.objects.exists()
