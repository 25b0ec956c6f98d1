"""The protocol of a provider of SMS and voice: one class in one file of this folder, and one line in ``registry.py``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from communications.channels.events import (
    CallAnswered,
    DeliveryEvent,
    InboundMessage,
    KeyPress,
    NotAuthentic,
    Unreadable,
)
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.spoken import Prompt
from communications.outbox.states import Event
from debtors.channels import Channel


@dataclass(frozen=True)
class SentText:
    """A text message that the provider accepted: its id there, its text, and what became of it so far."""

    provider_message_id: str
    body: str
    event: Event


@dataclass(frozen=True)
class SentRecord:
    """A text message or a call in the provider's records.

    ``body`` is the text of a message, None for a call. ``message_id`` is our id, if the provider keeps it.
    """

    channel: Channel
    provider_message_id: str
    address: str
    at: datetime
    event: Event
    body: str | None = None
    message_id: UUID | None = None


class CallbackKind(StrEnum):
    """The callbacks of a provider; ``/callbacks/<provider>/<kind>`` is their address.

    ``status`` reports on a text message or a call, ``inbound`` brings a text message to us, ``answer`` asks what to speak in a
    call that was answered, and ``key`` asks the same after a key was pressed.
    """

    STATUS = "status"
    INBOUND = "inbound"
    ANSWER = "answer"
    KEY = "key"


ProviderCallback = DeliveryEvent | InboundMessage | CallAnswered | KeyPress


class Provider(Protocol):
    """A provider of SMS and voice. Numbers are in E.164, such as +447700900001; times are aware and in UTC.

    An object serves all threads of a process, and keeps its connections by itself.
    """

    #: The value of SMS_BACKEND, and the name in ``communication_log.provider`` and in the callbacks' address.
    name: str

    def check_settings(self) -> None:
        """Check the provider's own settings when a process starts.

        :raises ImproperlyConfigured: if one is missing or wrong; the message names it
        """

    def send_sms(self, outgoing: Outgoing) -> Outcome:
        """Hand over a text message: ``outgoing.body`` to the number ``outgoing.to``.

        Return ``retry`` only if the provider certainly does not have the message, and ``uncertain`` if it may have it: a
        message must never go out twice. Set ``down`` if the error concerns the provider and not this message. Raise nothing.
        """

    def call(self, outgoing: Outgoing) -> Outcome:
        """Order a call to the number ``outgoing.to``; the rules are those of ``send_sms``.

        The text is not spoken at once: the provider asks by a callback what to speak when the call is answered.
        """

    def fetch_status(self, address: str, *, since: datetime) -> list[SentText] | None:
        """Return our text messages to a number that the provider accepted since then; None if it keeps no such records.

        :raises Exception: if the provider does not answer; it is asked again later
        """

    def list_sent(self, *, since: datetime) -> list[SentRecord] | None:
        """Return all our text messages and calls that the provider accepted since then, or earlier ones too.

        None if it keeps no such records. A message that is not in the list must not have gone out.

        :raises Exception: if the provider does not answer
        """

    def verify_callback(self, request: HttpRequest) -> None:
        """Check that the provider itself sent a callback, such as by a signature over the public address and the content.

        :raises NotAuthentic: if it did not, or if the secret to check it is not configured
        """

    def parse_callback(self, kind: CallbackKind, request: HttpRequest) -> ProviderCallback:
        """Return the event of an authentic callback; the same event gets the same ``event_id`` each time.

        A status is a DeliveryEvent, an inbound message an InboundMessage, an answer a CallAnswered, a key a KeyPress. Texts pass
        ``storable``. The id of our message is in the callback's address if the provider put it there when it sent the message.

        :raises Unreadable: if a necessary field is missing
        """

    def reply(self, kind: CallbackKind, prompt: Prompt | None) -> HttpResponse:
        """Return the response to a callback; for ``answer`` and ``key`` with the prompt, in the provider's own markup.

        The provider speaks its lines. Then it calls back with the key that was pressed, or hangs up if the prompt waits for none.
        """


class OfflineProvider:
    """The part that providers without calls, callbacks and records share."""

    name = ""

    def check_settings(self) -> None:
        pass

    def fetch_status(self, address: str, *, since: datetime) -> list[SentText] | None:
        return None

    def list_sent(self, *, since: datetime) -> list[SentRecord] | None:
        return None

    def verify_callback(self, request: HttpRequest) -> None:
        raise NotAuthentic

    def parse_callback(self, kind: CallbackKind, request: HttpRequest) -> ProviderCallback:
        raise Unreadable

    def reply(self, kind: CallbackKind, prompt: Prompt | None) -> HttpResponse:
        return HttpResponse(status=204)

    def accept(self, outgoing: Outgoing) -> Outcome:
        return Outcome(Result.SENT, self.name, str(outgoing.message_id))
