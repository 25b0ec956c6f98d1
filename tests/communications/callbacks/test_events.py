"""Events over HTTP that are late, repeated, out of order or about unknown messages, and replies in their thread."""

import pytest
from django.test import Client

from communications.models import CommunicationLog, ProviderEvent
from tests import factories
from tests.communications.callbacks.posting import PUBLIC, SECRET, basic, form, post, sent, stops
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db

JOHN = "john@example.com"


@pytest.fixture(autouse=True)
def configured(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "BREVO_API_KEY": "x"}
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def log():
    return sent(provider="postmark", provider_message_id="id-1", address=JOHN)


def postmark(client, record, **fields):
    reported = {"RecordType": record, "MessageID": "id-1", "Recipient": JOHN, "Email": JOHN, **fields}
    assert post(client, "/callbacks/email/postmark/tracking", reported, **basic()).status_code == 200


DELIVERED = {"record": "Delivery", "DeliveredAt": "2026-01-14T12:00:00Z"}
BOUNCED = {"record": "Bounce", "ID": 1, "Type": "HardBounce", "BouncedAt": "2026-01-14T12:00:05Z", "Details": "550"}
COMPLAINED = {"record": "SpamComplaint", "ID": 2, "Type": "SpamComplaint", "BouncedAt": "2026-01-15T09:00:00Z"}


def test_a_complaint_is_recorded_once_and_suppresses_the_address(client, log):
    for _ in range(2):
        postmark(client, **COMPLAINED)

    log.refresh_from_db()
    assert (log.status, log.complained_at is None) == ("delivered", False)
    assert stops() == [(JOHN, ["complained"])]
    assert ProviderEvent.objects.count() == 1
    debt = factories.debt(debtor=factories.debtor(email=JOHN))
    assert queue(debt=debt).status == "blocked"


@pytest.mark.parametrize(
    ("provider", "reported"),
    [
        ("postmark", {"RecordType": "Bounce", "ID": 1, "Type": "SoftBounce", "MessageID": "id-1", "Email": JOHN}),
        ("brevo", {"event": "soft_bounce", "email": JOHN, "message-id": "id-1", "id": 1, "ts_event": 1768392000}),
        ("sendgrid", [{"event": "bounce", "type": "blocked", "email": JOHN, "anymail_id": "id-1", "sg_event_id": "e",
                       "timestamp": 1768392000, "reason": "452 full"}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_soft_bounce_suppresses_nothing(client, provider, reported):
    log = sent(provider=provider, provider_message_id="id-1", address=JOHN)

    assert post(client, f"/callbacks/email/{provider}/tracking", reported, **basic()).status_code == 200

    log.refresh_from_db()
    assert ProviderEvent.objects.get().result == "Done"
    assert log.status in ("bounced", "sent")
    assert stops() == []


@pytest.mark.parametrize(
    "order", [(DELIVERED, BOUNCED, COMPLAINED), (COMPLAINED, BOUNCED, DELIVERED), (BOUNCED, DELIVERED, BOUNCED)]
)
def test_the_final_status_does_not_depend_on_the_order_of_events(client, log, order):
    for event in order:
        postmark(client, **event)

    log.refresh_from_db()
    assert log.status == "bounced"
    assert stops()[0][0] == JOHN


def test_a_mail_that_is_delivered_after_a_temporary_failure_was_delivered(client, log):
    postmark(client, "Bounce", ID=1, Type="Transient", BouncedAt="2026-01-14T12:00:00Z", Details="451 later")
    log.refresh_from_db()
    assert log.status == "sent"

    postmark(client, "Delivery", DeliveredAt="2026-01-14T12:05:00Z")

    log.refresh_from_db()
    assert (log.status, log.failure_reason, stops()) == ("delivered", None, [])


def test_an_address_that_postmark_suppressed_stays_so_until_an_agent_decides(client, log):
    debt = factories.debt(debtor=factories.debtor(email=JOHN))
    for suppressed, at in ((True, "2026-01-14T12:00:00Z"), (False, "2026-01-15T12:00:00Z")):
        postmark(
            client, "SubscriptionChange", SuppressSending=suppressed, ChangedAt=at, Origin="Recipient",
            SuppressionReason="ManualSuppression" if suppressed else None,
        )  # fmt: skip
        assert stops() == [(JOHN, ["opted out"])]
        assert queue(debt=debt).status == "blocked"


def test_an_old_event_changes_nothing(client, log):
    postmark(client, **BOUNCED)
    before = CommunicationLog.objects.values().get()

    postmark(client, "Delivery", DeliveredAt="2001-01-01T00:00:00Z")

    assert CommunicationLog.objects.values().get() == before


def test_an_event_about_an_unknown_message_changes_nothing(client, log):
    for path, reported in (
        ("postmark", {"RecordType": "Delivery", "MessageID": "unknown", "Recipient": "x@example.com"}),
        ("sendgrid", [{"event": "delivered", "email": "x@example.com", "sg_event_id": "e", "timestamp": 1768392000}]),
        ("brevo", {"event": "delivered", "email": "x@example.com", "message-id": "x", "id": 1}),
    ):
        assert post(client, f"/callbacks/email/{path}/tracking", reported, **basic()).status_code == 200
    assert form(client, "/callbacks/twilio/status", {"MessageSid": "SM0", "MessageStatus": "sent"}).status_code == 204

    log.refresh_from_db()
    assert (log.status, stops()) == ("sent", [])
    assert not ProviderEvent.objects.filter(failed_at__isnull=False).exists()


def test_a_repeated_open_counts_once(client):
    log = sent(provider="postmark", provider_message_id="id-1", debtor=factories.debtor(tracking_consent_at=NOON))
    seen = {"ReceivedAt": "2026-01-14T12:00:00Z", "UserAgent": "Mozilla/5.0 (X11) Thunderbird/140.1"}
    for _ in range(2):
        postmark(client, "Open", **seen)
    postmark(client, "Open", **seen | {"ReceivedAt": "2026-01-14T13:00:00Z"})

    log.refresh_from_db()
    assert (log.open_count, log.status) == (2, "delivered")


def test_an_open_is_not_counted_without_a_necessary_consent(client, log):
    postmark(client, "Open", ReceivedAt="2026-01-14T12:00:00Z", UserAgent="Mozilla/5.0 (X11) Thunderbird/140.1")

    log.refresh_from_db()
    assert (log.open_count, log.opened_at, log.status) == (0, None, "delivered")


def inbound(client, *headers, text="Yes", number="m-1"):
    reported = {
        "FromFull": {"Email": JOHN}, "From": JOHN, "To": "us@example.com", "Subject": "Re: About", "TextBody": text,
        "MessageID": number, "Headers": [{"Name": name, "Value": value} for name, value in headers], "Attachments": [],
    }  # fmt: skip
    assert post(client, "/callbacks/email/postmark/inbound", reported, **basic()).status_code == 200
    return CommunicationLog.objects.filter(direction="inbound").latest("created_at")


def test_a_reply_by_mail_is_linked_to_the_mail_that_it_answers(client, smtp):
    debt = factories.debt(debtor=factories.debtor(email=JOHN))
    first, second = queue(debt=debt), queue(debt=debt)
    drain()
    ids = {str(mail["Message-ID"]).strip()[1:37]: str(mail["Message-ID"]).strip() for mail in smtp.mails}

    reply = inbound(
        client,
        ("Message-ID", "<their-own@example.com>"),
        ("References", f"<stranger@example.com> {ids[str(second.pk)]} {ids[str(first.pk)]}"),
    )
    assert (reply.in_reply_to, reply.debt, reply.debtor) == (first, debt, debt.debtor)

    by_parent = inbound(
        client, ("Message-ID", "<another@example.com>"), ("In-Reply-To", ids[str(second.pk)]),
        ("References", ids[str(first.pk)]), number="m-2",
    )  # fmt: skip
    assert by_parent.in_reply_to == second


def test_a_reply_to_the_providers_own_id_is_linked_too(client, log):
    reply = inbound(client, ("Message-ID", "<own@x>"), ("In-Reply-To", "<id-1>"))
    assert reply.in_reply_to == log


def test_a_mail_that_answers_none_of_ours_is_stored_without_a_link(client):
    reply = inbound(client, ("Message-ID", "<own@x>"), ("References", "<a@b> <c@d>"))
    assert (reply.in_reply_to, reply.read_at) == (None, None)


def test_a_reply_by_sms_is_linked_to_the_newest_sms_to_that_number(client):
    phone = "+447700900001"
    sent(communication_type="sms", address=phone, sent_at=NOON)
    asked = sent(communication_type="sms", address=phone, sent_at=NOON.replace(hour=13))

    assert (
        form(client, "/callbacks/twilio/inbound", {"MessageSid": "SM9", "From": phone, "Body": "When?"}).status_code
        == 200
    )

    assert CommunicationLog.objects.get(direction="inbound").in_reply_to == asked
