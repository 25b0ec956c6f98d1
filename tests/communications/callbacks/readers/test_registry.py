"""A mail service is one reader of its callbacks, and one line in the registry."""

import json

import pytest
from django.utils.timezone import now

from communications.callbacks import inbox
from communications.callbacks.readers import registry
from communications.channels.events import DeliveryEvent, NotAuthentic
from communications.models import ProviderEvent
from communications.outbox.states import Event
from tests.communications.callbacks.posting import post, sent

pytestmark = pytest.mark.django_db
PATH = "/callbacks/email/tinymail/tracking"


class TinyMail:
    """A whole reader of a mail service that anymail does not know."""

    name = "tinymail"

    def handles(self, kind):
        return kind == "tracking"

    def verify(self, kind, request):
        if request.headers.get("X-Tiny") != "secret":
            raise NotAuthentic

    def parse(self, kind, request):
        return [
            DeliveryEvent(self.name, event["id"], provider_message_id=event["mail"], event=Event(event["event"]))
            for event in json.loads(request.body)
        ]

    def refuse_replay(self, events, request, *, now):
        return events


@pytest.fixture(autouse=True)
def tinymail(monkeypatch):
    monkeypatch.setitem(registry.READERS, "tinymail", TinyMail())


def call(client, events, *, secret="secret", path=PATH):
    return post(client, path, events, **{"X-Tiny": secret}).status_code


def test_its_callbacks_are_read_once_it_is_registered(client):
    log = sent(provider="tinymail", provider_message_id="M1")
    events = [{"id": "e1", "mail": "M1", "event": "delivered"}]

    assert call(client, events, secret="wrong") == 403
    assert call(client, events, path="/callbacks/email/tinymail/inbound") == 404
    assert [call(client, events), call(client, events)] == [200, 200]

    log.refresh_from_db()
    assert (log.status, ProviderEvent.objects.count()) == ("delivered", 1)


def test_a_callback_that_it_cannot_parse_is_stored_and_parsed_later(client, monkeypatch):
    log = sent(provider="tinymail", provider_message_id="M1")
    events = [{"id": "e1", "mail": "M1", "event": "arrived"}]
    assert call(client, events) == 200
    event = ProviderEvent.objects.get()
    assert (event.processed_at, event.attempts) == (None, 1)

    parse = TinyMail.parse
    monkeypatch.setattr(TinyMail, "parse", lambda self, kind, request: parse(self, kind, _corrected(request)))
    ProviderEvent.objects.update(due_at=now())
    inbox.process(clock=now)

    log.refresh_from_db()
    assert log.status == "delivered"


def _corrected(request):
    request._body = request.body.replace(b"arrived", b"delivered")
    return request
