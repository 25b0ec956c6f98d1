"""The worklist of callbacks: an agent retries or closes one that needs review."""

import pytest

from communications.callbacks import delivery_events, inbox
from communications.channels.events import DeliveryEvent
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox.states import Event
from tests import factories
from tests.admin.conftest import Browser, said
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def unexpected() -> ProviderEvent:
    """An event about a message that was never handed over."""
    message = CommunicationLog.objects.create(
        debtor=factories.debtor(), communication_type="email", status="queued", due_at=NOON
    )
    inbox.store([DeliveryEvent("mailgun", "1", message.pk, event=Event.DELIVERED)], now=NOON)
    assert inbox.process(clock=lambda: NOON) == {"never_handed_over": 1}
    return ProviderEvent.objects.get()


def page(event: ProviderEvent, action: str) -> str:
    return f"/admin/communications/providerevent/{event.pk}/{action}/"


def test_it_is_listed_with_its_reason(supervisor_at_desk: Browser, unexpected: ProviderEvent):
    (row,) = supervisor_at_desk.list(ProviderEvent, state="failed").context["cl"].result_list

    assert row.error == delivery_events.NEVER_HANDED_OVER
    assert "Needs review" in supervisor_at_desk.list(ProviderEvent).content.decode()


def test_one_is_closed_without_any_effect(supervisor_at_desk: Browser, unexpected: ProviderEvent):
    answer = supervisor_at_desk.post(page(unexpected, "close"), {"csrf": "x"}, follow=True)

    assert said(answer) == ["The callback is closed."]
    unexpected.refresh_from_db()
    assert (unexpected.failed_at, unexpected.result) == (None, f"Closed by {supervisor_at_desk.agent}")
    assert unexpected.processed_at
    assert CommunicationLog.objects.get().status == "queued"
    assert (
        b"may have been retried or closed already"
        in supervisor_at_desk.post(page(unexpected, "close"), {"csrf": "x"}).content
    )


def test_one_is_retried_once_its_message_was_handed_over(supervisor_at_desk: Browser, unexpected: ProviderEvent):
    CommunicationLog.objects.update(status="sent", due_at=None, attempts=1)

    assert said(supervisor_at_desk.post(page(unexpected, "retry"), {"csrf": "x"}, follow=True)) == [
        "The callback is processed again."
    ]
    inbox.process(clock=lambda: unexpected.received_at.replace(year=2100))

    assert CommunicationLog.objects.get().status == "delivered"


def test_many_are_closed_together(supervisor_at_desk: Browser, unexpected: ProviderEvent):
    assert said(supervisor_at_desk.act("close_selected", ProviderEvent.objects.all())) == ["1 callback closed."]
    assert not ProviderEvent.objects.filter(failed_at__isnull=False).exists()


def test_an_agent_without_the_permission_closes_nothing(agent_at_desk: Browser, unexpected: ProviderEvent):
    assert agent_at_desk.post(page(unexpected, "close"), {"csrf": "x"}).status_code == 403
    assert ProviderEvent.objects.get().failed_at
