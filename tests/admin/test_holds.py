"""Holds are placed from a debtor's or a debt's page, and approved, moved, reviewed and ended on their own."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from collection.holds import holds
from collection.models import Debt, Hold
from debtors.models import Debtor
from tests import factories
from tests.admin.conftest import Browser, address, errors, said, staff


def place(**values: Any) -> Hold:
    if "debt" not in values:
        values.setdefault("debtor", factories.debtor())
    return holds.open_hold(**{"reason": "vulnerable", "source": "A call", "by": staff("Agent"), "now": now()} | values)


def action(hold: Hold, name: str) -> str:
    return f"/admin/collections/hold/{hold.pk}/{name}/"


def fresh(hold: Hold) -> Hold:
    return Hold.objects.get(pk=hold.pk)


def test_an_agent_opens_a_hold_from_the_page_of_a_debt(agent_at_desk: Browser):
    debt = factories.debt()
    add = f"{address(Hold, 'add')}?debt={debt.pk}"
    assert add in agent_at_desk.get(address(Debt, "change", debt.pk), panel="requests").content.decode()
    assert str(debt.pk) in agent_at_desk.get(add).content.decode()
    fields = {"debt": debt.pk, "reason": "complaint", "source": "Letter of today", "why": "About the fees."}
    answer = agent_at_desk.post(address(Hold, "add"), fields)
    assert answer.status_code == 302, errors(answer)
    hold = Hold.objects.get()
    assert (hold.debt, hold.by, hold.approved_by) == (debt, agent_at_desk.agent, None)
    assert hold.events.get().why == "About the fees."
    assert "Complaint" in agent_at_desk.get(address(Debt, "change", debt.pk), panel="requests").content.decode()


def test_a_refusal_is_shown_at_its_field(agent_at_desk: Browser):
    debt = factories.debt()
    both = {"debt": debt.pk, "debtor": debt.debtor_id, "reason": "complaint", "source": "x"}
    assert "debtor" in errors(agent_at_desk.post(address(Hold, "add"), both))
    less = {"debtor": debt.debtor_id, "reason": "moratorium", "source": "x", "blocks": ["contact"]}
    assert "blocks" in errors(agent_at_desk.post(address(Hold, "add"), less))
    by_hand = {"debtor": debt.debtor_id, "reason": "deferral", "source": "x"}
    assert "reason" in errors(agent_at_desk.post(address(Hold, "add"), by_hand))
    assert not Hold.objects.exists()


def test_a_debtors_page_shows_the_holds_on_them_and_on_their_debts(agent_at_desk: Browser):
    debt = factories.debt()
    place(debtor=debt.debtor, reason="attorney")
    place(debt=debt, reason="complaint")
    content = agent_at_desk.get(address(Debtor, "change", debt.debtor_id), panel="requests").content.decode()
    assert "Attorney" in content
    assert "Complaint" in content
    assert f"{address(Hold, 'add')}?debtor={debt.debtor_id}" in content


def test_a_supervisor_approves_and_the_page_shows_the_history(supervisor_at_desk: Browser):
    hold = place(why="They cried.")
    supervisor_at_desk.post(action(hold, "approve"), {"why": "Agreed."})
    assert fresh(hold).approved_by == supervisor_at_desk.agent
    content = supervisor_at_desk.get(address(Hold, "change", hold.pk)).content.decode()
    for words in ("They cried.", "Agreed.", str(hold.by), str(supervisor_at_desk.agent)):
        assert words in content
    assert action(hold, "approve") not in content


def test_holds_are_approved_in_bulk(supervisor_at_desk: Browser):
    first, second, needless = place(), place(), place(reason="cease")
    told = said(supervisor_at_desk.act("approve_selected", [first, second, needless]))
    assert told[0] == "2 holds approved."
    assert "needs no approval" in told[1]


def test_a_hold_is_moved_reviewed_and_ended_with_a_reason(supervisor_at_desk: Browser):
    hold, day = place(), now().date() + timedelta(days=20)
    assert errors(supervisor_at_desk.post(action(hold, "move"), {"ends_on": day, "why": ""})) == {
        "why": ["This field is required."]
    }
    assert fresh(hold).ends_on is None
    supervisor_at_desk.post(action(hold, "move"), {"ends_on": day, "why": "Until they are well."})
    assert fresh(hold).ends_on == day
    supervisor_at_desk.post(action(hold, "review_it"), {"review_on": day, "why": "Still ill."})
    assert fresh(hold).review_on == day
    supervisor_at_desk.post(action(hold, "end"), {"why": "They are well."})
    assert fresh(hold).ended_by == supervisor_at_desk.agent
    assert [event.kind for event in hold.events.order_by("at")] == ["opened", "moved", "reviewed", "ended"]
    assert supervisor_at_desk.get(action(hold, "end")).status_code == 403


def test_the_end_of_treatment_is_entered_by_its_last_day(supervisor_at_desk: Browser):
    hold, day = place(reason="mental_health_moratorium"), now().date()
    supervisor_at_desk.post(action(hold, "end_treatment"), {"last_day": day, "why": "The adviser wrote."})
    assert fresh(hold).ends_on == day + timedelta(days=31)


@pytest.mark.parametrize(("state", "expected"), [("review", 1), ("waiting", 2), ("active", 3), ("ended", 0)])
def test_the_list_is_filtered_by_state(agent_at_desk: Browser, state: str, expected: int):
    place(review_on=now().date())
    place(starts_on=now().date() + timedelta(days=9))
    place(reason="cease", review_on=now().date() + timedelta(days=9))
    assert agent_at_desk.list(Hold, state=state).context["cl"].result_count == expected


@pytest.mark.parametrize("name", ["approve", "end"])
def test_an_agent_may_neither_approve_nor_end(agent_at_desk: Browser, name: str):
    hold = place()
    assert agent_at_desk.post(action(hold, name), {"why": "I like."}).status_code == 403
    assert (fresh(hold).approved_by, fresh(hold).ended_at) == (None, None)
