"""A provider of SMS and voice is one class, and one line in the registry."""

from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from communications.channels.message import Outcome, Outgoing, Result
from communications.providers import registry
from communications.providers.base import OfflineProvider
from tests import factories
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
        return Outcome(Result.RETRY, self.name, words="Line busy", down=True)


@pytest.fixture
def tiny(settings, monkeypatch):
    provider = Tiny()
    monkeypatch.setitem(registry.PROVIDERS, provider.name, provider)
    settings.SMS_BACKEND = provider.name
    return provider


@pytest.mark.django_db
def test_messages_go_by_a_provider_once_it_is_registered(tiny):
    registry.check_settings()
    text = queue(channel="sms", template=factories.template(communication_type="sms", subject=None, body="Hello"))
    call = queue(channel="voice", template=factories.template(communication_type="voice", subject=None, body="Hello"))

    assert drain().ended == {"sent": 1, "queued": 1}

    for message in (text, call):
        message.refresh_from_db()
    assert sorted(tiny.sent) == [("call", call.address, "Hello"), ("sms", text.address, "Hello")]
    assert (text.provider, text.provider_message_id) == ("tiny", "T1")
    assert (call.provider, call.failure_reason) == ("tiny", "Line busy")


def test_an_unknown_provider_is_refused_with_the_names_of_all(settings):
    settings.SMS_BACKEND = "nosuch"
    with pytest.raises(ImproperlyConfigured, match=r"“nosuch”\. Use one of: console, demo, twilio\."):
        registry.check_settings()


def test_the_demos_provider_needs_the_demo(settings):
    settings.SMS_BACKEND, settings.DEMO = "demo", False
    with pytest.raises(ImproperlyConfigured, match="DEMO=1"):
        registry.check_settings()
    settings.DEMO = True
    registry.check_settings()


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER"])
def test_twilio_needs_its_settings(twilio, settings, missing):
    registry.check_settings()
    setattr(settings, missing, "")
    with pytest.raises(ImproperlyConfigured, match="TWILIO_ACCOUNT_SID"):
        registry.check_settings()


def test_the_console_prints_messages(settings, capsys):
    settings.SMS_BACKEND = "console"
    provider = registry.configured()
    outgoing = Outgoing(uuid4(), "+447700900001", None, "Hello")
    assert (provider.send_sms(outgoing).result, provider.call(outgoing).result) == ("sent", "sent")
    assert capsys.readouterr().out == "SMS to +447700900001: Hello\nCall to +447700900001: Hello\n"
