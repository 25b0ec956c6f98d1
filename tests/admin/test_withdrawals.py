"""A Supervisor withdraws queued messages from the page of a rule, a run, a creditor or a debtor."""

from typing import Any

import pytest
from django.utils.timezone import now

from communications.models import CommunicationLog
from creditors.models import Creditor
from debtors.models import Debtor
from strategy.models import StrategyRule, StrategyRun
from tests.admin.conftest import Browser, address, said
from tests.strategy import makers

pytestmark = pytest.mark.django_db


def rows() -> dict[Any, Any]:
    """Queue a message, and send another one of the same rule, run, creditor and debtor."""
    rule = makers.rule()
    debt = makers.due_debt(rule)
    makers.due_debt(rule, debtor=debt.debtor)
    run = makers.run()
    sent = CommunicationLog.objects.order_by("pk")[0]
    CommunicationLog.objects.filter(pk=sent.pk).update(status="sent", due_at=None, created_at=now())
    return {StrategyRule: rule, StrategyRun: run, Creditor: debt.creditor, Debtor: debt.debtor}


def page(model: Any, row: Any) -> str:
    return address(model, "change", row.pk).removesuffix("change/") + "withdraw_messages/"


@pytest.mark.parametrize("model", [StrategyRule, StrategyRun, Creditor, Debtor])
def test_the_page_tells_what_will_be_stopped_and_what_will_not(supervisor_at_desk: Browser, model: Any):
    row = rows()[model]
    url = page(model, row)
    asked = supervisor_at_desk.get(url).content.decode()
    assert "Messages that will be withdrawn: 1." in asked
    assert "cannot be stopped: 1 sent." in asked
    assert CommunicationLog.objects.filter(status="queued").count() == 1

    assert supervisor_at_desk.post(url, {"reason": " "}).status_code == 200
    assert CommunicationLog.objects.filter(status="queued").count() == 1
    answer = supervisor_at_desk.post(url, {"reason": "Wrong text"}, follow=True)

    assert "Messages that were withdrawn: 1." in said(answer)[0]
    blocked = CommunicationLog.objects.get(status="blocked")
    assert blocked.failure_reason == f"withdrawn: Withdrawn by {supervisor_at_desk.agent}: Wrong text"


@pytest.mark.parametrize("model", [StrategyRule, StrategyRun, Creditor, Debtor])
def test_an_agent_is_not_offered_it_and_is_refused(agent_at_desk: Browser, model: Any):
    row = rows()[model]
    assert "withdraw_messages" not in agent_at_desk.get(address(model, "change", row.pk)).content.decode()
    assert agent_at_desk.post(page(model, row), {"reason": "x"}).status_code in (302, 403)
    assert not CommunicationLog.objects.filter(status="blocked").exists()
