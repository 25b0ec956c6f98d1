"""Mail, by Django's backends or anymail's."""

import smtplib
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from communications.callbacks import unsubscribe
from communications.channels import mime, requests_errors, smtp
from communications.channels.message import Outcome, Outgoing, Result
from communications.models import Channel, CommunicationLog

log = structlog.get_logger(__name__)

_DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_WATCHED_SMTP = "communications.channels.smtp.EmailBackend"
#: Their backends refuse metadata; the Message-ID has to do.
_WITHOUT_METADATA = frozenset({"mailersend", "postal"})
#: Wrong credentials are our fault and may be put right; the message is good.
_OUR_FAULT = frozenset({401, 403})
#: Of SMTP: what says that there is no service for anybody, and the code with which a server takes its leave.
_NO_SERVICE = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
_CLOSING = 421


def provider() -> str:
    """Return the name of what sends our mail: ``smtp``, ``console``, ``demo``, or anymail's name of the provider."""
    return settings.EMAIL_BACKEND.split(".")[-2]


class Sender:
    """Sends mail over one connection, opened with the first message."""

    def __init__(self) -> None:
        self.connection: Any = None

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one mail over and say what became of it."""
        try:
            if self.connection is None:
                backend = _WATCHED_SMTP if settings.EMAIL_BACKEND == _DJANGO_SMTP else settings.EMAIL_BACKEND
                self.connection = get_connection(backend)
            if isinstance(self.connection, smtp.EmailBackend):
                return self._by_smtp(self.connection, outgoing)
            mail = _mail(outgoing, self.connection)
        except Exception as error:  # Nothing has gone out yet.
            log.error("mail_not_prepared", exc_info=error)
            return Outcome(Result.RETRY, provider(), words=f"{type(error).__name__}: {error}", down=True)
        try:
            mail.send()
        except Exception as error:
            return _failed(error)
        status = getattr(mail, "anymail_status", None)
        message_id = getattr(status, "message_id", None) or mail.extra_headers["Message-ID"]
        return Outcome(Result.SENT, provider(), str(message_id))

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()

    def _by_smtp(self, backend: smtp.EmailBackend, outgoing: Outgoing) -> Outcome:
        reused = backend.connection is not None
        headers = _headers(outgoing)
        try:
            mail = mime.write(outgoing, sender=settings.DEFAULT_FROM_EMAIL, headers=headers)
            backend.hand_over(mime.address(settings.DEFAULT_FROM_EMAIL), mime.address(outgoing.to), mail)
        except Exception as error:
            in_doubt = backend.in_doubt
            if isinstance(error, OSError) and not isinstance(
                error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused
            ):
                backend.abandon()
                if reused and not in_doubt:
                    # The server has hung up since the message before; that says nothing about this one.
                    return self._by_smtp(backend, outgoing)
            return _failed_by_smtp(error, in_doubt=in_doubt)
        return Outcome(Result.SENT, provider(), headers["Message-ID"])


def _headers(outgoing: Outgoing) -> dict[str, str]:
    domain = _domain(settings.DEFAULT_FROM_EMAIL)
    return {"Message-ID": f"<{outgoing.log_id}@{domain}>", **unsubscribe.headers(outgoing.log_id)}


@lru_cache(maxsize=4)
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _mail(outgoing: Outgoing, connection: Any) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        outgoing.subject or "",
        outgoing.body,
        settings.DEFAULT_FROM_EMAIL,
        [outgoing.to] if outgoing.to else [],
        headers=_headers(outgoing),
        connection=connection,
    )
    if outgoing.html:
        mail.attach_alternative(outgoing.html, "text/html")
    if settings.EMAIL_BACKEND.startswith("anymail.") and provider() not in _WITHOUT_METADATA:
        mail.metadata = {"log_id": str(outgoing.log_id)}  # type: ignore[attr-defined]
    return mail


def as_file(message: CommunicationLog) -> bytes:
    """Write a message as a mail program reads it (``.eml``), with the date on which it went and the seal that it bears.

    One that was no mail has its text as that of a mail.
    """
    is_mail = message.communication_type == Channel.EMAIL
    subject = message.subject if is_mail else f"{message.get_communication_type_display()} to {message.address}"
    to = (message.address or "") if is_mail else ""
    outgoing = Outgoing(message.pk, to, subject, message.body or "", message.html)
    added = {"Date": format_datetime(message.sent_at or message.created_at), "X-Seal": message.seal or ""}
    return mime.write(outgoing, sender=settings.DEFAULT_FROM_EMAIL, headers=_headers(outgoing) | added)


def _failed_by_smtp(error: Exception, *, in_doubt: bool) -> Outcome:
    """Read an SMTP failure: 4yz is for now, 5yz for good (RFC 5321, 4.2.1), and wrong credentials are our own fault."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _refused(code, text)
    if isinstance(error, _NO_SERVICE):
        return Outcome(Result.RETRY, provider(), words=_words(error.smtp_code, error.smtp_error), down=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, error.smtp_error)
    if isinstance(error, OSError):  # Refused, timed out, hung up; smtplib's own errors are among them.
        result = Result.UNCERTAIN if in_doubt else Result.RETRY
        return Outcome(result, provider(), words=f"{type(error).__name__}: {error}", down=True)
    return _failed(error)


def _refused(code: int, text: bytes | str) -> Outcome:
    result = Result.FAILED if code >= 500 else Result.RETRY
    return Outcome(result, provider(), words=_words(code, text), down=code == _CLOSING)


def _failed(error: Exception) -> Outcome:
    """Read what anymail or Django raised."""
    words = f"{type(error).__name__}: {error}"
    status = getattr(error, "status_code", None)
    if status is not None:
        retry = status == 429 or status >= 500 or status in _OUR_FAULT
        return Outcome(Result.RETRY if retry else Result.FAILED, provider(), words=words, down=retry)
    if (result := requests_errors.read(error)) is not None:
        return Outcome(result, provider(), words=words, down=True)
    if isinstance(error, ImproperlyConfigured):
        return Outcome(Result.RETRY, provider(), words=words, down=True)
    if isinstance(error, ValueError | TypeError) or type(error).__module__ == "anymail.exceptions":
        # No mail can be made of it, or nobody is left to get it.
        return Outcome(Result.FAILED, provider(), words=words)
    log.error("mail_hand_over_failed", exc_info=error)
    return Outcome(Result.UNCERTAIN, provider(), words=words)


def _words(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
