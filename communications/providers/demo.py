"""The demo's provider: it sends nothing and accepts almost everything. The demo shows its messages from the outbox."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from communications.channels.message import Outcome, Outgoing, Result
from communications.providers.base import OfflineProvider

#: The last digits of numbers of which nobody knows whether they got the message.
UNCERTAIN = ("04", "13", "31", "57", "72", "96")
_LOST = "The connection was lost; the provider may or may not have the message."


class Demo(OfflineProvider):
    name = "demo"

    def check_settings(self) -> None:
        if not settings.DEMO:
            raise ImproperlyConfigured(
                "SMS_BACKEND=demo sends nothing but counts messages as sent. Use it with DEMO=1 only."
            )

    def send_sms(self, outgoing: Outgoing) -> Outcome:
        return self._accept_most(outgoing)

    def call(self, outgoing: Outgoing) -> Outcome:
        return self._accept_most(outgoing)

    def _accept_most(self, outgoing: Outgoing) -> Outcome:
        """Accept a message, unless its number is one that loses the connection, like the test numbers of real providers."""
        if outgoing.to.endswith(UNCERTAIN):
            return Outcome(Result.UNCERTAIN, self.name, reason_text=_LOST)
        return self.accept(outgoing)


class EmailBackend(BaseEmailBackend):
    """The demo's mail backend (EMAIL_URL=demo://)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return len(email_messages)
