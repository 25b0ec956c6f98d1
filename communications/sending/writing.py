"""Write the text of a message: the one that is sent, and the one that is stored, which masks a one-time code."""

from collections.abc import Mapping

from communications.links import open_pixel, unsubscribe_link
from communications.models import CommunicationLog, CommunicationTemplateVersion
from communications.texts import composition, one_time_code, placeholders
from communications.texts.composition import Text
from contact.models import Purpose
from debtors.channels import Channel


def write(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, values: Mapping[str, str]
) -> tuple[Text, Text]:
    """Return the sent text and the stored text; they differ only by a one-time code."""
    subject, body = (version.subject, version.body) if version else draft(message)
    mail = message.communication_type == Channel.EMAIL
    if mail and message.purpose == Purpose.COLLECTION and "unsubscribe_url" not in placeholders.used(body):
        body = unsubscribe_link.with_line(body, language=version.language if version else None)
    values = {**values, "unsubscribe_url": unsubscribe_link.url(message.pk)} if mail else values
    stored_text = sent_text = composition.compose(subject, body, values, mail=mail)
    if message.one_time_code_of:
        code = one_time_code.derive(message.one_time_code_of)
        sent_text = composition.compose(subject, body, {**values, "otp_code": code}, mail=mail)
    if mail and message.debtor and open_pixel.may_track(message.debtor):
        url = open_pixel.url(message.pk)
        return composition.with_pixel(sent_text, url), composition.with_pixel(stored_text, url)
    return sent_text, stored_text


def draft(message: CommunicationLog) -> tuple[str | None, str]:
    """Return subject and body of a message without a template, before their placeholders were filled in."""
    if message.draft:
        return message.draft["subject"], message.draft["body"]
    return message.subject, message.body or ""
