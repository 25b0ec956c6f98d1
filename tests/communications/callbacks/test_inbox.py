"""The inbox of callbacks: no event is lost or counted twice, and failures are shown."""

from datetime import timedelta

import pytest

from communications.callbacks import delivery_events, inbox
from communications.channels.events import DeliveryEvent
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox.states import Event
from ddc.common import event_inbox
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


def bounce(**values):
    return DeliveryEvent(
        **{
            "provider": "mailgun", "event_id": "e1", "provider_message_id": "<1@x>", "event": Event.BOUNCED,
            "suppression": SuppressionReason.BOUNCED,
        } | values
    )  # fmt: skip


def work(at=NOON):
    return inbox.process(clock=lambda: at, time_budget=None)


def test_an_event_is_stored_first_and_processed_by_a_worker():
    log = sent()
    assert inbox.store([bounce()], now=NOON) == 1
    log.refresh_from_db()
    assert log.status == "sent"

    assert work() == {"done": 1}

    log.refresh_from_db()
    event = ProviderEvent.objects.get()
    assert (log.status, event.processed_at, event.attempts, event.error) == ("bounced", NOON, 1, None)


def test_a_repeated_event_changes_nothing():
    sent()
    inbox.store([bounce()], now=NOON)
    work()
    ContactPoint.objects.update(bounced_at=None)
    CommunicationLog.objects.update(status="sent")

    assert inbox.store([bounce(), bounce()], now=NOON + timedelta(hours=1)) == 0

    assert work(NOON + timedelta(hours=1)) == {}
    assert CommunicationLog.objects.get().status == "sent"
    assert not ContactPoint.objects.filter(messages_suppressed=True).exists()


def test_a_handler_that_fails_is_run_again(monkeypatch):
    log, right = sent(), delivery_events.apply

    def failing(event, *, now):
        right(event, now=now)
        raise RuntimeError("crash after the work")

    monkeypatch.setattr(delivery_events, "apply", failing)
    inbox.store([bounce()], now=NOON)

    assert work() == {"put_off": 1}
    log.refresh_from_db()
    event = ProviderEvent.objects.get()
    assert (log.status, event.processed_at, event.due_at) == ("sent", None, NOON + event_inbox.BACKOFF[0])
    assert event.error == "RuntimeError: crash after the work"
    assert work() == {}

    monkeypatch.setattr(delivery_events, "apply", right)
    assert work(NOON + event_inbox.BACKOFF[0]) == {"done": 1}
    log.refresh_from_db()
    assert log.status == "bounced"


def test_an_event_that_fails_each_time_can_be_retried(monkeypatch, supervisor):
    log, right = sent(), delivery_events.apply
    monkeypatch.setattr(delivery_events, "apply", lambda event, now: 1 / 0)
    inbox.store([bounce()], now=NOON)
    at = NOON
    for wait in (*event_inbox.BACKOFF, timedelta(0)):
        work(at)
        at += wait
    event = ProviderEvent.objects.get()
    assert (event.failed_at is None, event.due_at, event.attempts) == (False, None, len(event_inbox.BACKOFF) + 1)

    monkeypatch.setattr(delivery_events, "apply", right)
    inbox.INBOX.retry(event, by=supervisor, now=at)
    assert work(at) == {"done": 1}
    log.refresh_from_db()
    assert log.status == "bounced"
    with pytest.raises(event_inbox.NotFailed):
        inbox.INBOX.retry(event, by=supervisor, now=at)


def test_the_claim_of_a_killed_worker_ends_with_its_lease(monkeypatch):
    sent()
    inbox.store([bounce()], now=NOON)

    def killed(event, *, now):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(delivery_events, "apply", killed)
        with pytest.raises(SystemExit):
            work()

    assert work(NOON + timedelta(seconds=1)) == {}
    assert work(NOON + event_inbox.LEASE) == {"done": 1}


def test_a_worker_that_outlives_its_lease_changes_nothing_once_another_has_claimed_the_event():
    sent()
    inbox.store([bounce()], now=NOON)

    def late(row, *, now):
        ProviderEvent.objects.filter(pk=row.pk).update(attempts=row.attempts + 1)  # The claim of another worker.
        assert not inbox.INBOX.of_this_try(row).exists()
        return inbox.INBOX.put_off(row, "too late", now=now)

    inbox.INBOX.process(late, clock=lambda: NOON, time_budget=None)

    event = ProviderEvent.objects.get()
    assert (event.attempts, event.error, event.due_at) == (2, None, NOON + event_inbox.LEASE)


def test_a_callback_that_is_faster_than_the_providers_answer_waits_for_its_message():
    inbox.store([bounce(suppression=None)], now=NOON)
    assert work() == {"waiting": 1}
    log = sent()

    assert work(NOON + timedelta(seconds=20)) == {"done": 1}

    log.refresh_from_db()
    assert log.status == "bounced"


def test_an_event_about_an_unknown_message_ends_harmlessly():
    inbox.store([bounce(suppression=None)], now=NOON)

    assert work(NOON + inbox.WAIT_FOR_MESSAGE) == {"unknown_message": 1}
    assert ProviderEvent.objects.get().result == "About no message of ours"


@pytest.mark.parametrize(
    "order", [("sent", "delivered", "bounced"), ("bounced", "delivered", "sent"), ("delivered", "bounced", "sent")]
)
def test_the_order_of_events_does_not_matter(order):
    log = sent(status="sending", due_at=NOON)
    for number, status in enumerate(order):
        event = bounce(event_id=str(number), event=Event(status), suppression=None)
        inbox.store([event], now=NOON)
        work()

    log.refresh_from_db()
    assert log.status == "bounced"
