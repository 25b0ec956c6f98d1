"""Calls in which Twilio reads the text out."""

from xml.sax.saxutils import escape, quoteattr

from django.conf import settings

from communications.channels import sms, twilio_api
from communications.channels.message import Outcome, Outgoing

#: What Twilio's <Say> wants is a tag with a region.
_SPOKEN = {"en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "pt": "pt-PT", "nl": "nl-NL"}


class Sender:
    def send(self, outgoing: Outgoing) -> Outcome:
        """Have one call made and say what became of the order."""
        if settings.SMS_BACKEND != "twilio":
            return sms.without_provider("Call", outgoing)
        return twilio_api.hand_over(
            lambda client: client.calls.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                twiml=spoken(outgoing),
                status_callback=twilio_api.callback_url(outgoing),
            )
        )

    def close(self) -> None:
        """Twilio's client keeps its connections by itself."""


def spoken(outgoing: Outgoing) -> str:
    """Write the text as TwiML."""
    language = outgoing.language or ""
    tag = _SPOKEN.get(language, language if "-" in language else "")
    attribute = f" language={quoteattr(tag)}" if tag else ""
    return f"<Response><Say{attribute}>{escape(outgoing.body)}</Say></Response>"
