"""Callbacks of providers and mail services over HTTP: their authenticity and their effects."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.test import Client

from communications.callbacks.readers.registry import READERS
from communications.models import CommunicationLog, ProviderEvent
from debtors.models import ContactPoint
from tests import factories
from tests.communications.callbacks.posting import PUBLIC, SECRET, basic, form, post, sent, stops, worked
from tests.communications.messages import queue
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def shared_secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


@pytest.fixture
def twilio_token(settings):
    settings.TWILIO_AUTH_TOKEN = stand_in.TOKEN
    settings.PUBLIC_URL = PUBLIC


POSTMARK_BOUNCE = {
    "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "MessageID": "id-1", "Email": "john@example.com",
    "BouncedAt": "2026-01-14T12:00:00Z", "Description": "No such user", "Details": "550",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["tracking", "inbound"])
def test_an_unknown_provider_is_not_found(client, kind):
    for name in ("nobody", "Mailgun", "base", "..%2f"):
        answer = post(client, f"/callbacks/email/{name}/{kind}", {})
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("provider", sorted(READERS))
@pytest.mark.parametrize("kind", ["tracking", "inbound"])
def test_a_provider_that_is_not_configured_is_refused(client, provider, kind):
    if (provider, kind) == ("unisender_go", "inbound"):
        return
    for body in ({}, [], POSTMARK_BOUNCE):
        answer = post(client, f"/callbacks/email/{provider}/{kind}", body)
        assert answer.status_code == 403
        assert answer.json()["status"] == 403


@pytest.mark.parametrize(
    "provider", ["postmark", "brevo", "sendgrid", "mailjet", "sparkpost", "amazon_ses", "mailgun", "postal"]
)
@pytest.mark.parametrize("headers", [{}, basic("user:wrong"), {"Authorization": "Basic %%%"}])
def test_a_wrong_secret_is_refused(client, shared_secret, provider, headers):
    answer = post(client, f"/callbacks/email/{provider}/tracking", POSTMARK_BOUNCE, **headers)

    assert answer.status_code == 403
    assert not ProviderEvent.objects.exists()


def test_a_bounce_behind_the_shared_secret_counts_once(client, shared_secret):
    log = sent(provider="postmark", provider_message_id="id-1", address="john@example.com")

    for _ in range(2):
        assert post(client, "/callbacks/email/postmark/tracking", POSTMARK_BOUNCE, **basic()).status_code == 200

    log.refresh_from_db()
    assert log.status == "bounced"
    assert "No such user" in log.failure_reason or "550" in log.failure_reason
    assert stops() == [("john@example.com", ["bounced"])]
    assert ProviderEvent.objects.count() == 1


def test_an_authentic_callback_that_cannot_be_parsed_is_stored_for_another_try(client, shared_secret):
    assert post(client, "/callbacks/email/postmark/tracking", [], **basic()).status_code == 200

    event = ProviderEvent.objects.get()
    assert (event.kind, event.processed_at, event.attempts) == ("unparsed", None, 1)
    assert event.error


def test_amazon_is_asked_for_its_credentials(client, shared_secret):
    headers = {"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": "1"}

    answer = post(client, "/callbacks/email/amazon_ses/tracking", {"Type": "Notification", "MessageId": "1"}, **headers)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")


def mailgun(event, key="a-signing-key"):
    stamp, token = str(int(time.time())), "t" * 50
    signature = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}


def test_mailguns_own_signature_is_checked(client, settings):
    # Where there is a signature, the shared secret is not asked for as well.
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "a-signing-key", "WEBHOOK_SECRET": SECRET}
    log = sent(provider="mailgun", provider_message_id="<1@x>")
    event = {
        "event": "delivered", "id": "e1", "timestamp": 1768392000.0, "recipient": "john@example.com",
        "message": {"headers": {"message-id": "1@x"}}, "user-variables": {"log_id": str(log.pk)}, "delivery-status": {},
    }  # fmt: skip
    path = "/callbacks/email/mailgun/tracking"

    assert post(client, path, mailgun(event, key="another")).status_code == 403
    log.refresh_from_db()
    assert log.status == "sent"
    assert post(client, path, mailgun(event)).status_code == 200
    log.refresh_from_db()
    assert log.status == "delivered"
    assert log.delivered_at is not None


def test_an_inbound_mail_is_stored_with_its_sender(client, shared_secret):
    debtor = factories.debtor(email="John@Example.com")
    body = {
        "FromFull": {"Email": "john@example.com", "Name": "John"}, "From": "John <john@example.com>", "To": "us@example.com",
        "Subject": "A question\x00", "TextBody": "How much is it?", "MessageID": "m-1", "Headers": [], "Attachments": [],
        "MessageStream": "inbound",
    }  # fmt: skip

    for _ in range(2):
        assert post(client, "/callbacks/email/postmark/inbound", body, **basic()).status_code == 200

    log = CommunicationLog.objects.get()
    assert (log.debtor, log.direction, log.status, log.communication_type) == (debtor, "inbound", "received", "email")
    assert (log.subject, log.body, log.address) == ("A question", "How much is it?", "john@example.com")
    assert stops() == []


STATUS, INBOUND = "/callbacks/twilio/status", "/callbacks/twilio/inbound"


def test_twilios_status_advances_the_message(client, twilio_token):
    log = sent(communication_type="sms", provider="twilio", provider_message_id="SM1", address="+447700900001")

    assert form(client, STATUS, {"MessageSid": "SM1", "MessageStatus": "delivered"}).status_code == 204
    assert form(client, STATUS, {"MessageSid": "SM1", "MessageStatus": "sent"}).status_code == 204

    log.refresh_from_db()
    assert (log.status, log.delivered_at is None) == ("delivered", False)


@pytest.mark.parametrize("status", ["READ", "partially_delivered", "receiving", "wobbly", "queued", "accepted", "sent"])
def test_a_late_or_unknown_status_of_twilio_takes_nothing_back(client, twilio_token, status):
    log = sent(communication_type="sms", provider="twilio", provider_message_id="SM1", address="+447700900001")
    form(client, STATUS, {"MessageSid": "SM1", "MessageStatus": "delivered"})
    before = CommunicationLog.objects.values().get()

    assert form(client, STATUS, {"MessageSid": "SM1", "MessageStatus": status}).status_code == 204

    assert {**CommunicationLog.objects.values().get(), "updated_at": None} == {**before, "updated_at": None}
    assert not ProviderEvent.objects.exclude(result="Done").exists()
    assert log.debtor.contact_points.filter(messages_suppressed=True).count() == 0


@pytest.mark.parametrize("sender", ["12345", "AGENCY", "Anonymous"])
def test_a_stop_by_a_sender_that_is_no_number_is_stored(client, twilio_token, sender):
    debt = factories.debt()

    assert form(client, INBOUND, {"MessageSid": "SM1", "From": sender, "Body": "STOP"}).status_code == 200

    received = CommunicationLog.objects.get(direction="inbound")
    assert (received.debtor, received.address, received.asks_for) == (None, sender, "stop")
    assert stops() == [(sender, ["opted out"])]
    assert queue(channel="sms", debt=debt).status == "queued"


def test_a_slash_at_the_end_of_twilios_address_is_accepted(client, twilio_token):
    fields = {"MessageSid": "SM2", "From": "+447700900009", "Body": "Who?"}

    assert form(client, INBOUND + "/", fields).status_code == 200


def test_mandrill_signs_our_public_address(client, settings):
    settings.ANYMAIL, settings.PUBLIC_URL = {"MANDRILL_WEBHOOK_KEY": "a-key"}, PUBLIC
    log = sent(provider="mandrill", provider_message_id="m1")
    path = "/callbacks/email/mandrill/tracking"
    message = {"_id": "m1", "email": "a@example.com"}
    reported = [{"event": event, "_id": "m1", "ts": 1768392000, "msg": message} for event in ("send", "hard_bounce")]
    events = json.dumps(reported)
    digest = hmac.new(b"a-key", f"{PUBLIC}{path}mandrill_events{events}".encode(), hashlib.sha1).digest()

    answer = worked(
        client.post(
            path, {"mandrill_events": events}, headers={"X-Mandrill-Signature": base64.b64encode(digest).decode()}
        )
    )

    assert answer.status_code == 200
    log.refresh_from_db()
    assert log.status == "bounced"
    assert client.post(path, {"mandrill_events": events}, headers={"X-Mandrill-Signature": "x"}).status_code == 403


def test_twilios_status_resolves_a_message_whose_provider_id_never_arrived(client, twilio_token):
    log = sent(communication_type="sms", status="uncertain")

    form(client, STATUS, {"MessageSid": "SM1", "MessageStatus": "delivered"}, query=f"?log={log.pk}")

    log.refresh_from_db()
    assert (log.status, log.provider_message_id) == ("delivered", "SM1")


def test_twilios_opt_out_error_suppresses_the_number(client, twilio_token):
    log = sent(communication_type="sms", provider="twilio", provider_message_id="SM1", address="+447700900001")
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "21610"}

    form(client, STATUS, fields)

    log.refresh_from_db()
    assert (log.status, log.failure_reason) == ("failed", "Twilio: failed (21610)")
    assert stops() == [("+447700900001", ["opted out"])]


@pytest.mark.parametrize("path", [STATUS, INBOUND])
def test_a_wrong_signature_of_twilio_is_refused(client, twilio_token, path, settings):
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": "+447700900001", "Body": "STOP"}

    assert form(client, path, fields, token="another").status_code == 403
    assert form(client, path, fields, url=f"http://testserver{path}").status_code == 403
    assert client.post(path, fields).status_code == 403
    assert post(client, path, fields).status_code == 403
    assert client.post(path, b"\xff", content_type="multipart/form-data").status_code == 403
    settings.TWILIO_AUTH_TOKEN = ""
    assert form(client, path, fields, token="").status_code == 403
    assert not CommunicationLog.objects.exists()
    assert stops() == []


def test_an_inbound_sms_is_stored_once_with_its_sender(client, twilio_token):
    debtor = factories.debtor(mobile_phone="+447700900001")
    fields = {"MessageSid": "SM2", "From": "+447700900001", "To": "+1", "Body": "When is it due?"}

    answers = [form(client, INBOUND, fields) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"<Response/>")] * 2
    log = CommunicationLog.objects.get()
    assert (log.debtor, log.direction, log.status, log.body) == (debtor, "inbound", "received", "When is it due?")


def test_an_sms_from_an_unknown_number_is_stored_without_a_debtor(client, twilio_token):
    form(client, INBOUND, {"MessageSid": "SM2", "From": "+447700900009", "Body": "Who?"})

    assert CommunicationLog.objects.get().debtor is None


@pytest.mark.parametrize("words", ["STOP", " stop. ", "Unsubscribe!", "Stop texting me", "END", "opt-out"])
def test_stop_opts_the_number_out_of_sms_and_start_opts_it_in(client, twilio_token, words):
    form(client, INBOUND, {"MessageSid": "SM1", "From": "+447700900001", "Body": words})

    point = ContactPoint.objects.get()
    assert (point.kind, point.value, point.suppressions, point.calls_suppressed) == (
        "phone",
        "+447700900001",
        ["opted out"],
        False,
    )
    assert words.strip() in point.opted_out_source

    form(client, INBOUND, {"MessageSid": "SM2", "From": "+447700900001", "Body": "Start"})
    assert stops() == []


@pytest.mark.parametrize("words", ["At the end of the month", "cancel my plan please", "I can't stop by", ""])
def test_other_texts_suppress_nothing(client, twilio_token, words):
    form(client, INBOUND, {"MessageSid": "SM1", "From": "+447700900001", "Body": words})

    assert stops() == []


def test_start_does_not_end_a_suppression_for_another_reason(client, twilio_token):
    factories.suppress("+447700900001", channel="sms", reason="bounced")

    form(client, INBOUND, {"MessageSid": "SM1", "From": "+447700900001", "Body": "START"})

    assert stops() == [("+447700900001", ["bounced"])]


def test_callbacks_must_be_posts(client):
    for path in (STATUS, INBOUND, "/callbacks/email/postmark/tracking"):
        answer = client.get(path)
        assert answer.status_code == 405
        assert answer["Content-Type"] == "application/problem+json"
