"""Write to a person: the form, its preview, the gate's answer, and answers to replies."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from agents.models import Agent
from communications.models import CommunicationLog, InboundMessage
from communications.notices import written
from communications.sending import worker
from contact.models import ContactDecision
from tests import factories
from tests.admin.conftest import Browser, address, said
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db
NIGHT = NOON.replace(hour=23)


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON):
        yield


def page_of(debt: Any, **query: Any) -> str:
    url = address(type(debt.debtor), "write", debt.debtor_id)
    return url + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


def form(browser: Browser, url: str, **values: Any) -> dict[str, Any]:
    """Fill in the form as its page shows it."""
    shown = browser.get(url).context
    data = {name: value for name, value in shown["form"].data.items() if value}
    seen = shown["reply"].read_at.isoformat() if shown["reply"] and shown["reply"].read_at else ""
    return data | {"key": shown["form"].key, "seen": seen} | values


def inbound(debt: Any, **values: Any) -> CommunicationLog:
    made = {
        "debtor": debt.debtor, "debt": debt, "communication_type": "email", "direction": "inbound", "status": "received",
        "address": debt.debtor.email, "subject": "My card", "body": "Can I pay half?", "provider_message_id": "<a@b.example>",
    }  # fmt: skip
    return CommunicationLog.objects.create(**made | values)


def test_free_text_is_shown_as_they_get_it_and_sent(agent_at_desk: Browser):
    debt = factories.debt(balance=1000, external_reference="INV-1")
    url = page_of(debt)
    data = form(agent_at_desk, url, subject="Your card", body="Half of {{debt_amount}} is fine.")
    assert data["debt"] == str(debt.pk)
    shown = agent_at_desk.post(url, data).context["shown"]
    assert "Half of £1,000.00 is fine." in shown.message.text.body or "1,000.00" in shown.message.text.body
    assert shown.message.may_go_now
    assert not CommunicationLog.objects.exists()
    answer = agent_at_desk.post(url, data | {"send": "now"}, follow=True)
    assert said(answer) == ["The message is on its way."]
    assert answer.request["PATH_INFO"] == address(type(debt.debtor), "change", debt.debtor_id)
    worker.drain(clock=lambda: NOON + timedelta(minutes=1))
    message = CommunicationLog.objects.get()
    assert (message.status, message.written_by, message.body) == ("sent", agent_at_desk.agent, shown.message.text.body)
    (event,) = [
        event
        for event in answer.client.get(answer.request["PATH_INFO"]).context["timeline"].events
        if event.icon == "mail"
    ]
    assert ("Written by", str(agent_at_desk.agent)) in [(term, str(text)) for term, text in event.why.lines]
    again = agent_at_desk.post(url, data | {"send": "now"}, follow=True)
    assert said(again) == ["This message was sent before."]
    assert CommunicationLog.objects.count() == 1


def test_a_template_goes_in_the_language_that_was_chosen(agent_at_desk: Browser):
    debt = factories.debt(debtor=factories.debtor(language_preference="de"))
    for language in ("en", "de", "fr"):
        factories.template(name="Hello", language=language, communication_type="sms", body=f"In {language}.")
    for own in ("deferral_approved", "one_time_code", "opt_out_confirmed"):
        factories.template(name=own, communication_type="sms")
    url = page_of(debt)
    groups = dict(agent_at_desk.get(url).context["form"].fields["text"].choices)
    assert [value for value, _ in groups["Free text"]] == ["free:email", "free:sms"]
    assert [value for value, _ in groups["Text message templates"]] == ["Hello:sms"]
    for language, expected in (("", "In de."), ("fr", "In fr.")):
        data = form(agent_at_desk, url, text="Hello:sms", language=language)
        assert expected in agent_at_desk.post(url, data).context["shown"].message.text.body
    assert agent_at_desk.post(url, data).context["shown"].message.parts.segments == 1


def test_only_the_preview_is_answered_to_the_script(agent_at_desk: Browser):
    debt = factories.debt()
    url = page_of(debt)
    answer = agent_at_desk.client.post(url, form(agent_at_desk, url, body="Hello"), headers={"X-Preview": "yes"})
    assert answer.status_code == 200
    assert b"As they get it" in answer.content
    assert b"<html" not in answer.content


def test_refused_means_reasons_and_no_button(agent_at_desk: Browser):
    debt = factories.debt()
    factories.suppress(debt.debtor.email)
    url = page_of(debt)
    answer = agent_at_desk.get(url)
    assert b'name="send"' not in answer.content
    assert b"Not allowed" in answer.content
    assert answer.context["shown"].reasons
    data = form(agent_at_desk, url, subject="Hello", body="Hello.", send="later")
    answer = agent_at_desk.post(url, data)
    assert "must not be sent" in str(answer.context["form"].non_field_errors())
    assert not CommunicationLog.objects.exists()


def test_at_night_it_waits_until_it_is_allowed(agent_at_desk: Browser):
    debt = factories.debt()
    url = page_of(debt)
    with time_machine.travel(NIGHT):
        browser = Browser(agent_at_desk.agent)
        answer = browser.get(url, text="free:sms")
        assert b'value="later"' in answer.content
        assert b'value="now"' not in answer.content
        assert "08:00" in answer.context["shown"].next_time
        data = form(browser, url, text="free:sms", body="Hello.")
        assert "may not go now" in str(browser.post(url, data | {"send": "now"}).context["form"].non_field_errors())
        answer = browser.post(url, data | {"send": "later"}, follow=True)
        assert "waits until it is allowed" in said(answer)[0]
    assert CommunicationLog.objects.get().status == "postponed"
    assert ContactDecision.objects.get().verdict == "postpone"


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"body": " ", "subject": "x"}, "body", "The message is empty"),
        ({"body": "x", "subject": ""}, "subject", "needs a subject"),
        ({"body": "{{nothing}}", "subject": "x"}, "body", "Unknown placeholder"),
        ({"body": "x", "subject": "x", "text": "nothing:sms"}, "text", "Select a valid choice"),
        (
            {"body": "x", "subject": "x", "debt": "01a22c91-89e8-7939-8fbe-33b958c0be29"},
            "debt",
            "Select a valid choice",
        ),
        ({"body": "{{last_payment_date}}", "subject": "x"}, "body", "no value for last_payment_date"),
    ],
)
def test_what_cannot_be_sent_is_told_at_its_field(agent_at_desk: Browser, values: Any, field: str, words: str):
    debt = factories.debt()
    url = page_of(debt)
    answer = agent_at_desk.post(url, form(agent_at_desk, url, **values) | {"send": "now"})
    assert words in str(answer.context["form"].errors[field])
    assert not CommunicationLog.objects.exists()


def test_who_has_no_right_writes_nothing(
    auditor_at_desk: Browser, agent_at_desk: Browser, monkeypatch: pytest.MonkeyPatch
):
    debt = factories.debt()
    assert auditor_at_desk.client.get(page_of(debt)).status_code == 403
    assert auditor_at_desk.client.post(page_of(debt), {"text": "free:email", "send": "now"}).status_code == 403
    has_perm = Agent.has_perm
    monkeypatch.setattr(Agent, "has_perm", lambda me, name: name != written.FREE_TEXT_RIGHT and has_perm(me, name))
    factories.template(name="Hello")
    url = page_of(debt)
    assert [
        value for _, some in agent_at_desk.get(url).context["form"].fields["text"].choices for value, _ in some
    ] == ["Hello:email"]
    answer = agent_at_desk.post(url, {"text": "free:email", "subject": "x", "body": "x", "send": "now"})
    assert answer.context["form"].errors
    assert not CommunicationLog.objects.exists()


def test_a_reply_is_answered_and_the_second_agent_sees_who_did(sign_in: Any):
    first, second = sign_in("Agent"), sign_in("Agent")
    debt = factories.debt()
    reply = inbound(debt)
    listed = first.list(InboundMessage).content.decode()
    url = page_of(debt, reply=reply.pk)
    assert url in listed
    page = first.client.get(address(InboundMessage, "change", reply.pk))
    assert "Answer" in page.content.decode()
    data, other = form(first, url, body="Yes."), form(second, url, body="No.")
    assert (data["text"], data["subject"], data["debt"]) == ("free:email", "Re: My card", str(debt.pk))
    assert said(first.post(url, data | {"send": "now"}, follow=True)) == ["The message is on its way."]
    late = second.post(url, other | {"send": "now"})
    assert "answered this message on 14 Jan at 12:00: “Yes.”" in str(late.context["form"].non_field_errors())
    assert "No." in late.content.decode()
    sent = CommunicationLog.objects.get(direction="outbound")
    assert (sent.in_reply_to, sent.written_by) == (reply, first.agent)
    events = first.get(address(type(debt.debtor), "change", debt.debtor_id)).context["timeline"].events
    (asked,) = [event for event in events if event.icon == "reply"]
    assert f"nswered by {first.agent.name}" in asked.detail
    assert asked.actions == ()


def test_only_a_message_of_this_person_is_answered_here(agent_at_desk: Browser):
    debt, other = factories.debt(), inbound(factories.debt())
    sent = CommunicationLog.objects.create(debtor=debt.debtor, communication_type="email", status="sent")
    for wrong in (other.pk, sent.pk, "x"):
        assert agent_at_desk.client.get(page_of(debt, reply=wrong)).status_code == 404


def test_it_leads_back_to_where_it_was_opened(agent_at_desk: Browser):
    debt = factories.debt()
    (write,) = [
        b.url for b in agent_at_desk.get(address(type(debt), "change", debt.pk)).context["case"].buttons if b.key == "W"
    ]
    data = form(agent_at_desk, write, subject="x", body="x", send="now")
    assert agent_at_desk.post(write, data)["Location"] == address(type(debt), "change", debt.pk)
    for elsewhere in ("https://evil.example/admin/", "//evil.example", "/portal", "javascript:alert(1)"):
        url = page_of(debt, back=elsewhere)
        assert agent_at_desk.get(url).context["back"] == address(type(debt.debtor), "change", debt.debtor_id)


def test_a_hold_leads_back_to_the_page_that_opened_it(supervisor_at_desk: Browser):
    debt = factories.debt()
    person = address(type(debt.debtor), "change", debt.debtor_id)
    (hold,) = [button.url for button in supervisor_at_desk.get(person).context["case"].buttons if button.key == "H"]
    data = {"debtor": debt.debtor_id, "reason": "vulnerable", "source": "A letter"}
    answer = supervisor_at_desk.post(hold, data)
    assert (answer.status_code, answer["Location"]) == (302, person)


def test_the_page_takes_few_queries_for_any_number_of_debts_and_templates(
    agent_at_desk: Browser, django_assert_max_num_queries: Any
):
    debt = factories.debt()
    for _ in range(20):
        factories.debt(debtor=debt.debtor)
        factories.template()
    inbound(debt)
    with django_assert_max_num_queries(40):
        agent_at_desk.get(page_of(debt))


def test_after_an_answer_the_next_reply_of_the_worklist_opens(agent_at_desk: Browser):
    first, second = (factories.debt() for _ in range(2))
    replies = [inbound(debt, provider_message_id=f"<{number}@b>", created_at=NOON - timedelta(hours=2 - number))
               for number, debt in enumerate((first, second))]  # fmt: skip
    page = agent_at_desk.client.get("/admin/work/replies/", follow=True)
    assert page.redirect_chain[-1][0] == address(InboundMessage, "change", replies[0].pk)
    for debt, reply, opened in (
        (first, replies[0], address(InboundMessage, "change", replies[1].pk)),
        (second, replies[1], "/admin/"),
    ):
        url = page_of(debt, reply=reply.pk)
        data = form(agent_at_desk, url, body="Half is fine.")
        answer = agent_at_desk.post(url, data | {"send": "later"}, follow=True)
        assert answer.request["PATH_INFO"] == opened
    assert said(answer)[-1] == "Replies: That was the last one."


def test_a_reply_outside_the_worklist_leads_back_to_the_person(agent_at_desk: Browser):
    debt = factories.debt()
    waiting = inbound(debt)
    agent_at_desk.get("/admin/work/replies/")
    other = factories.debt()
    url = page_of(other, reply=inbound(other, provider_message_id="<c@d>").pk)
    answer = agent_at_desk.post(url, form(agent_at_desk, url, body="Yes.") | {"send": "later"}, follow=True)
    assert answer.request["PATH_INFO"] == address(type(other.debtor), "change", other.debtor_id)
    waiting.refresh_from_db()
    assert waiting.read_at is None


def test_the_list_of_replies_leads_to_the_answer_by_one_link(agent_at_desk: Browser):
    reply = inbound(factories.debt())
    listed = agent_at_desk.list(InboundMessage).content.decode()
    assert f"/write/?reply={reply.pk}" in listed
