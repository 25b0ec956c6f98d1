"""The protocol of a reader of mail callbacks: one class in one file of this folder, and one line in ``registry.py``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.http import HttpRequest

from communications.channels.events import CallbackEvent


@dataclass(frozen=True)
class Challenge(Exception):
    """The service sends its credentials only after it was asked for them by a 401 response with this realm."""

    realm: str


class MailCallbackReader(Protocol):
    """Read the callbacks of one mail service. ``kind`` is ``tracking`` or ``inbound``, as in the callback's address."""

    #: The name in the callback's address and of the events; anymail's name, if anymail knows the service.
    name: str

    def handles(self, kind: str) -> bool:
        """Report whether the service has callbacks of this kind."""

    def verify(self, kind: str, request: HttpRequest) -> None:
        """Check that the service itself sent a callback: by its signature, or else by ANYMAIL_WEBHOOK_SECRET.

        :raises NotAuthentic: if the signature or the secret is wrong or not configured
        :raises Challenge: if the service must be asked for its credentials first
        """

    def parse(self, kind: str, request: HttpRequest) -> list[CallbackEvent]:
        """Return the events of an authentic callback. The same event gets the same ``event_id`` each time.

        :raises Exception: if the content is unknown; the callback is stored as it is, and parsed again later
        """

    def refuse_replay(self, events: list[CallbackEvent], request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
        """Return the events with ids by which a replay is recognised. A signature over the whole content needs no such check.

        :raises NotAuthentic: if the signature is too old, or if it came with other content before
        """
