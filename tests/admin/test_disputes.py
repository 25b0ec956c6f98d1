"""Disputes are entered in the back office, and moved on there."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from collection import disputes
from collection.models import Debt, Dispute, LedgerEntry
from contact.models import ValidationNotice
from tests import factories
from tests.admin.conftest import Browser, address, errors, said, staff

DAY = now().date()


def action(dispute: Dispute, name: str) -> str:
    return f"/admin/collections/dispute/{dispute.pk}/{name}/"


def status(dispute: Dispute) -> str:
    return Dispute.objects.get(pk=dispute.pk).status


def awaiting(**values: Any) -> Dispute:
    return disputes.ask_creditor(factories.dispute(**values), by=staff("Agent"), now=now())


def test_an_agent_enters_a_dispute_received_by_phone(agent_at_desk: Browser):
    debt = factories.debt()
    add = f"{address(Dispute, 'add')}?debt={debt.pk}"
    assert add in agent_at_desk.get(address(Debt, "change", debt.pk), panel="requests").content.decode()
    fields = {
        "debt": debt.pk, "portion": "120.50", "channel": "phone", "reason": "I sent the shoes back.",
        "received_at_0": "", "received_at_1": "", "evidence": "Receipt 17",
    }  # fmt: skip
    answer = agent_at_desk.post(address(Dispute, "add"), fields)
    assert answer.status_code == 302, errors(answer)
    dispute = Dispute.objects.get()
    assert (dispute.by, dispute.channel, dispute.portion) == (agent_at_desk.agent, "phone", Decimal("120.50"))
    debt.refresh_from_db()
    assert debt.undisputed == Decimal("879.50")


def test_a_refusal_is_shown_at_its_field(agent_at_desk: Browser):
    debt = factories.debt()
    fields = {"debt": debt.pk, "portion": "1000.01", "channel": "phone", "reason": "I sent the shoes back."}
    assert "portion" in errors(agent_at_desk.post(address(Dispute, "add"), fields))
    assert not Dispute.objects.exists()


def test_new_disputes_come_first(agent_at_desk: Browser):
    decided = disputes.withdraw(factories.dispute(), answer="By phone.", by=staff("Supervisor"), now=now())
    waiting, first, second = awaiting(), factories.dispute(), factories.dispute()
    shown = agent_at_desk.list(Dispute).context["cl"].result_list
    assert shown == [first, second, waiting, decided]


@pytest.mark.parametrize(("ends", "shown"), [(None, "no notice yet"), (DAY, "yes"), (DAY.replace(year=2020), "no")])
def test_the_list_shows_whether_it_was_received_within_the_thirty_days(agent_at_desk: Browser, ends: Any, shown: str):
    dispute = factories.dispute()
    if ends:
        ValidationNotice.objects.create(debt=dispute.debt, sent_at=now(), received_on=DAY, period_ends_on=ends)
    assert f">{shown}<" in agent_at_desk.list(Dispute).content.decode().replace("\n", "").replace(" <", "<").replace(
        "> ", ">"
    )


def test_an_agent_asks_the_creditor_and_may_not_decide(agent_at_desk: Browser):
    dispute = factories.dispute()
    agent_at_desk.post(action(dispute, "ask_creditor"))
    assert status(dispute) == "awaiting_creditor"
    for name in ("verify", "adjust", "withdraw", "recall"):
        assert agent_at_desk.post(action(dispute, name), {"answer": "x", "balance": 1}).status_code == 403
    assert status(dispute) == "awaiting_creditor"


def test_creditors_are_asked_in_bulk(agent_at_desk: Browser):
    first, asked = factories.dispute(), awaiting()
    told = said(agent_at_desk.act("ask_creditor_selected", [first, asked]))
    assert told[0] == "1 dispute waiting for the creditor."
    assert "can't be changed from awaiting creditor to awaiting creditor" in told[1]


def test_a_supervisor_adjusts_to_the_corrected_balance(supervisor_at_desk: Browser):
    dispute = awaiting()
    page = action(dispute, "adjust")
    wrong = supervisor_at_desk.post(page, {"balance": "1000", "answer": "Two fees were wrong."})
    assert errors(wrong) == {"balance": ["The corrected balance must be lower than the current one."]}
    supervisor_at_desk.post(page, {"balance": "950.25", "answer": "Two fees were wrong."})
    assert status(dispute) == "adjusted"
    assert LedgerEntry.objects.get(kind="adjustment").amount == Decimal("-49.75")


@pytest.mark.parametrize(
    ("name", "after", "debt"),
    [("verify", "verified", "active"), ("withdraw", "withdrawn", "active"), ("recall", "recalled", "recalled")],
)
def test_a_supervisor_decides(supervisor_at_desk: Browser, name: str, after: str, debt: str):
    dispute = awaiting()
    assert "answer" in errors(supervisor_at_desk.post(action(dispute, name), {"answer": ""}))
    supervisor_at_desk.post(action(dispute, name), {"answer": "The contract of May."})
    assert (status(dispute), Debt.objects.get().current_status) == (after, debt)
    assert supervisor_at_desk.get(action(dispute, name)).status_code == 403
