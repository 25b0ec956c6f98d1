"""One sender per channel for a batch of messages, so that a connection serves many of them."""

from types import TracebackType
from typing import Protocol, Self

from django.conf import settings

from communications.channels import email, sms, twilio_api, voice
from communications.channels.message import Outcome, Outgoing
from communications.models import Channel

#: Who "takes" a call script: it is before an agent once it is written.
AGENT = "agent"


class Sender(Protocol):
    def send(self, outgoing: Outgoing) -> Outcome: ...

    def close(self) -> None: ...


def provider(channel: Channel) -> str:
    """Return the name of whoever takes a channel's messages."""
    if channel == Channel.CALL_SCRIPT:
        return AGENT
    if channel == Channel.EMAIL:
        return email.provider()
    return twilio_api.PROVIDER if settings.SMS_BACKEND == "twilio" else str(settings.SMS_BACKEND)


class Senders:
    """Opens a channel's sender with its first message and closes all at the end."""

    _kinds: dict[Channel, type[Sender]] = {
        Channel.EMAIL: email.Sender,
        Channel.SMS: sms.Sender,
        Channel.VOICE: voice.Sender,
    }

    def __init__(self) -> None:
        self._open: dict[Channel, Sender] = {}

    def send(self, channel: Channel, outgoing: Outgoing) -> Outcome:
        if channel not in self._open:
            self._open[channel] = self._kinds[channel]()
        return self._open[channel].send(outgoing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for sender in self._open.values():
            sender.close()
