"""E-mail, by Django's mail backends or anymail's."""

import re
import smtplib
import uuid
from collections.abc import Mapping
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from communications.channels import http_errors
from communications.channels.message import Outcome, Outgoing, Result
from communications.links import unsubscribe_link
from communications.models import CommunicationLog
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: anymail's backends that refuse metadata; their callbacks know a message by its Message-ID.
_WITHOUT_METADATA = frozenset({"mailersend", "postal"})
#: SMTP replies that refuse the service as such and no single mail.
_NO_SERVICE = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
#: The SMTP reply with which a server closes the connection.
_CLOSING = 421
_MESSAGE_ID = re.compile(r"<?([^<>\s@]{1,400}@[^<>\s@]{1,400})>?")


def provider() -> str:
    """Return the name of the mail provider: ``smtp``, ``console``, ``demo``, or anymail's name for it."""
    return settings.EMAIL_BACKEND.split(".")[-2]


class Sender:
    """Send mail over one connection, which is opened for the first mail and again after an error."""

    def __init__(self) -> None:
        self._connection: Any = None

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one mail to the provider."""
        reused = self._connection is not None
        try:
            mail = _build(outgoing, connection=self._open())
        except Exception as error:  # Nothing has gone out.
            log.warning("mail_not_prepared", error=type(error).__name__)
            self.close()
            return Outcome(Result.RETRY, provider(), reason_text=_reason_text(error), down=True)
        try:
            if not mail.send():
                return Outcome(Result.FAILED, provider(), reason_text="The message has no recipient.")
        except Exception as error:
            result, is_down = _classify(error, awaits_verdict=getattr(self._connection, "awaits_verdict", True))
            if result != Result.FAILED:
                self.close()
            if reused and result == Result.RETRY and _is_hang_up(error):
                # The server closed the connection after an earlier mail; that is no failure of this one.
                return self.send(outgoing)
            return Outcome(result, provider(), reason_text=_reason_text(error), down=is_down)
        status = getattr(mail, "anymail_status", None)
        message_id = getattr(status, "message_id", None) or mail.extra_headers["Message-ID"]
        return Outcome(Result.SENT, provider(), str(message_id))

    def close(self) -> None:
        """Close the connection if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> Any:
        """Return the connection. Django's backends keep it over messages only if it was opened before the first."""
        if self._connection is None:
            self._connection = get_connection()
            self._connection.open()
        return self._connection


def thread_of(message: CommunicationLog) -> tuple[str, ...]:
    """Return the Message-IDs that an answer to a debtor's mail names (RFC 5322, 3.6.4), that of the debtor's mail last."""
    reply = message.in_reply_to
    if reply is None:
        return ()
    ours = (_message_id(reply.in_reply_to_id),) if reply.in_reply_to_id else ()
    theirs = _MESSAGE_ID.fullmatch(reply.provider_message_id or "")
    return (*ours, f"<{theirs[1]}>") if theirs else ours


def as_file(message: CommunicationLog) -> bytes:
    """Write a message as an ``.eml`` file with its sending date and its seal.

    A message of another channel gets its text as the text of a mail.
    """
    is_mail = message.communication_type == Channel.EMAIL
    subject = message.subject if is_mail else f"{message.get_communication_type_display()} to {message.address}"
    to = (message.address or "") if is_mail else ""
    answers = thread_of(message) if is_mail else ()
    outgoing = Outgoing(message.pk, to, subject, message.body or "", message.html, answers=answers)
    headers = {"Date": format_datetime(message.sent_at or message.created_at), "X-Seal": message.seal or ""}
    return bytes(_build(outgoing, headers=headers).message().as_bytes(linesep="\r\n"))


def _build(
    outgoing: Outgoing, *, connection: Any = None, headers: Mapping[str, str] | None = None
) -> EmailMultiAlternatives:
    answers = outgoing.answers
    thread = {"In-Reply-To": answers[-1], "References": " ".join(answers)} if answers else {}
    own = {"Message-ID": _message_id(outgoing.message_id), **thread}
    mail = EmailMultiAlternatives(
        outgoing.subject or "",
        outgoing.body,
        settings.DEFAULT_FROM_EMAIL,
        [outgoing.to] if outgoing.to else [],
        headers={**own, **unsubscribe_link.headers(outgoing.message_id), **(headers or {})},
        connection=connection,
    )
    if outgoing.html:
        mail.attach_alternative(outgoing.html, "text/html")
    if settings.EMAIL_BACKEND.startswith("anymail.") and provider() not in _WITHOUT_METADATA:
        mail.metadata = {"log_id": str(outgoing.message_id)}  # type: ignore[attr-defined]
    return mail


def _message_id(key: uuid.UUID) -> str:
    return f"<{key}@{_domain(settings.DEFAULT_FROM_EMAIL)}>"


@lru_cache(maxsize=4)
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _classify(error: Exception, *, awaits_verdict: bool) -> tuple[Result, bool]:
    """Return the result of a failed dispatch, and whether the error concerns the provider and not this message.

    A reply 5yz refuses for good, 4yz for now (RFC 5321, 4.2.1). A lost connection leaves the fate of a mail unknown only from the
    end of its text on.
    """
    if (status := _http_status(error)) is not None:
        result = http_errors.result_of_status(status)
        return result, result == Result.RETRY
    if (known := http_errors.result_of_error(error)) is not None:
        return known, known != Result.FAILED
    if isinstance(error, _NO_SERVICE):
        return Result.RETRY, True
    if (reply := _smtp_reply(error)) is not None:
        return (Result.FAILED if reply[0] >= 500 else Result.RETRY), reply[0] == _CLOSING
    if isinstance(error, OSError):  # Refused, timed out, closed; smtplib's errors are among them.
        return (Result.UNCERTAIN if awaits_verdict else Result.RETRY), True
    if isinstance(error, ImproperlyConfigured):
        return Result.RETRY, True
    if isinstance(error, ValueError | TypeError) or type(error).__module__ == "anymail.exceptions":
        return Result.FAILED, False  # No mail can be made of it, or every recipient was refused.
    log.error("mail_dispatch_failed", exc_info=error)
    return Result.UNCERTAIN, False


def _http_status(error: Exception) -> int | None:
    """Return the HTTP status of anymail's error; Amazon's client has it in a dictionary."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return int(status) if status else None
    return getattr(error, "status_code", None)


def _smtp_reply(error: Exception) -> tuple[int, str] | None:
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return None
    return code, text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _is_hang_up(error: Exception) -> bool:
    reply = _smtp_reply(error)
    return isinstance(error, smtplib.SMTPServerDisconnected) or (reply is not None and reply[0] == _CLOSING)


def _reason_text(error: Exception) -> str:
    reply = _smtp_reply(error)
    return f"{reply[0]} {reply[1]}" if reply else f"{type(error).__name__}: {error}"
