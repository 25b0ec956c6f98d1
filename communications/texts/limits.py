"""The lengths that channels accept: checked with long values when a template is saved, and before each hand-over."""

from collections.abc import Mapping

from django.conf import settings

from communications.texts import placeholders
from communications.texts.composition import Text
from debtors.channels import Channel

#: Twilio refuses longer text messages (error 21617).
SMS_CHARACTERS = 1_600
#: The shortest of Twilio's limits for spoken text (warning 13521), which count the bytes of UTF-8.
VOICE_BYTES = 3_000
#: A line of a mail is no longer (RFC 5322, 2.1.1), and neither is the column.
SUBJECT_CHARACTERS = 998
#: Long links: https://…/unsubscribe/ and a token.
_LINK = 100
#: The length of a token in a message's link to the portal (``communications.links.portal_link``).
_PORTAL_TOKEN = 43


def problem(text: Text, channel: str) -> tuple[str, str] | None:
    """Return the field that is too long for the channel, and what is wrong with it; None if the text fits."""
    if channel == Channel.EMAIL and len(text.subject or "") > SUBJECT_CHARACTERS:
        return (
            "subject",
            f"The subject has {len(text.subject or ''):,} characters. A mail takes {SUBJECT_CHARACTERS:,}.",
        )
    if channel == Channel.SMS and (length := _characters(text.body)) > SMS_CHARACTERS:
        return "body", f"The text has {length:,} characters. A text message takes {SMS_CHARACTERS:,}."
    if channel == Channel.VOICE and (length := len(text.body.encode())) > VOICE_BYTES:
        return "body", f"The text has {length:,} bytes. A call takes {VOICE_BYTES:,}, about four minutes."
    return None


def long_values() -> Mapping[str, str]:
    """Return a long value for each placeholder: the agency's own, and letters in place of all others."""
    values = {entry.name: "x" * entry.long for entry in placeholders.CATALOGUE}
    return (
        values
        | placeholders.of_agency()
        | {
            "portal_url": f"{settings.PUBLIC_URL}/portal/l/" + "x" * _PORTAL_TOKEN,
            "unsubscribe_url": settings.PUBLIC_URL + "x" * _LINK,
        }
    )


def _characters(text: str) -> int:
    """Count as networks do: a character outside the basic plane, such as an emoji, is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
