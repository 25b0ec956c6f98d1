"""Write the text of a message: the one that is sent, and the one that is stored, which masks a one-time code."""

from collections.abc import Mapping

from communications.links import open_pixel, portal_link, unsubscribe_link
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
    """Return the sent text and the stored text; they differ only by a one-time code, and by the token in a link to the portal.

    :raises Unwritable: if a placeholder has no value, or the text is too long for its channel
    """
    stored_text, reason = compose(message, version, values)
    if reason:
        raise Unwritable(reason)
    sent_text = stored_text
    if message.one_time_code_of:
        code = one_time_code.derive(message.one_time_code_of)
        sent_text, _ = compose(message, version, {**values, "otp_code": code})
    elif message.debtor_id and "portal_url" in placeholders.used(version.body if version else draft(message)[1]):
        sent_text, reason = compose(message, version, {**values, "portal_url": portal_link.url(message.pk)})
        if reason:
            raise Unwritable(reason)
    mail = message.communication_type == Channel.EMAIL
    if mail and message.debtor and open_pixel.may_track(message.debtor):
        url = open_pixel.url(message.pk)
        return composition.with_pixel(sent_text, url), composition.with_pixel(stored_text, url)
    return sent_text, stored_text


def compose(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, values: Mapping[str, str]
) -> tuple[Text, str | None]:
    """Return the text with the lines that the law demands, and why it must not be sent, if there is a reason."""
    subject, body = (version.subject, version.body) if version else draft(message)
    channel, language = message.communication_type, language_of(message, version)
    mail = channel == Channel.EMAIL
    if message.purpose == Purpose.COLLECTION:
        body = required_lines.add(body, channel=channel, language=language)
    values = {**values, "unsubscribe_url": unsubscribe_link.url(message.pk) if mail else ""}
    if not message.one_time_code_of:
        values["otp_code"] = ""
    text = composition.compose(subject, body, values, channel=channel, language=language)
    return text, problem(subject if mail else None, body, values, text, channel=channel)


def problem(subject: str | None, body: str, values: Mapping[str, str], text: Text, *, channel: str) -> str | None:
    """Return why a text must not be sent: a placeholder without a value, or a length that its channel refuses."""
    if names := placeholders.missing(values, subject, body):
        return Unsendable.MISSING_VALUE.format(names=", ".join(names))
    too_long = limits.problem(text, channel)
    return f"{Unsendable.TOO_LONG}: {too_long[1]}" if too_long else None


def language_of(message: CommunicationLog, version: CommunicationTemplateVersion | None) -> str:
    """Return the language of a message's text. A text of the product's own is English."""
    return version.language if version else (message.draft or {}).get("language") or wording.FALLBACK


def wanted_language(message: CommunicationLog) -> str | None:
    """Return the language in which a message is to go: the one that its author chose, else the debtor's."""
    chosen: str | None = (message.draft or {}).get("language")
    return chosen or (message.debtor.language_preference if message.debtor else None)


def draft(message: CommunicationLog) -> tuple[str | None, str]:
    """Return subject and body of a message without a template, before their placeholders were filled in."""
    if message.draft and "body" in message.draft:
        return message.draft["subject"], message.draft["body"]
    return message.subject, message.body or ""
