"""Write the text of a message: the one that is sent, and the one that is stored, which masks a one-time code."""

from collections.abc import Mapping

from communications.links import open_pixel, unsubscribe_link
from communications.models import CommunicationLog, CommunicationTemplateVersion
from communications.outbox.may_go import Unsendable
from communications.texts import composition, limits, one_time_code, placeholders, required_lines, wording
from communications.texts.composition import Text
from contact.models import Purpose
from debtors.channels import Channel


class Unwritable(Exception):
    """The message must not be sent with this text. Its argument is the reason, which the row keeps."""


def write(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, values: Mapping[str, str]
) -> tuple[Text, Text]:
    """Return the sent text and the stored text; they differ only by a one-time code.

    :raises Unwritable: if a placeholder has no value, or the text is too long for its channel
    """
    subject, body = (version.subject, version.body) if version else draft(message)
    channel, language = message.communication_type, language_of(version)
    mail = channel == Channel.EMAIL
    if message.purpose == Purpose.COLLECTION:
        body = required_lines.add(body, channel=channel, language=language)
    values = {**values, "unsubscribe_url": unsubscribe_link.url(message.pk) if mail else ""}
    if not message.one_time_code_of:
        values["otp_code"] = ""
    stored_text = sent_text = composition.compose(subject, body, values, channel=channel, language=language)
    if reason := problem(subject if mail else None, body, values, stored_text, channel=channel):
        raise Unwritable(reason)
    if message.one_time_code_of:
        code = one_time_code.derive(message.one_time_code_of)
        code_values = {**values, "otp_code": code}
        sent_text = composition.compose(subject, body, code_values, channel=channel, language=language)
    if mail and message.debtor and open_pixel.may_track(message.debtor):
        url = open_pixel.url(message.pk)
        return composition.with_pixel(sent_text, url), composition.with_pixel(stored_text, url)
    return sent_text, stored_text


def problem(subject: str | None, body: str, values: Mapping[str, str], text: Text, *, channel: str) -> str | None:
    """Return why a text must not be sent: a placeholder without a value, or a length that its channel refuses."""
    if names := placeholders.missing(values, subject, body):
        return Unsendable.MISSING_VALUE.format(names=", ".join(names))
    too_long = limits.problem(text, channel)
    return f"{Unsendable.TOO_LONG}: {too_long[1]}" if too_long else None


def language_of(version: CommunicationTemplateVersion | None) -> str:
    """Return the language of a message's text. A text without a template is the product's own, in English."""
    return version.language if version else wording.FALLBACK


def draft(message: CommunicationLog) -> tuple[str | None, str]:
    """Return subject and body of a message without a template, before their placeholders were filled in."""
    if message.draft:
        return message.draft["subject"], message.draft["body"]
    return message.subject, message.body or ""
