"""The template editor: a real person's values in each language, missing lines, and a test to the own address."""

from typing import Any

import pytest
from django.core import mail

from communications.models import CommunicationLog, CommunicationTemplate
from tests import factories
from tests.admin.conftest import Browser, address, said

pytestmark = pytest.mark.django_db


def page_of(template: Any) -> str:
    return address(CommunicationTemplate, "preview", template.pk)


def test_each_language_is_shown_with_the_values_of_the_person_that_was_found(agent_at_desk: Browser):
    factories.debt(balance=5)
    debt = factories.debt(balance=1000, debtor=factories.debtor(first_name="Grace", last_name="Carver"))
    english = factories.template(
        name="Hello", communication_type="sms", body="{{debtor_first_name}} owes {{debt_amount}}."
    )
    factories.template(
        name="Hello",
        language="de",
        communication_type="sms",
        body="{{agency_name}}: {{debt_amount}} STOP",
        is_active=False,
    )
    context = agent_at_desk.get(page_of(english), q="Carver, Grace").context
    assert context["debtor"] == debt.debtor
    first, second = context["variants"]
    assert "Grace owes £1,000.00." in first.text.body
    assert first.missing == ["the agency's name", "how to get no more texts (STOP)"]
    assert "STOP" in first.text.body
    assert (first.parts.segments, first.problem) == (1, "")
    assert (second.language, second.missing) == ("German", [])
    assert "1.000,00" in second.text.body
    assert not CommunicationLog.objects.exists()


def test_a_missing_value_and_a_person_that_is_not_found_are_told(agent_at_desk: Browser):
    factories.debt(due_date=None)
    template = factories.template(body="Due on {{debt_due_date}}.")
    (variant,) = agent_at_desk.get(page_of(template)).context["variants"]
    assert "no value for debt_due_date" in variant.problem
    assert "Nobody was found" in agent_at_desk.get(page_of(template), q="Nobody Such").content.decode()


def test_a_test_goes_to_the_agent_who_is_signed_in_and_to_no_debtor(agent_at_desk: Browser, auditor_at_desk: Browser):
    debt = factories.debt()
    template = factories.template(subject="About your debt", body="Hello {{debtor_first_name}}.")
    answer = agent_at_desk.post(page_of(template), {"variant": template.pk}, follow=True)
    assert "no e-mail address" in said(answer)[0]
    for desk in (agent_at_desk, auditor_at_desk):
        desk.agent.email = f"{desk.agent.pk}@agency.example"
        desk.agent.save()
    assert said(agent_at_desk.post(page_of(template), {"variant": template.pk}, follow=True)) == [
        f"The test is sent to {agent_at_desk.agent.email}."
    ]
    auditor_at_desk.post(page_of(template), {"variant": template.pk})
    agent_at_desk.post(page_of(template), {"variant": "x"})
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([agent_at_desk.agent.email], "Test: About your debt")
    assert str(debt.debtor.first_name) in str(sent.body)
    assert not CommunicationLog.objects.exists()


def test_the_editor_has_a_button_for_each_placeholder(agent_at_desk: Browser):
    page = agent_at_desk.get(address(CommunicationTemplate, "change", factories.template().pk)).content.decode()
    assert 'data-insert="{{debt_amount}}" data-into="id_body"' in page
    assert "common/insert.js" in page
