"""Openings by the pixel, and delivery events of providers."""

import uuid

import pytest

from communications.callbacks import delivery_events, opens
from communications.callbacks.delivery_events import Applied
from communications.channels.events import DeliveryEvent
from communications.links import open_pixel
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox import outbox
from communications.outbox.states import Event
from communications.sending import worker
from debtors.models import ContactPoint, SuppressionReason
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db


def sent(**values):
    values = {
        "status": "sent",
        "provider": "mailgun",
        "provider_message_id": "<1@x>",
        "address": "a@example.com",
    } | values
    return CommunicationLog.objects.create(**{"debtor": factories.debtor(), "communication_type": "email"} | values)


READER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.1"


def look(anonymous, path, by=READER, **headers):
    return anonymous.get(path, **{"User-Agent": by}, **headers)


def open_path(log):
    return open_pixel.url(log.pk).removeprefix("http://127.0.0.1:8000")


def test_every_opening_is_counted_and_the_first_time_kept(anonymous):
    log = sent()

    answers = [look(anonymous, open_path(log)) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/gif"
        assert answer["Cache-Control"] == "no-store"
        assert answer.content.startswith(b"GIF89a")
    first = CommunicationLog.objects.get().opened_at
    look(anonymous, open_path(log))
    log.refresh_from_db()
    assert (log.open_count, log.opened_at, log.status) == (3, first, "delivered")


def test_an_opening_sends_a_signal():
    heard = []
    log = sent()
    opens.opened.connect(
        lambda sender, message, now, **_: heard.append((message.pk, now)), weak=False, dispatch_uid="test"
    )
    try:
        delivery_events.record_open(open_path(log).split("/")[-1].removesuffix(".gif"), user_agent=READER, now=NOON)
    finally:
        opens.opened.disconnect(dispatch_uid="test")

    assert heard == [(log.pk, NOON)]


def test_an_invalid_token_gets_the_picture_and_counts_nothing(anonymous):
    log = sent()
    right = open_path(log)
    wrong = [right.replace("open/", "open/A"), right[:-6] + "AA.gif", "/track/open/x.gif", "/track/open/%00/é.gif"]

    for path in wrong:
        answer = look(anonymous, path)
        assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/gif", "no-store")
    log.refresh_from_db()
    assert (log.open_count, log.opened_at) == (0, None)


def test_the_token_does_not_contain_the_debtor():
    log = sent()

    url = open_pixel.url(log.pk)
    assert str(log.debtor_id) not in url
    assert log.debtor_id.bytes not in __import__("base64").urlsafe_b64decode(url.split("/")[-1][:-4] + "==")


def test_opening_an_uncertain_mail_resolves_it(anonymous):
    log = sent(status="uncertain")

    look(anonymous, open_path(log))

    log.refresh_from_db()
    assert log.status == "delivered"


@pytest.mark.parametrize(
    ("country", "consent", "tracked"),
    [
        ("US", None, True),
        ("GB", None, False),
        ("DE", None, False),
        ("NO", None, False),
        ("RE", None, False),
        (None, None, False),
        ("DE", NOON, True),
    ],
)
def test_the_pixel_needs_consent_in_europe_and_in_unknown_countries(smtp, country, consent, tracked):
    debtor = factories.debtor(country_code=country, tracking_consent_at=consent, mobile_phone="+447400123456")
    log = outbox.queue(debtor=debtor, channel="email", subject="x", body="x", purpose="code", now=NOON)

    worker.drain(clock=lambda: NOON)

    html = smtp.mails[0].get_body(("html",)).get_content()
    assert (open_pixel.url(log.pk) in html) == ("<img" in html) == tracked


def event(log, **values):
    about = {"provider": "mailgun", "event_id": str(uuid.uuid4()), "provider_message_id": log.provider_message_id}
    return DeliveryEvent(**about | values)


@pytest.mark.parametrize(
    ("before", "reported", "after"),
    [
        ("sending", "sent", "sent"),
        ("uncertain", "sent", "sent"),
        ("sent", "delivered", "delivered"),
        ("uncertain", "delivered", "delivered"),
        ("sent", "bounced", "bounced"),
        ("delivered", "bounced", "bounced"),
        ("sent", "failed", "failed"),
        ("delivered", "sent", "delivered"),
        ("delivered", "failed", "delivered"),
        ("bounced", "delivered", "bounced"),
        ("failed", "sent", "failed"),
    ],
)
def test_an_event_moves_a_status_forward_only(before, reported, after):
    log = sent(status=before, attempts=1, due_at=NOON if before == "sending" else None)

    reported = event(log, event=Event(reported), reason_text="Their words")
    assert delivery_events.apply(reported, now=NOON) == Applied.DONE

    log.refresh_from_db()
    assert log.status == after
    assert log.delivered_at == (NOON if before != after == "delivered" else None)
    if before != after in ("failed", "bounced"):
        assert log.failure_reason == "Their words"


@pytest.mark.parametrize("fact", [Event.OPENED, Event.CLICKED])
@pytest.mark.parametrize("before", ["sent", "uncertain"])
def test_a_provider_that_reports_an_opening_or_a_click_proves_delivery(fact, before):
    log = sent(status=before, debtor=factories.debtor(tracking_consent_at=NOON))

    delivery_events.apply(event(log, event=fact, user_agent=READER), now=NOON)

    log.refresh_from_db()
    assert (log.status, log.delivered_at) == ("delivered", NOON)
    assert (log.open_count, log.clicked_at) == ((1, None) if fact == Event.OPENED else (0, NOON))


def test_a_bounce_suppresses_the_address():
    log = sent(address="A@Example.com")

    delivery_events.apply(event(log, event=Event.BOUNCED, suppression=SuppressionReason.BOUNCED), now=NOON)

    stopped = ContactPoint.objects.get(messages_suppressed=True)
    assert (stopped.kind, stopped.value, stopped.suppressions) == ("email", "a@example.com", ["bounced"])


def test_an_event_about_a_message_that_was_never_handed_over_changes_only_the_address():
    log = sent(status="queued", due_at=NOON)
    before = CommunicationLog.objects.values().get()

    reported = event(log, event=Event.BOUNCED, suppression=SuppressionReason.BOUNCED, call_outcome="voicemail")
    assert delivery_events.apply(reported, now=NOON) == Applied.NEVER_HANDED_OVER

    assert CommunicationLog.objects.values().get() == before
    assert ContactPoint.objects.get(messages_suppressed=True).value == "a@example.com"


def test_an_opening_of_a_mail_that_was_never_handed_over_waits_for_an_agent(anonymous):
    log = sent(status="blocked")

    for _ in range(2):
        assert look(anonymous, open_path(log)).status_code == 200

    log.refresh_from_db()
    assert (log.status, log.open_count, log.opened_at) == ("blocked", 0, None)
    row = ProviderEvent.objects.get()
    assert (row.provider, row.failed_at is None, row.due_at) == ("pixel", False, None)
    assert row.error == delivery_events.NEVER_HANDED_OVER
    assert row.payload == {"message_id": str(log.pk), "event": "opened", "user_agent": READER}


def test_an_event_about_no_message_of_ours_is_harmless():
    unknown = DeliveryEvent("mailgun", "1", provider_message_id="<unknown>", event=Event.DELIVERED)

    assert delivery_events.apply(unknown, now=NOON) == Applied.UNKNOWN_MESSAGE


def test_another_providers_id_is_not_ours():
    log = sent()

    reported = event(log, provider="brevo", event=Event.BOUNCED)
    assert delivery_events.apply(reported, now=NOON) == Applied.UNKNOWN_MESSAGE
    log.refresh_from_db()
    assert log.status == "sent"
