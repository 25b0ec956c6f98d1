"""SMS, by Twilio, to the console, or to the demo's page."""

import sys

from django.conf import settings

from communications.channels import twilio_api
from communications.channels.message import Outcome, Outgoing, Result


class Sender:
    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one SMS over and say what became of it."""
        if settings.SMS_BACKEND != "twilio":
            return without_provider("SMS", outgoing)
        return twilio_api.hand_over(
            lambda client: client.messages.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                body=outgoing.body,
                status_callback=twilio_api.callback_url(outgoing),
            )
        )

    def close(self) -> None:
        """Twilio's client keeps its connections by itself."""


def without_provider(kind: str, outgoing: Outgoing) -> Outcome:
    """Print the message (``console``), or leave it to the demo's page (``demo``)."""
    if settings.SMS_BACKEND == "console":
        sys.stdout.write(f"{kind} to {outgoing.to}: {outgoing.body}\n")
        sys.stdout.flush()
    return Outcome(Result.SENT, settings.SMS_BACKEND, str(outgoing.message_id))
