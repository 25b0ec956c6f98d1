"""Automated calls: only the debtor hears about the debt, and a key opts out of further calls."""

import pytest
from django.test import Client
from django.utils.timezone import now

from communications.callbacks import inbox
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox import history as messages
from contact import policies
from debtors.models import ContactPoint
from tests import factories
from tests.communications.messages import drain, queue
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db

PUBLIC = "https://ddc.example.com"
ANSWER, KEY = "/callbacks/twilio/answer", "/callbacks/twilio/key"
PHONE, TEXT = "+447700900001", "You owe ABC 1,000 pounds"


@pytest.fixture
def call(settings):
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC
    return CommunicationLog.objects.create(
        debtor=factories.debtor(last_name="O'Neil"), communication_type="voice", status="sent", address=PHONE, body=TEXT,
        provider="twilio", provider_message_id="CA1", template=factories.template(communication_type="voice", language="de"),
    )  # fmt: skip


@pytest.fixture
def may_leave_voicemail(settings):
    settings.VOICEMAIL_NAME, settings.VOICEMAIL_PERSON, settings.AGENCY_PHONE = "ABC", "Robin Smith", "+1 800 555 1212"


def call_back(path, call, token=stand_in.TOKEN, **fields):
    query, fields = f"?log={call.pk}", {"CallSid": "CA1", **fields}
    signature = stand_in.signature(PUBLIC + path + query, fields, token=token)
    answer = Client(enforce_csrf_checks=True).post(path + query, fields, headers={"X-Twilio-Signature": signature})
    inbox.process(clock=now)
    call.refresh_from_db()
    return answer


def history(call):
    asked = CommunicationLog(debtor=call.debtor, communication_type="voice")
    (found,) = messages.requests([asked], policies.current(), now=now())
    return list(found.history)


def spoken(path, call, **fields):
    answer = call_back(path, call, **fields)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    return answer.content.decode()


def test_twilio_detects_machines_before_anything_is_spoken(twilio, settings):
    settings.PUBLIC_URL = PUBLIC
    log = queue(channel="voice", template=factories.template(communication_type="voice"))
    drain()

    (order,) = twilio.orders
    assert (order.kind, order.fields["Url"]) == ("call", f"{PUBLIC}{ANSWER}?log={log.pk}")
    assert order.fields["MachineDetection"] == "Enable"
    assert "Twiml" not in order.fields


def test_a_voicemail_is_spoken_after_the_machines_announcement(twilio, may_leave_voicemail):
    queue(channel="voice", template=factories.template(communication_type="voice"))
    drain()
    assert twilio.orders[0].fields["MachineDetection"] == "DetectMessageEnd"


@pytest.mark.parametrize("by", ["human", "unknown", ""])
def test_a_person_who_answers_hears_the_debtors_name_and_not_the_message(call, by):
    heard = spoken(ANSWER, call, AnsweredBy=by)

    assert TEXT not in heard
    assert "Dies ist eine Nachricht für John O'Neil." in heard
    assert 'language="de-DE"' in heard
    assert call.outcome is None


@pytest.mark.parametrize("by", ["machine_start", "machine_end_beep", "machine_end_other", "fax"])
def test_a_machine_hears_nothing_and_is_recorded_as_a_voicemail(call, by):
    for _ in range(2):
        assert spoken(ANSWER, call, AnsweredBy=by) == "<Response><Hangup/></Response>"

    assert (call.outcome, call.outcome_notes) == ("voicemail", "A machine answered. Nothing was spoken.")
    assert ProviderEvent.objects.count() == 1


def test_a_voicemail_gets_the_limited_content_message_and_nothing_else(call, may_leave_voicemail):
    call.template.language = "en-US"
    call.template.save()

    assert spoken(ANSWER, call, AnsweredBy="machine_end_beep") == (
        '<Response><Say language="en-US">This is Robin Smith calling from ABC. Please call me back on +1 800 555 1212.</Say>'
        "<Hangup/></Response>"
    )
    assert call.outcome == "voicemail"
    assert call.outcome_notes.startswith("A machine answered. The limited-content message was left")


def test_a_key_lets_the_debtor_hear_it_again_and_again(call):
    for _ in range(2):
        heard = spoken(KEY, call, Digits="1")
        assert TEXT in heard
        assert "noch einmal" in heard
    assert 'language="de-DE"' in heard


def test_hearing_the_message_by_a_key_is_a_conversation_in_any_order_of_events(call):
    call_back("/callbacks/twilio/status", call, CallStatus="completed", AnsweredBy="human")
    for _ in range(2):
        spoken(KEY, call, Digits="1")

    assert (call.outcome, call.outcome_notes) == (
        "right_party",
        "Key 1 pressed: the debtor heard the message.",
    )
    assert [contact.conversation for contact in history(call)] == [True]

    call_back("/callbacks/twilio/status", call, CallStatus="busy")
    assert call.outcome == "right_party"


def test_hanging_up_is_no_conversation(call):
    call_back("/callbacks/twilio/status", call, CallStatus="completed", AnsweredBy="human")
    assert [contact.conversation for contact in history(call)] == [False]


def test_the_debtor_hears_the_text_that_was_rendered_for_them(twilio, settings):
    settings.PUBLIC_URL = PUBLIC
    log = queue(
        channel="voice", template=factories.template(communication_type="voice", body="Tom & {{debtor_first_name}}")
    )
    assert drain().statuses == {"sent": 1}

    assert '<Say language="en-GB">DDC: Tom &amp; John</Say>' in spoken(KEY, log, Digits="1")


def test_a_key_opts_the_number_out_of_calls_once(call):
    for _ in range(2):
        assert "nicht mehr angerufen" in spoken(KEY, call, Digits="9")

    assert ProviderEvent.objects.count() == 1
    point = ContactPoint.objects.get(value=PHONE)
    assert (point.calls_suppressed, point.messages_suppressed) == (True, False)


def test_another_key_and_an_unknown_call_hang_up(call):
    assert spoken(KEY, call, Digits="5") == "<Response><Hangup/></Response>"
    CommunicationLog.objects.update(communication_type="sms")
    for path, fields in ((ANSWER, {"AnsweredBy": "human"}), (KEY, {"Digits": "1"})):
        assert spoken(path, call, **fields) == "<Response><Hangup/></Response>"


@pytest.mark.parametrize(
    ("path", "fields"), [(ANSWER, {"AnsweredBy": "fax"}), (KEY, {"Digits": "9"}), (KEY, {"Digits": "1"})]
)
def test_a_wrong_signature_hears_and_changes_nothing(call, path, fields):
    answer = call_back(path, call, token="wrong", **fields)

    assert answer.status_code == 403
    assert TEXT not in answer.content.decode()
    assert call.outcome is None
    assert not ProviderEvent.objects.exists()
    assert not ContactPoint.objects.filter(calls_suppressed=True).exists()


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"CallStatus": "completed", "AnsweredBy": "human"}, "answered"),
        ({"CallStatus": "completed", "AnsweredBy": "machine_start"}, "voicemail"),
        ({"CallStatus": "busy"}, "busy"),
        ({"CallStatus": "no-answer"}, "no_answer"),
        ({"CallStatus": "ringing"}, None),
    ],
)
def test_the_status_of_a_call_gives_its_outcome(call, fields, outcome):
    assert call_back("/callbacks/twilio/status", call, **fields).status_code == 204
    assert call.outcome == outcome


@pytest.mark.parametrize(
    ("language", "tag"), [("fr-CA", "fr-CA"), ("fr-CH", "fr-FR"), ("sv", "sv-SE"), ("zh-Hant", "zh-CN"), ("el", None)]
)
def test_a_message_is_spoken_in_its_language_if_twilio_knows_it(call, language, tag):
    call.template.language = language
    call.template.save()
    heard = spoken(KEY, call, Digits="1")
    assert (f'<Say language="{tag}">{TEXT}</Say>' if tag else f"<Say>{TEXT}</Say>") in heard
