"""Django's SMTP backend, which also tells whether a lost connection leaves the outcome unknown."""

import smtplib
from typing import Any

from django.core.mail.backends import smtp


class _Watched:
    """Knows when the end of a message has gone out and the server's answer to it has not come in (RFC 5321, 4.1.1.4)."""

    in_doubt = False

    def send(self, s: Any) -> None:
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self.in_doubt = True
        super().send(s)  # type: ignore[misc]

    def data(self, msg: Any) -> tuple[int, bytes]:
        answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]
        self.in_doubt = False
        return answer


class _SMTP(_Watched, smtplib.SMTP):
    pass


class _SMTPOverTLS(_Watched, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """One connection for many messages; ``in_doubt`` after a failure means that the message may have been taken."""

    @property
    def connection_class(self) -> Any:
        return _SMTPOverTLS if self.use_ssl else _SMTP

    @property
    def in_doubt(self) -> bool:
        return bool(getattr(self.connection, "in_doubt", False))

    def abandon(self) -> None:
        """Drop a connection that failed, without a word to the server."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
