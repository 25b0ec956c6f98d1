"""The demo's provider: it accepts everything and sends nothing. The demo shows its messages from the outbox."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from communications.channels.message import Outcome, Outgoing
from communications.providers.base import OfflineProvider


class Demo(OfflineProvider):
    name = "demo"

    def check_settings(self) -> None:
        if not settings.DEMO:
            raise ImproperlyConfigured(
                "SMS_BACKEND=demo sends nothing but counts messages as sent. Use it with DEMO=1 only."
            )

    def send_sms(self, outgoing: Outgoing) -> Outcome:
        return self.accept(outgoing)

    def call(self, outgoing: Outgoing) -> Outcome:
        return self.accept(outgoing)


class EmailBackend(BaseEmailBackend):
    """The demo's mail backend (EMAIL_URL=demo://)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return len(email_messages)
