"""Signatures and secrets of callbacks over HTTP: right, wrong and replayed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from django.test import Client
from django.utils.timezone import now

from communications.callbacks import inbox
from communications.callbacks.readers import sns
from communications.models import CommunicationLog, ProviderEvent
from tests import factories
from tests.standins import mailgun as mailgun_stand_in
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db

SECRET = "user:a-shared-secret"
PUBLIC = "https://ddc.example.com"


@pytest.fixture(scope="module")
def amazon():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), start, start + timedelta(3650)
    )
    return key, made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def log():
    return CommunicationLog.objects.create(
        debtor=factories.debtor(), communication_type="email", status="sent", address="john@example.com",
        provider_message_id="id-1",
    )  # fmt: skip


class Caller:
    """A provider: ``call(right)`` posts always the same event, with a right or a wrong signature."""

    def __init__(self, path, body, headers, wrong_headers=None, wrong_body=None, content_type="application/json"):
        self.path, self.body, self.headers, self.content_type = path, body, headers, content_type
        self.wrong_headers, self.wrong_body = wrong_headers or headers, wrong_body or body

    def call(self, right=True):
        answer = Client(enforce_csrf_checks=True).post(
            self.path,
            self.body if right else self.wrong_body,
            content_type=self.content_type,
            headers=self.headers if right else self.wrong_headers,
        )
        inbox.process(clock=now)
        return answer


def basic(secret):
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def postmark(settings, **_):
    body = json.dumps({
        "RecordType": "Delivery", "MessageID": "id-1", "Recipient": "john@example.com", "DeliveredAt": "2026-01-14T12:00:00Z",
    })  # fmt: skip
    return Caller("/callbacks/email/postmark/tracking", body, basic(SECRET), basic("user:wrong"))


def brevo(settings, **_):
    settings.ANYMAIL |= {"BREVO_API_KEY": "x"}
    body = json.dumps(
        {"event": "delivered", "email": "john@example.com", "id": 1, "message-id": "id-1", "ts_event": 1768392000}
    )
    return Caller("/callbacks/email/brevo/tracking", body, basic(SECRET), basic("user:wrong"))


def mailgun(settings, **_):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": mailgun_stand_in.KEY}
    event = {
        "event": "delivered", "id": "e1", "timestamp": 1768392000.0, "recipient": "john@example.com",
        "message": {"headers": {"message-id": "id-1"}}, "user-variables": {}, "delivery-status": {},
    }  # fmt: skip

    right, wrong = (json.dumps(mailgun_stand_in.signed(event, key)) for key in (mailgun_stand_in.KEY, "another"))
    return Caller("/callbacks/email/mailgun/tracking", right, {}, wrong_body=wrong)


def sendgrid(settings, **_):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.ANYMAIL = {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": base64.b64encode(public).decode()}
    event = {
        "event": "delivered",
        "email": "john@example.com",
        "timestamp": 1768392000,
        "sg_event_id": "e1",
        "smtp-id": "<id-1>",
    }
    body = json.dumps([{**event, "anymail_id": "id-1"}])
    signature = base64.b64encode(key.sign(b"1768392000" + body.encode(), ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": "1768392000",
    }
    return Caller("/callbacks/email/sendgrid/tracking", body, headers, headers, body.replace("delivered", "bounce"))


def amazon_ses(settings, monkeypatch, amazon):
    key, certificate = amazon
    sns.key.cache_clear()
    monkeypatch.setattr(sns, "fetch", lambda url: certificate)
    event = {"eventType": "Delivery", "mail": {"messageId": "id-1", "destination": ["john@example.com"]}, "delivery": {
        "recipients": ["john@example.com"], "timestamp": "2026-01-14T12:00:00.000Z",
    }}  # fmt: skip
    message = {
        "Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": json.dumps(event),
        "Timestamp": "2026-01-14T12:00:00.000Z", "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
    }  # fmt: skip
    message["Signature"] = base64.b64encode(
        key.sign(sns.signed_text(message), padding.PKCS1v15(), hashes.SHA256())
    ).decode()
    headers = {"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": "m-1", **basic(SECRET)}
    forged = json.dumps(message | {"Message": json.dumps(event).replace("Delivery", "Bounce")})
    return Caller("/callbacks/email/amazon_ses/tracking", json.dumps(message), headers, headers, forged)


def twilio(settings, **_):
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC
    path, fields = "/callbacks/twilio/status", {"MessageSid": "id-1", "MessageStatus": "delivered"}
    right, wrong = ({"X-Twilio-Signature": stand_in.signature(PUBLIC + path, fields, token=token)} for token in (
        stand_in.TOKEN, "another"
    ))  # fmt: skip
    return Caller(path, urlencode(fields), right, wrong, content_type="application/x-www-form-urlencoded")


PROVIDERS = [amazon_ses, mailgun, sendgrid, postmark, brevo, twilio]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda made: made.__name__)
def test_a_right_signature_counts_once_and_a_wrong_one_never(provider, settings, monkeypatch, amazon, log):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    made = provider(settings=settings, monkeypatch=monkeypatch, amazon=amazon)
    name = provider.__name__
    CommunicationLog.objects.update(provider=name, provider_message_id="<id-1>" if name == "mailgun" else "id-1")

    assert made.call(right=False).status_code == 403
    assert not ProviderEvent.objects.exists()

    assert made.call().status_code in (200, 204)
    log.refresh_from_db()
    assert log.status == "delivered", list(ProviderEvent.objects.values())
    seen = list(ProviderEvent.objects.values())

    assert made.call().status_code in (200, 204)
    assert list(ProviderEvent.objects.values()) == seen


def post_by_mailgun(event, **signature):
    body = json.dumps(mailgun_stand_in.signed(event, **{"token": "t" * 50} | signature))
    answer = Client().post("/callbacks/email/mailgun/tracking", body, content_type="application/json")
    inbox.process(clock=now)
    return answer.status_code


def mailguns_event(kind, log):
    return {
        "event": kind, "id": "e1", "timestamp": 1768392000.0, "recipient": "john@example.com", "severity": "permanent",
        "message": {"headers": {"message-id": "id-1"}}, "user-variables": {"log_id": str(log.pk)}, "delivery-status": {},
    }  # fmt: skip


@pytest.fixture
def mailguns_key(settings):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": mailgun_stand_in.KEY}


def test_a_token_of_mailgun_is_valid_for_one_content_only(mailguns_key, log):
    assert post_by_mailgun(mailguns_event("delivered", log)) == 200

    for kind in ("complained", "failed", "opened", "nonsense"):
        assert post_by_mailgun(mailguns_event(kind, log)) == 403

    log.refresh_from_db()
    assert (log.status, log.complained_at, log.open_count) == ("delivered", None, 0)
    assert ProviderEvent.objects.count() == 1
    assert post_by_mailgun(mailguns_event("delivered", log)) == 200
    assert post_by_mailgun(mailguns_event("complained", log), token="u" * 50) == 200


def test_a_mail_that_the_service_got_by_smtp_is_found_by_its_message_id(mailguns_key, log):
    CommunicationLog.objects.update(provider="smtp", provider_message_id=None, status="uncertain")
    for message_id, status in ((f"{log.pk}x@example.com", "uncertain"), (f"{log.pk}@example.com", "delivered")):
        event = mailgun_stand_in.delivered(message_id, "john@example.com")
        assert post_by_mailgun(event, token=message_id[30:]) == 200
        log.refresh_from_db()
        assert log.status == status


def test_a_token_of_an_unparsed_callback_is_used_up_too(mailguns_key, log):
    at = now().timestamp()
    assert post_by_mailgun({"no": "event"}, at=at) == 200
    assert post_by_mailgun({"no": "event"}, at=at) == 200

    assert post_by_mailgun(mailguns_event("delivered", log), at=at) == 403
    assert ProviderEvent.objects.get().kind == "unparsed"


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(hours=23), 200), (timedelta(hours=25), 403), (timedelta(minutes=-10), 403)]
)
def test_a_signature_of_mailgun_is_valid_for_a_day(mailguns_key, log, age, status):
    assert post_by_mailgun(mailguns_event("delivered", log), at=(now() - age).timestamp()) == status
    assert ProviderEvent.objects.exists() == (status == 200)


def test_each_inbound_mail_by_mailgun_needs_its_own_token(mailguns_key):
    signed = mailgun_stand_in.signed({})["signature"]

    def receive(text):
        fields = {
            **signed, "sender": "john@example.com", "recipient": "us@example.com", "body-plain": text,
            "message-headers": json.dumps([["From", "john@example.com"], ["Message-Id", f"<{text}@x>"]]),
        }  # fmt: skip
        return Client().post("/callbacks/email/mailgun/inbound", fields).status_code

    assert [receive("Hello"), receive("Hello"), receive("STOP")] == [200, 200, 403]
    inbox.process(clock=now)
    assert CommunicationLog.objects.get().body == "Hello"


def test_a_certificate_from_another_host_is_refused(settings, monkeypatch, amazon):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    made = amazon_ses(settings, monkeypatch, amazon)
    made.body = made.body.replace("sns.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.evil.example")
    assert made.call().status_code == 403
