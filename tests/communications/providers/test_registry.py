"""A provider of SMS and voice is one class, and one line in the registry."""

from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import JsonResponse

from communications.channels.events import DeliveryEvent, KeyPress, NotAuthentic, our_id
from communications.channels.message import Outcome, Outgoing, Result
from communications.models import ProviderEvent
from communications.outbox.states import Event
from communications.providers import registry
from communications.providers.base import CallbackKind, OfflineProvider
from tests import factories
from tests.communications.callbacks.posting import sent, worked
from tests.communications.messages import drain, queue


class Tiny(OfflineProvider):
    """A whole provider: it remembers what it sent."""

    name = "tiny"

    def __init__(self):
        self.sent = []

    def send_sms(self, outgoing):
        self.sent.append(("sms", outgoing.to, outgoing.body))
        return Outcome(Result.SENT, self.name, "T1")

    def call(self, outgoing):
        self.sent.append(("call", outgoing.to, outgoing.body))
        return Outcome(Result.RETRY, self.name, reason_text="Line busy", down=True)

    def verify_callback(self, request):
        if request.headers.get("X-Tiny") != "secret":
            raise NotAuthentic

    def parse_callback(self, kind, request):
        fields, number = request.POST, request.POST["id"]
        if kind == CallbackKind.STATUS:
            return DeliveryEvent(self.name, f"{number}:done", provider_message_id=number, event=Event.DELIVERED)
        return KeyPress(self.name, f"key:{number}", our_id(fields["call"]), fields["key"], fields["to"])

    def reply(self, kind, prompt):
        return JsonResponse([line.text for line in prompt.lines] if prompt else {}, safe=False)


@pytest.fixture
def tiny(settings, monkeypatch):
    provider = Tiny()
    monkeypatch.setitem(registry.PROVIDERS, provider.name, provider)
    settings.SMS_BACKEND = provider.name
    return provider


@pytest.mark.django_db
def test_messages_go_by_a_provider_once_it_is_registered(tiny):
    registry.configured().check_settings()
    text = queue(channel="sms", template=factories.template(communication_type="sms", subject=None, body="Hello"))
    call = queue(channel="voice", template=factories.template(communication_type="voice", subject=None, body="Hello"))

    assert drain().statuses == {"sent": 1, "queued": 1}

    for message in (text, call):
        message.refresh_from_db()
    words = "DDC: Hello\nReply STOP to get no more texts."
    assert sorted(tiny.sent) == [("call", call.address, "DDC: Hello"), ("sms", text.address, words)]
    assert (text.provider, text.provider_message_id) == ("tiny", "T1")
    assert (call.provider, call.failure_reason) == ("tiny", "Line busy")


@pytest.mark.django_db
def test_its_callbacks_come_over_http_and_count_once(tiny, client):
    log = sent(communication_type="sms", provider="tiny", provider_message_id="T1")

    def status(path="/callbacks/tiny/status", secret="secret"):
        return worked(client.post(path, {"id": "T1"}, headers={"X-Tiny": secret})).status_code

    assert status(secret="wrong") == 403
    assert status("/callbacks/nosuch/status") == 404
    assert not ProviderEvent.objects.exists()
    assert [status(), status()] == [200, 200]

    log.refresh_from_db()
    assert (log.status, ProviderEvent.objects.count()) == ("delivered", 1)


@pytest.mark.django_db
def test_a_key_in_its_call_is_answered_and_obeyed(tiny, client):
    call = sent(communication_type="voice", provider="tiny", address="+447700900001", body="You owe 5 pounds.")
    fields = {"id": "T2", "call": str(call.pk), "to": "+447700900001"}

    def press(key):
        return worked(client.post("/callbacks/tiny/key", fields | {"key": key}, headers={"X-Tiny": "secret"})).json()

    assert press("1")[0] == "You owe 5 pounds."
    assert press("5") == []
    call.refresh_from_db()
    assert call.outcome == "right_party"


def test_an_unknown_provider_is_refused_with_the_names_of_all(settings):
    settings.SMS_BACKEND = "nosuch"
    with pytest.raises(ImproperlyConfigured, match=r"“nosuch”\. Use one of: console, demo, twilio\."):
        registry.configured().check_settings()


def test_the_demos_provider_needs_the_demo(settings):
    settings.SMS_BACKEND, settings.DEMO = "demo", False
    with pytest.raises(ImproperlyConfigured, match="DEMO=1"):
        registry.configured().check_settings()
    settings.DEMO = True
    registry.configured().check_settings()


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER"])
def test_twilio_needs_its_settings(twilio, settings, missing):
    registry.configured().check_settings()
    setattr(settings, missing, "")
    with pytest.raises(ImproperlyConfigured, match="TWILIO_ACCOUNT_SID"):
        registry.configured().check_settings()


def test_the_console_prints_messages(settings, capsys):
    settings.SMS_BACKEND = "console"
    provider = registry.configured()
    outgoing = Outgoing(uuid4(), "+447700900001", None, "Hello")
    assert (provider.send_sms(outgoing).result, provider.call(outgoing).result) == ("sent", "sent")
    assert capsys.readouterr().out == "SMS to +447700900001: Hello\nCall to +447700900001: Hello\n"
