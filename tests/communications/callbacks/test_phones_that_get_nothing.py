"""Numbers that get no text messages, ever, and STOP by WhatsApp."""

import pytest
from django.test import Client

from communications.models import CommunicationLog, ProviderEvent
from tests import factories
from tests.communications.callbacks.posting import PUBLIC, form, sent, stops
from tests.communications.messages import drain, queue
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db

PHONE = "+447700900001"
STATUS, INBOUND = "/callbacks/twilio/status", "/callbacks/twilio/inbound"


@pytest.fixture
def client(settings):
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC
    return Client(enforce_csrf_checks=True)


def reported(client, code, *, sid="MessageSid", channel="sms"):
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))
    sent(communication_type=channel, provider="twilio", provider_message_id="X1", address=PHONE, debtor=debt.debtor)
    name = "CallStatus" if sid == "CallSid" else "MessageStatus"
    form(client, STATUS, {sid: "X1", name: "failed" if sid == "CallSid" else "undelivered", "ErrorCode": code})
    return debt


@pytest.mark.parametrize("code", ["30005", "30006", "21614", "21211"])
def test_a_permanent_error_ends_texts_to_the_number_and_no_calls(client, code):
    debt = reported(client, code)

    assert stops() == [(PHONE, ["bounced"])]
    assert queue(channel="sms", debt=debt).status == "blocked"
    assert {queue(channel=channel, debt=debt).status for channel in ("voice", "call_script")} == {"queued"}


@pytest.mark.parametrize("code", ["30003", "30004", "30008", "30001", ""])
def test_a_temporary_error_ends_nothing(client, code):
    debt = reported(client, code)

    assert stops() == []
    assert queue(channel="sms", debt=debt).status == "queued"


def test_an_error_of_a_call_ends_no_texts(client):
    reported(client, "21211", sid="CallSid", channel="voice")

    assert stops() == []


@pytest.mark.parametrize(("code", "ended"), [(21211, True), (21614, True), (30008, False)])
def test_an_error_at_the_dispatch_counts_too(twilio, code, ended):
    twilio.errors = [(400, code)]
    log = queue(channel="sms")

    drain()

    assert stops() == ([(log.debtor.mobile_phone, ["bounced"])] if ended else [])
    assert queue(channel="sms", debt=log.debt).status == ("blocked" if ended else "queued")


def test_an_error_at_the_dispatch_of_a_call_ends_no_texts(twilio):
    twilio.errors = [(400, 21211)]
    queue(channel="voice")

    drain()

    assert stops() == []


def test_a_stop_by_whatsapp_belongs_to_the_number(client):
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))

    form(client, INBOUND, {"MessageSid": "SM1", "From": f"whatsapp:{PHONE}", "Body": "Stop writing to me"})

    received = CommunicationLog.objects.get(direction="inbound")
    assert (received.debtor, received.address, received.asks_for) == (debt.debtor, PHONE, "stop")
    assert stops() == [(PHONE, ["opted out"])]
    assert queue(channel="sms", debt=debt).status == "blocked"


@pytest.mark.parametrize(
    ("path", "fields"), [(STATUS, {"MessageSid": "SM1"}), (INBOUND, {"Body": "STOP", "From": PHONE})]
)
def test_a_signed_callback_that_lacks_a_field_is_kept_and_reported(client, path, fields):
    answers = [form(client, path, fields).status_code for _ in range(2)]

    kept = ProviderEvent.objects.get()
    assert answers == [422, 422]
    assert (kept.provider, kept.failed_at is None, kept.processed_at) == ("twilio", False, None)
    assert "necessary field" in kept.error
