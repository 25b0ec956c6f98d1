"""Django's SMTP backend, extended by one fact: whether a failure leaves the fate of the mail unknown."""

import smtplib
from typing import Any

from django.core.mail.backends import smtp

_END_OF_MAIL = b"\r\n.\r\n"


class _StageAware:
    """Know whether a whole mail has been written and the server has not answered yet (RFC 5321, 4.1.1.4).

    A mail that could not be written to its end was not taken. After the end only the answer decides.
    """

    awaits_verdict = False

    def send(self: Any, s: Any) -> None:
        super().send(s)  # type: ignore[misc]
        self.awaits_verdict = isinstance(s, bytes) and s.endswith(_END_OF_MAIL)  # Commands are str.

    def getreply(self: Any) -> tuple[int, bytes]:
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        self.awaits_verdict = False
        return reply


class _Smtp(_StageAware, smtplib.SMTP):
    pass


class _SmtpOverTls(_StageAware, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    @property
    def connection_class(self) -> Any:
        return _SmtpOverTls if self.use_ssl else _Smtp

    @property
    def awaits_verdict(self) -> bool:
        """Report whether the server may have taken the last mail without having answered."""
        return bool(getattr(self.connection, "awaits_verdict", False))
