"""The mail services with callbacks that are read. A new one is one line here."""

import base64
import hashlib
from datetime import datetime
from io import BytesIO

import structlog
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, RawPostDataException

from communications.callbacks.readers.base import MailCallbackReader
from communications.callbacks.readers.mail import AnymailReader, Mandrill
from communications.callbacks.readers.mailgun import Mailgun
from communications.callbacks.readers.sns import AmazonSes
from communications.channels.events import CallbackEvent, UnparsedCallback

log = structlog.get_logger(__name__)

READERS: dict[str, MailCallbackReader] = {
    reader.name: reader
    for reader in (
        AmazonSes(),
        AnymailReader("brevo", "Brevo"),
        AnymailReader("mailersend", "MailerSend"),
        Mailgun(),
        AnymailReader("mailjet", "Mailjet"),
        AnymailReader("mailtrap", "Mailtrap"),
        Mandrill(),
        AnymailReader("postal", "Postal"),
        AnymailReader("postmark", "Postmark"),
        AnymailReader("resend", "Resend"),
        AnymailReader("sendgrid", "SendGrid"),
        AnymailReader("sendinblue", "SendinBlue"),
        AnymailReader("sparkpost", "SparkPost"),
        AnymailReader("unisender_go", "UnisenderGo"),
    )
}
_FORM = "application/x-www-form-urlencoded"


def read(reader: MailCallbackReader, kind: str, request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
    """Check a callback and return its events. An authentic one that cannot be parsed is returned as it came.

    :raises NotAuthentic: if the service did not send it, or sent it before with other content
    :raises Challenge: if the service must be asked for its credentials first
    """
    reader.verify(kind, request)
    events: list[CallbackEvent]
    try:
        events = reader.parse(kind, request)
    except Exception as error:  # Each service's parser fails in its own way.
        log.warning("callback_unparsed", provider=reader.name, kind=kind, error=type(error).__name__)
        events = [_unparsed(reader.name, kind, request)]
    return reader.refuse_replay(events, request, now=now)


def read_again(callback: UnparsedCallback) -> list[CallbackEvent]:
    """Parse a callback that could not be parsed when it came; it was authentic then.

    :raises Exception: if it still cannot be parsed
    """
    body = base64.b64decode(callback.body)
    request = WSGIRequest(
        {
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in callback.headers.items()},
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": callback.content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
    )
    return READERS[callback.provider].parse(callback.kind, request)


def _unparsed(name: str, kind: str, request: HttpRequest) -> UnparsedCallback:
    try:
        body = request.body
    except RawPostDataException:  # The form was read already. Its attachments are not kept.
        body = request.POST.urlencode().encode()
    return UnparsedCallback(
        provider=name,
        event_id=f"unparsed:{hashlib.sha256(body).hexdigest()}",
        kind=kind,
        body=base64.b64encode(body).decode(),
        content_type=_FORM if request.POST else request.content_type or "",
        headers={header: value for header, value in request.headers.items() if header.startswith("X-")},
    )
