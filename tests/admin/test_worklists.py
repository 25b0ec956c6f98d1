"""What waits for an agent: calls to be made, and messages that nobody has read."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
import time_machine

from communications.models import CallTask, CommunicationLog, InboundMessage
from debtors.models import ContactPoint
from tests import factories
from tests.admin.conftest import Browser, address, errors, said

#: Noon in London, on a working day.
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
PHONE, SCRIPT = "+447700900001", "You owe ABC 1,000 pounds."


@pytest.fixture
def task() -> CallTask:
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))
    made = CommunicationLog.objects.create(
        debtor=debt.debtor, debt=debt, communication_type="call_script", status="sent", sent_at=NOON, address=PHONE,
        body=SCRIPT,
    )  # fmt: skip
    return cast(CallTask, CallTask.objects.get(pk=made.pk))


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def test_number_and_script_show_once_the_call_is_begun(agent_at_desk: Browser, task: CallTask):
    page = address(CallTask, "change", task.pk)
    with at(NOON):
        before = agent_at_desk.get(page).content.decode()
        answer = agent_at_desk.post(f"/admin/communications/calltask/{task.pk}/begin/", {"csrf": "x"}, follow=True)

    assert SCRIPT not in before
    assert "Shown when the call is begun" in before
    assert said(answer) == ["You may call now."]
    assert SCRIPT in answer.content.decode()
    assert PHONE in answer.content.decode()
    task.refresh_from_db()
    assert task.begun_by == agent_at_desk.agent


def test_a_call_at_night_is_not_begun_and_says_why(agent_at_desk: Browser, task: CallTask):
    with at(NOON + timedelta(hours=11)):
        page = agent_at_desk.get(address(CallTask, "change", task.pk)).content.decode()
        answer = agent_at_desk.post(f"/admin/communications/calltask/{task.pk}/begin/", {"csrf": "x"}, follow=True)

    assert "allowed is" in page
    (words,) = said(answer)
    assert words.startswith("The call must wait. outside_window")
    assert SCRIPT not in answer.content.decode()
    task.refresh_from_db()
    assert task.begun_at is None


def test_what_must_not_be_called_leaves_the_list(agent_at_desk: Browser, task: CallTask):
    ContactPoint.objects.filter(value=PHONE).update(
        calls_opted_out_at=NOON
    )  # past the rule, which takes calls back at once
    with at(NOON):
        answer = agent_at_desk.post(f"/admin/communications/calltask/{task.pk}/begin/", {"csrf": "x"}, follow=True)
        assert "The call is not allowed and was withdrawn" in said(answer)[0]
        assert agent_at_desk.list(CallTask).context["cl"].result_count == 0
        assert agent_at_desk.list(CallTask, done="yes").context["cl"].result_count == 1


def test_of_a_call_that_nobody_began_there_is_only_that_it_was_not_made(agent_at_desk: Browser, task: CallTask):
    page = f"/admin/communications/calltask/{task.pk}/finish/"
    assert errors(agent_at_desk.post(page, {"outcome": "promise"})) == {
        "outcome": ["Select a valid choice. promise is not one of the available choices."]
    }
    task.refresh_from_db()
    assert task.outcome is None

    assert agent_at_desk.post(page, {"outcome": "not_called", "notes": "They had paid"}).status_code == 302
    task.refresh_from_db()
    assert task.outcome == "not_called"


def test_an_outcome_is_entered_once(agent_at_desk: Browser, task: CallTask):
    page = f"/admin/communications/calltask/{task.pk}/finish/"
    CallTask.objects.update(begun_at=NOON, begun_by=agent_at_desk.agent)
    assert agent_at_desk.post(page, {"outcome": "promise", "notes": "On Friday"}).status_code == 302
    task.refresh_from_db()
    assert (task.outcome, task.outcome_notes, task.outcome_by) == ("promise", "On Friday", agent_at_desk.agent)
    assert b"has an outcome already" in agent_at_desk.post(page, {"outcome": "busy"}).content
    assert agent_at_desk.list(CallTask).context["cl"].result_count == 0


@pytest.fixture
def reply() -> InboundMessage:
    debtor = factories.debtor(mobile_phone=PHONE)
    asked = CommunicationLog.objects.create(
        debtor=debtor,
        communication_type="sms",
        status="sent",
        sent_at=NOON,
        created_at=NOON,
        address=PHONE,
        body="Please pay",
    )
    for number, words in enumerate(("When?", "Tell me"), start=1):
        made = CommunicationLog.objects.create(
            debtor=debtor, communication_type="sms", status="received", direction="inbound", address=PHONE, body=words,
            in_reply_to=asked, created_at=NOON + timedelta(minutes=number),
        )  # fmt: skip
    return cast(InboundMessage, InboundMessage.objects.get(pk=made.pk))


def test_what_nobody_has_read_is_listed_until_somebody_has(agent_at_desk: Browser, reply: InboundMessage):
    assert agent_at_desk.list(InboundMessage).context["cl"].result_count == 2

    answer = agent_at_desk.post(
        f"/admin/communications/inboundmessage/{reply.pk}/mark_read/", {"csrf": "x"}, follow=True
    )
    assert said(answer) == ["The message is marked as read."]

    assert [row.body for row in agent_at_desk.list(InboundMessage).context["cl"].result_list] == ["When?"]
    assert agent_at_desk.list(InboundMessage, read="yes").context["cl"].result_count == 1
    assert agent_at_desk.list(InboundMessage, read="all").context["cl"].result_count == 2
    reply.refresh_from_db()
    assert reply.read_by == agent_at_desk.agent
    again = agent_at_desk.post(f"/admin/communications/inboundmessage/{reply.pk}/mark_read/", {"csrf": "x"})
    assert b"may have been marked as read already" in again.content


def test_many_are_marked_as_read_at_once(agent_at_desk: Browser, reply: InboundMessage):
    answer = agent_at_desk.act("mark_read_selected", InboundMessage.objects.all())
    assert said(answer) == ["2 inbound messages marked as read."]
    assert not InboundMessage.objects.filter(read_at__isnull=True).exists()


def test_a_reply_stands_beside_what_it_answers_on_both_pages(agent_at_desk: Browser, reply: InboundMessage):
    thread = agent_at_desk.get(address(InboundMessage, "change", reply.pk)).context["listings"][-1]
    assert [(row[1], row[2]) for row in thread.rows] == [
        ("Debtor", "Tell me"),
        ("Debtor", "When?"),
        ("Us", "Please pay"),
    ]

    sent = agent_at_desk.get(address(CommunicationLog, "change", reply.in_reply_to_id))
    replies = sent.context["listings"][-1]
    assert (replies.title, [row[2] for row in replies.rows]) == ("Replies", ["Tell me", "When?"])
    assert agent_at_desk.get(replies.more).context["cl"].result_count == 2


def test_an_auditor_reads_and_marks_nothing(auditor_at_desk: Browser, reply: InboundMessage):
    answer = auditor_at_desk.post(f"/admin/communications/inboundmessage/{reply.pk}/mark_read/", {"csrf": "x"})
    assert answer.status_code == 403
    reply.refresh_from_db()
    assert reply.read_at is None
