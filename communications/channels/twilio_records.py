"""What Twilio has of us: read, and nothing is sent by it."""

from datetime import datetime
from typing import Any

from django.conf import settings

from communications.channels import twilio_api

PROVIDER = twilio_api.PROVIDER
_MOST = 50


def texts_to(number: str, *, since: datetime) -> list[Any]:
    """Return the newest text messages from us to a number, each with ``sid`` and ``body``, that were made since a moment.

    :raises TwilioException: if Twilio refuses to tell; where it doesn't answer, what ``requests`` raises
    """
    newest = twilio_api.client().messages.list(to=number, from_=settings.TWILIO_FROM_NUMBER, limit=_MOST)
    return [message for message in newest if message.date_created and message.date_created >= since]
