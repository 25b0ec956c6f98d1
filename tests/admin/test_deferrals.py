"""Deferral requests are decided in the back office, one by one and in bulk."""

from datetime import timedelta
from typing import Any

import pytest

from collection import debts, deferrals
from collection.models import Debt, DeferralRequest, Hold
from communications.models import CommunicationLog
from tests import factories
from tests.admin.conftest import NOW, Browser, address, errors, said, staff

APPROVE, REJECT = "collections_deferralrequest_approve", "collections_deferralrequest_reject"


def ask(debt: Debt | None = None, **values: Any) -> DeferralRequest:
    debt = debt or factories.debt()
    return deferrals.request(
        debt, **{"debtor": debt.debtor, "days": 30, "reason": "I need more time.", "now": NOW} | values
    )


def status(asked: DeferralRequest) -> str:
    asked.refresh_from_db()
    return asked.status


def page(asked: DeferralRequest) -> str:
    return address(DeferralRequest, "change", asked.pk)


def test_pending_requests_come_first_with_the_facts_for_a_decision(agent_at_desk: Browser):
    debt = factories.debt(currency_code="JPY")
    first = ask(debt)
    deferrals.reject(first, by=staff("Supervisor"), notes="No.", now=NOW)
    waiting = ask(debt, now=NOW + timedelta(days=1), reason="My salary comes on the 28th. " * 10)
    later = ask(now=NOW + timedelta(days=2))
    answer = agent_at_desk.list(DeferralRequest)
    rows = answer.context["cl"].result_list
    assert rows == [waiting, later, first]
    assert [row.earlier for row in rows] == [1, 0, 0]
    content = answer.content.decode()
    assert "1000 JPY" in content
    assert "My salary comes on the 28th. My salary" in content
    assert waiting.reason not in content


def test_a_request_is_approved_on_its_page(agent_at_desk: Browser):
    asked = ask()
    assert APPROVE in agent_at_desk.get(page(asked)).content.decode()
    assert agent_at_desk.post(page(asked), {"review_notes": "Fine.", APPROVE: "1"}).status_code == 302
    assert status(asked) == "approved"
    assert (asked.review_notes, asked.reviewer) == ("Fine.", agent_at_desk.agent)
    asked.debt.refresh_from_db()
    assert asked.debt.current_status == "deferred"
    assert Hold.objects.filter(debt=asked.debt).count() == 1
    assert CommunicationLog.objects.filter(debt=asked.debt).count() == 1


def test_a_rejection_needs_notes(agent_at_desk: Browser):
    asked = ask()
    answer = agent_at_desk.post(page(asked), {"review_notes": " ", REJECT: "1"})
    assert errors(answer) == {"review_notes": ["Notes are required to reject a request."]}
    assert status(asked) == "pending"
    agent_at_desk.post(page(asked), {"review_notes": "Not again.", REJECT: "1"})
    assert status(asked) == "rejected"


@pytest.mark.parametrize("button", [APPROVE, REJECT])
def test_a_decision_is_made_once(agent_at_desk: Browser, button: str):
    asked = ask()
    other = staff("Agent")
    deferrals.approve(asked, by=other, notes=None, now=NOW)
    answer = agent_at_desk.post(page(asked), {"review_notes": "Notes.", button: "1"})
    assert errors(answer) == {"__all__": ["This request has been reviewed already."]}
    assert (status(asked), asked.reviewer) == ("approved", other)
    content = agent_at_desk.get(page(asked)).content.decode()
    assert APPROVE not in content
    assert REJECT not in content


def test_saving_without_a_decision_is_refused(agent_at_desk: Browser):
    asked = ask()
    answer = agent_at_desk.post(page(asked), {"review_notes": "Hm.", "_save": "Save"})
    assert errors(answer) == {"__all__": ["Nothing was decided. Approve or reject the request."]}
    assert status(asked) == "pending"


def test_an_auditor_sees_requests_and_may_not_review(auditor_at_desk: Browser):
    asked = ask()
    content = auditor_at_desk.get(page(asked)).content.decode()
    assert APPROVE not in content
    assert auditor_at_desk.post(page(asked), {APPROVE: "1"}).status_code == 403
    assert "approve_selected" not in auditor_at_desk.list(DeferralRequest).content.decode()
    auditor_at_desk.act("approve_selected", [asked], confirmed="yes")
    assert status(asked) == "pending"


def test_a_bulk_approval_asks_for_notes_and_reports_each_refusal(agent_at_desk: Browser):
    good, reviewed, closed = ask(), ask(), ask(factories.debt(external_reference="C1"))
    deferrals.reject(reviewed, by=staff("Supervisor"), notes="No.", now=NOW)
    Debt.objects.filter(pk=closed.debt_id).update(current_status="recalled")

    answer = agent_at_desk.act("approve_selected", [good, reviewed, closed])
    assert b"review_notes" in answer.content
    assert status(good) == "pending"

    answer = agent_at_desk.act("approve_selected", [good, reviewed, closed], confirmed="yes", review_notes="All fine.")
    told = said(answer)
    assert told[0] == "1 deferral request approved."
    assert sorted(text.split(": ")[-1] for text in told[1:]) == [
        "This debt is closed; there is nothing to defer.",
        "This request has been reviewed already.",
    ]
    assert [status(good), status(reviewed), status(closed)] == ["approved", "rejected", "pending"]
    assert good.review_notes == "All fine."


def test_a_bulk_rejection_needs_notes(agent_at_desk: Browser):
    both = [ask(), ask()]
    answer = agent_at_desk.act("reject_selected", both, confirmed="yes", review_notes="")
    assert list(answer.context["form"].errors) == ["review_notes"]
    assert [status(asked) for asked in both] == ["pending", "pending"]
    answer = agent_at_desk.act("reject_selected", both, confirmed="yes", review_notes="No.")
    assert said(answer) == ["2 deferral requests rejected."]
    assert [status(asked) for asked in both] == ["rejected", "rejected"]


def test_a_running_deferral_is_ended_early_on_its_page(agent_at_desk: Browser):
    asked = ask(factories.debt(due_date=NOW.date()))
    deferrals.approve(asked, by=staff("Supervisor"), notes=None, now=NOW)
    end = f"/admin/collections/deferralrequest/{asked.pk}/end_early/"
    assert end in agent_at_desk.get(page(asked)).content.decode()
    assert "due as before the deferral" in agent_at_desk.get(end).content.decode()
    assert agent_at_desk.post(end, {"why": ""}).status_code == 200
    assert agent_at_desk.post(end, {"why": "They have paid."}).status_code == 302
    asked.debt.refresh_from_db()
    assert (asked.debt.current_status, asked.debt.due_date) == ("active", NOW.date())
    assert end not in agent_at_desk.get(page(asked)).content.decode()


def test_a_request_closed_by_the_system_says_so(agent_at_desk: Browser):
    asked = ask()
    debts.amend(asked.debt, by=None, today=NOW.date(), current_status="settled")
    content = agent_at_desk.get(page(asked)).content.decode()
    assert "The debt was closed before a decision." in content
    assert "System" in content
