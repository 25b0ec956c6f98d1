"""The protocol of a provider of SMS and voice: one class in one file of this folder, and one line in ``registry.py``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.http import HttpResponse

from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.spoken import Script


@dataclass(frozen=True)
class SentText:
    """A text message that the provider accepted: its id there, and its text."""

    message_id: str
    body: str


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

    def speak(self, script: Script) -> HttpResponse:
        """Return the answer to a callback from a call, in the provider's own markup.

        The provider speaks the lines. Then it calls back with the key that was pressed, or hangs up if the script waits for none.
        """


class OfflineProvider:
    """The part that providers without calls, callbacks and records share."""

    name = ""

    def check_settings(self) -> None:
        pass

    def fetch_status(self, address: str, *, since: datetime) -> list[SentText] | None:
        return None

    def speak(self, script: Script) -> HttpResponse:
        return HttpResponse(status=204)

    def accept(self, outgoing: Outgoing) -> Outcome:
        return Outcome(Result.SENT, self.name, str(outgoing.message_id))
