"""Messages that agents write: as they are shown, decided on, sent and kept, and answers to debtors' messages."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from collection.holds import holds
from communications.callbacks import replies
from communications.channels import email
from communications.models import CommunicationLog
from communications.notices import preview, written
from communications.notices.written import Draft, NotAllowed
from communications.outbox import outbox
from communications.sending import evidence, uncertain
from communications.texts.placeholders import BadPlaceholder
from communications.texts.templates import TextTooLong
from contact.models import ContactDecision
from ddc.common.errors import Forbidden
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
NIGHT = NOON.replace(hour=23)


def free(channel: str = "email", **values: Any) -> Draft:
    return Draft(channel=channel, **{"subject": "Your card", "body": "Half of {{debt_amount}} now is fine."} | values)


def write(debt: Any, draft: Draft, *, by: Any = None, now: Any = NOON, **options: Any) -> CommunicationLog:
    message = written.message_of(draft, debt.debtor, by=by or factories.agent("Agent"))
    written.send(message, now=now, **options)
    return CommunicationLog.objects.get(pk=message.pk)


# --- As it is shown


@pytest.mark.parametrize(("channel", "line"), [("email", "/unsubscribe/"), ("sms", "STOP")])
def test_free_text_is_sent_as_its_preview_showed_it_with_the_lines_of_the_law(channel: str, line: str):
    debt = factories.debt(balance=1000)
    message = written.message_of(free(channel, debt=debt), debt.debtor, by=factories.agent("Agent"))
    shown = preview.preview_of(message, now=NOON)
    assert (shown.may_go_now, shown.problem) == (True, "")
    assert "Half of £1,000.00 now is fine." in shown.text.body or "1,000.00" in shown.text.body
    assert line in shown.text.body
    assert (shown.parts is None) == (channel == "email")
    assert not CommunicationLog.objects.exists()
    assert not ContactDecision.objects.exists()
    written.send(message, now=NOON)
    drain()
    sent = CommunicationLog.objects.get()
    assert (sent.status, sent.body, sent.subject) == ("sent", shown.text.body, shown.text.subject)
    assert evidence.problem(sent, sent.attempt_rows.all()) is None


def test_a_text_is_in_the_language_that_its_author_chose_else_the_debtor_s():
    debt = factories.debt(debtor=factories.debtor(language_preference="de"))
    agent = factories.agent("Agent")
    german = preview.preview_of(written.message_of(free("sms", debt=debt), debt.debtor, by=agent), now=NOON)
    french = preview.preview_of(
        written.message_of(free("sms", debt=debt, language="fr"), debt.debtor, by=agent), now=NOON
    )
    assert (german.language, french.language) == ("de", "fr")
    assert "Antworten Sie STOP" in german.text.body
    assert "Répondez STOP" in french.text.body
    for language in ("en", "de", "fr"):
        factories.template(name="Hello", language=language, communication_type="sms", body=f"In {language}.")
    template = type(factories.template()).objects.get(name="Hello", language="en")
    for chosen, expected in ((None, "de"), ("fr", "fr")):
        message = write(debt, Draft(channel="sms", debt=debt, template=template, language=chosen), when_allowed=True)
        shown = preview.preview_of(message, now=NOON)
        assert (shown.language, f"In {expected}." in shown.text.body) == (expected, True)


def test_what_is_wrong_with_a_text_is_told_and_it_is_not_sent():
    debt = factories.debt(due_date=None)
    agent = factories.agent("Agent")
    message = written.message_of(free(debt=debt, body="Due {{debt_due_date}}."), debt.debtor, by=agent)
    shown = preview.preview_of(message, now=NOON)
    assert (shown.may_go_now, shown.may_go_later) == (False, False)
    assert shown.problem.startswith("The text has no value for debt_due_date")
    with pytest.raises(written.NothingToSend):
        written.send(message, problem=shown.problem, now=NOON)
    for draft, error in (
        (free(body=" "), written.TextRequired), (free(subject=" "), written.SubjectRequired),
        (free(body="{{nothing}}"), BadPlaceholder), (free(body="{{debt_amount"), BadPlaceholder),
        (free(body="x" * 20_001), TextTooLong),
    ):  # fmt: skip
        with pytest.raises(error):
            written.message_of(draft, debt.debtor, by=agent)
    inactive = factories.template(is_active=False)
    message = written.message_of(Draft(channel="email", debt=debt, template=inactive), debt.debtor, by=agent)
    assert "No variant" in preview.preview_of(message, now=NOON).problem
    assert not CommunicationLog.objects.exists()


# --- Decided on


def test_free_text_is_a_right_of_its_own():
    debt, auditor, agent = factories.debt(), factories.agent("Auditor"), factories.agent("Agent")
    agent.granted = frozenset({written.TEMPLATE_RIGHT})
    template = Draft(channel="email", debt=debt, template=factories.template())
    for draft, by in ((free(), auditor), (template, auditor), (free(), agent)):
        with pytest.raises(Forbidden):
            written.message_of(draft, debt.debtor, by=by)
    assert written.message_of(template, debt.debtor, by=agent).template
    assert not CommunicationLog.objects.exists()


def test_a_message_that_must_not_go_is_refused_with_the_reasons():
    debt = factories.debt()
    factories.suppress(debt.debtor.email)
    with pytest.raises(NotAllowed, match=r"opted out|suppressed"):
        write(debt, free(debt=debt), when_allowed=True)
    assert not CommunicationLog.objects.exists()
    assert not ContactDecision.objects.exists()


def test_at_night_a_message_waits_only_if_its_author_says_so():
    debt = factories.debt()
    with time_machine.travel(NIGHT):
        with pytest.raises(NotAllowed, match="may not go now: It is 23:00 in Europe/London"):
            write(debt, free("sms", debt=debt), now=NIGHT)
        assert not CommunicationLog.objects.exists()
        waiting = write(debt, free("sms", debt=debt), now=NIGHT, when_allowed=True)
    assert (waiting.status, waiting.due_at) == ("postponed", NOON.replace(hour=8) + timedelta(days=1))
    assert drain(NIGHT).statuses == {}
    # The gate decides again when it is sent.
    factories.suppress(debt.debtor.mobile_phone, channel="sms")
    drain(waiting.due_at)
    waiting.refresh_from_db()
    assert waiting.status == "blocked"


def test_while_no_payment_may_be_asked_for_only_a_text_without_such_a_demand_goes():
    debt, supervisor = factories.debt(), factories.agent()
    holds.open_hold(
        reason="vulnerable", debtor=debt.debtor, source="Letter", blocks=["payment_requests"], by=supervisor, now=NOON
    )
    with pytest.raises(NotAllowed, match="no payment may be asked for"):
        write(debt, free(debt=debt), when_allowed=True)
    assert write(debt, free(debt=debt, asks_for_payment=False)).status == "queued"
    drain()
    assert CommunicationLog.objects.get().status == "sent"


def test_a_message_by_an_agent_counts_for_the_caps_and_shows_its_author():
    debt, agent = factories.debt(), factories.agent("Agent", first_name="Sam", last_name="Field")
    message = write(debt, free("sms", debt=debt), by=agent)
    assert (message.written_by, message.purpose, message.template) == (agent, "collection", None)
    (decision,) = ContactDecision.objects.all()
    assert (decision.message_id, decision.stage, decision.verdict) == (message.pk, "asked", "allow")
    drain()
    CommunicationLog.objects.update(written_by=factories.agent("Agent"))
    changed = CommunicationLog.objects.get()
    assert evidence.problem(changed, changed.attempt_rows.all()) == "it was changed after it was sealed"


def test_a_form_that_is_sent_twice_makes_one_message():
    debt = factories.debt()
    key = uuid4()
    write(debt, free(debt=debt, key=key))
    with pytest.raises(outbox.AlreadyQueued):
        write(debt, free(debt=debt, key=key), when_allowed=True)
    assert CommunicationLog.objects.get().pk == key


def test_a_message_that_is_sent_again_keeps_its_author_language_and_thread():
    debt, agent = factories.debt(), factories.agent("Agent")
    reply = inbound(debt)
    message = write(debt, free(debt=debt, language="de", reply=reply), by=agent)
    CommunicationLog.objects.filter(pk=message.pk).update(status="uncertain", due_at=None)
    message.refresh_from_db()
    made = uncertain.send_again(message, by=agent, reason="It never arrived.", now=NOON).replacement
    assert (made.written_by, made.in_reply_to, made.draft) == (agent, reply, message.draft)


# --- Answers


def inbound(debt: Any, **values: Any) -> CommunicationLog:
    made = {
        "debtor": debt.debtor, "debt": debt, "communication_type": "email", "direction": "inbound", "status": "received",
        "address": debt.debtor.email, "subject": "My card", "body": "Can I pay half?",
        "provider_message_id": "<abc@mail.example>",
    }  # fmt: skip
    return CommunicationLog.objects.create(**made | values)


def answer(reply: CommunicationLog, *, by: Any, seen: Any = None, **values: Any) -> CommunicationLog:
    message = written.message_of(
        free(reply.communication_type, reply=reply, debt=reply.debt, **values), reply.debtor, by=by
    )
    replies.answer(reply, message, seen=seen, by=by, now=NOON)
    return message


def test_an_answer_by_mail_is_in_the_thread_of_its_reply(smtp: Any):
    debt, agent = factories.debt(), factories.agent("Agent")
    first = CommunicationLog.objects.create(
        debtor=debt.debtor, communication_type="email", status="delivered", sent_at=NOON - timedelta(days=9)
    )
    reply = inbound(debt, in_reply_to=first)
    assert written.subject_of_answer(reply) == "Re: My card"
    assert written.subject_of_answer(inbound(debt, subject="AW: Your  card\n")) == "AW: Your card"
    message = answer(reply, by=agent, subject="Re: My card")
    assert drain().statuses == {"sent": 1}, CommunicationLog.objects.get(pk=message.pk).failure_reason
    (mail,) = smtp.mails
    assert mail["Subject"] == "Re: My card"
    assert mail["In-Reply-To"] == "<abc@mail.example>"
    assert re.fullmatch(rf"<{first.pk}@[^>]+> <abc@mail\.example>", mail["References"])
    stored = CommunicationLog.objects.get(pk=message.pk)
    assert b"In-Reply-To: <abc@mail.example>" in email.as_file(stored)
    again = inbound(debt, in_reply_to=stored)
    for one in (first, reply, stored, again):
        assert set(replies.thread(one)) == {first, reply, stored, again}


@pytest.mark.parametrize("damaged", ["", None, "sha256:1", "<a@b>\r\nBcc: x@y.z", "two words@x"])
def test_a_mail_without_a_usable_id_is_answered_without_naming_it(damaged: Any):
    debt = factories.debt()
    message = answer(inbound(debt, provider_message_id=damaged), by=factories.agent("Agent"))
    assert email.thread_of(message) == ()


def test_answering_marks_the_reply_and_tells_the_second_agent_who_did():
    debt = factories.debt()
    reply, sam, kim = inbound(debt), factories.agent("Agent", first_name="Sam"), factories.agent("Agent")
    answer(reply, by=sam, body="Yes, half is fine.")
    stored = CommunicationLog.objects.get(pk=reply.pk)
    assert (stored.read_at, stored.read_by) == (NOON, sam)
    with pytest.raises(
        replies.HandledBefore, match=r"Sam .*answered this message on 14 Jan at 12:00: “Yes, half is fine\."
    ):
        answer(reply, by=kim)
    assert CommunicationLog.objects.filter(in_reply_to=reply).count() == 1
    # Having read that, the second one may answer as well.
    answer(reply, by=kim, seen=stored.read_at, body="And sign in, please.")
    assert CommunicationLog.objects.filter(in_reply_to=reply).count() == 2


def test_an_answer_that_is_refused_leaves_the_reply_unread():
    debt = factories.debt()
    reply = inbound(debt)
    factories.suppress(debt.debtor.email)
    with pytest.raises(NotAllowed):
        answer(reply, by=factories.agent("Agent"))
    reply.refresh_from_db()
    assert reply.read_at is None
    assert not CommunicationLog.objects.filter(direction="outbound").exists()
