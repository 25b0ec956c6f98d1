"""Django's SMTP backend, which also tells whether a lost connection leaves the outcome unknown."""

import smtplib
from typing import Any

from django.core.mail.backends import smtp

_END = b"\r\n.\r\n"
_TAKEN, _TAKEN_ALONG, _GO_ON = 250, 251, 354


class _Watched:
    """Hands over one mail at a time, and knows when its end has gone out and the answer to it has not come in.

    (RFC 5321, 4.1.1.4.)
    """

    in_doubt = False

    def hand_over(self: Any, sender: str, recipient: str, mail: bytes) -> None:
        """Send a mail; its first commands all at once, where the server takes them so (RFC 2920).

        :raises SMTPException: if the server refuses it, by whichever of its answers
        """
        self.ehlo_or_helo_if_needed()
        if self.has_extn("pipelining"):
            size = f" SIZE={len(mail)}" if self.has_extn("size") else ""
            self.send(f"MAIL FROM:<{sender}>{size}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n")
            answers = [self.getreply() for _ in range(3)]
        else:
            answers = [self.mail(sender), self.rcpt(recipient)]
            answers.append(self.docmd("DATA") if _all_well(answers) else (0, b""))
        refusal = _refusal(answers, sender, recipient)
        if answers[2][0] == _GO_ON:
            # Where nobody is left to get it, nothing goes. What can't be written whole has not ended, so it isn't taken.
            # (A dot at the start of a line is doubled: RFC 5321, 4.5.2. The first line is a header.)
            self.send(_END[2:] if refusal else mail.replace(b"\n.", b"\n..").removesuffix(b"\r\n") + _END)
            self.in_doubt = refusal is None
            code, words = self.getreply()
            self.in_doubt = False
            if refusal is None and code != _TAKEN:
                refusal = smtplib.SMTPDataError(code, words)
        if refusal:
            self._rset()
            raise refusal


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

    def hand_over(self, sender: str, recipient: str, mail: bytes) -> None:
        """Send a mail, over a connection that is opened if there is none."""
        self.open()
        server: Any = self.connection
        server.hand_over(sender, recipient, mail)

    def abandon(self) -> None:
        """Drop a connection that failed, without a word to the server."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _all_well(answers: list[tuple[int, bytes]]) -> bool:
    return all(code in (_TAKEN, _TAKEN_ALONG) for code, _ in answers)


def _refusal(answers: list[tuple[int, bytes]], sender: str, recipient: str) -> smtplib.SMTPException | None:
    mail, rcpt, data = answers
    if mail[0] != _TAKEN:
        return smtplib.SMTPSenderRefused(*mail, sender)
    if rcpt[0] not in (_TAKEN, _TAKEN_ALONG):
        return smtplib.SMTPRecipientsRefused({recipient: rcpt})
    return smtplib.SMTPDataError(*data) if data[0] != _GO_ON else None
