"""Calls by machine: nobody but the debtor hears of the debt, and who wants no more calls gets none."""

import pytest
from django.test import Client
from django.utils.timezone import now

from communications.callbacks import inbox
from communications.contact import circumstances
from communications.models import CommunicationLog, ProviderEvent
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


def told(path, call, token=stand_in.TOKEN, **fields):
    query, fields = f"?log={call.pk}", {"CallSid": "CA1", **fields}
    signature = stand_in.signature(PUBLIC + path + query, fields, token=token)
    answer = Client(enforce_csrf_checks=True).post(path + query, fields, headers={"X-Twilio-Signature": signature})
    inbox.process(clock=now)
    call.refresh_from_db()
    return answer


def history(call):
    asked = CommunicationLog(debtor=call.debtor, communication_type="voice")
    return circumstances._history([asked], [], now=now())[call.debtor_id]


def spoken(path, call, **fields):
    answer = told(path, call, **fields)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    return answer.content.decode()


def test_twilio_finds_out_who_answered_before_anything_is_said(twilio, settings):
    settings.PUBLIC_URL = PUBLIC
    log = queue(channel="voice", template=factories.template(communication_type="voice"))
    drain()

    (order,) = twilio.orders
    assert (order.kind, order.fields["Url"]) == ("call", f"{PUBLIC}{ANSWER}?log={log.pk}")
    assert order.fields["MachineDetection"] == "Enable"
    assert "Twiml" not in order.fields


def test_to_leave_a_message_twilio_waits_for_the_end_of_the_machines_own(twilio, may_leave_voicemail):
    queue(channel="voice", template=factories.template(communication_type="voice"))
    drain()
    assert twilio.orders[0].fields["MachineDetection"] == "DetectMessageEnd"


@pytest.mark.parametrize("by", ["human", "unknown", ""])
def test_whoever_picks_up_hears_for_whom_the_message_is_and_not_what_it_says(call, by):
    said = spoken(ANSWER, call, AnsweredBy=by)

    assert TEXT not in said
    assert "Dies ist eine Nachricht für John O'Neil." in said
    assert 'language="de-DE"' in said
    assert call.outcome is None


@pytest.mark.parametrize("by", ["machine_start", "machine_end_beep", "machine_end_other", "fax"])
def test_a_machine_hears_nothing_and_it_is_noted_as_a_voicemail(call, by):
    for _ in range(2):
        assert spoken(ANSWER, call, AnsweredBy=by) == "<Response><Hangup/></Response>"

    assert (call.outcome, call.outcome_notes) == ("voicemail", "A machine answered. Nothing was said.")
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
        said = spoken(KEY, call, Digits="1")
        assert TEXT in said
        assert "noch einmal" in said
    assert 'language="de-DE"' in said


def test_who_says_by_a_key_that_it_is_them_has_had_a_talk_with_us_whatever_is_heard_first(call):
    told("/callbacks/twilio/status", call, CallStatus="completed", AnsweredBy="human")
    for _ in range(2):
        spoken(KEY, call, Digits="1")

    assert (call.outcome, call.outcome_notes) == (
        "right_party",
        "Key 1 pressed: the debtor heard the message.",
    )
    assert [contact.conversation for contact in history(call)] == [True]

    told("/callbacks/twilio/status", call, CallStatus="busy")
    assert call.outcome == "right_party"


def test_who_hangs_up_has_had_none(call):
    told("/callbacks/twilio/status", call, CallStatus="completed", AnsweredBy="human")
    assert [contact.conversation for contact in history(call)] == [False]


def test_what_was_rendered_for_the_debtor_is_what_they_hear(twilio, settings):
    settings.PUBLIC_URL = PUBLIC
    log = queue(
        channel="voice", template=factories.template(communication_type="voice", body="Tom & {{debtor_first_name}}")
    )
    assert drain().ended == {"sent": 1}

    assert '<Say language="en-GB">Tom &amp; John</Say>' in spoken(KEY, log, Digits="1")


def test_a_key_ends_all_calls_to_that_number_once(call):
    for _ in range(2):
        assert "nicht mehr angerufen" in spoken(KEY, call, Digits="9")

    assert ProviderEvent.objects.count() == 1
    point = ContactPoint.objects.get(value=PHONE)
    assert (point.calls_suppressed, point.messages_suppressed) == (True, False)


def test_another_key_and_a_call_that_is_not_ours_end_it(call):
    assert spoken(KEY, call, Digits="5") == "<Response><Hangup/></Response>"
    CommunicationLog.objects.update(communication_type="sms")
    for path, fields in ((ANSWER, {"AnsweredBy": "human"}), (KEY, {"Digits": "1"})):
        assert spoken(path, call, **fields) == "<Response><Hangup/></Response>"


@pytest.mark.parametrize(
    ("path", "fields"), [(ANSWER, {"AnsweredBy": "fax"}), (KEY, {"Digits": "9"}), (KEY, {"Digits": "1"})]
)
def test_who_is_not_twilio_hears_and_ends_nothing(call, path, fields):
    answer = told(path, call, token="wrong", **fields)

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
def test_a_calls_status_tells_how_it_went(call, fields, outcome):
    assert told("/callbacks/twilio/status", call, **fields).status_code == 204
    assert call.outcome == outcome


@pytest.mark.parametrize(
    ("language", "tag"), [("fr-CA", "fr-CA"), ("fr-CH", "fr-FR"), ("sv", "sv-SE"), ("zh-Hant", "zh-CN"), ("el", None)]
)
def test_it_is_spoken_in_the_language_of_the_text_as_far_as_twilio_speaks_it(call, language, tag):
    call.template.language = language
    call.template.save()
    said = spoken(KEY, call, Digits="1")
    assert (f'<Say language="{tag}">{TEXT}</Say>' if tag else f"<Say>{TEXT}</Say>") in said
