"""An SMTP server that accepts every mail and remembers it by its Message-ID.

In a process of its own: ``python -m tests.standins.smtp PORT --delay 0.02 --log FILE`` writes one Message-ID a line.
"""

import argparse
import logging
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.WARNING)


class SmtpStandIn:
    """Listens on loopback; ``answer`` may refuse a mail with a line of its own, or hang up by raising."""

    def __init__(self, port: int = 0, *, delay: float = 0, log: Path | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.delay, self.log = delay, log
        self.answer: Callable[[EmailMessage], str | None] = lambda mail: None
        self.answer_to_recipient: Callable[[str], str | None] = lambda address: None
        self._lock = threading.Lock()
        # aiosmtpd probes the port that it was given, so it must be a real one.
        self.controller = _Controller(self, hostname="127.0.0.1", port=port or free_port())

    @property
    def port(self) -> int:
        return int(self.controller.port)

    @property
    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    def settings(self) -> dict[str, Any]:
        return {
            "EMAIL_BACKEND": "communications.channels.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self.port,
            "EMAIL_TIMEOUT": 5,
        }

    def __enter__(self) -> Self:
        self.controller.start()
        self.connections = 0  # The controller has tried the port.
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.controller.stop()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if refusal := self.answer_to_recipient(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        import asyncio

        mail = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        if refusal := self.answer(mail):
            return refusal
        with self._lock:
            self.mails.append(mail)
            if self.log:
                with self.log.open("a") as file:
                    file.write(f"{mail['Message-ID']}\n")
        if self.delay:
            await asyncio.sleep(self.delay)
        return "250 taken"


class _Controller(Controller):
    def __init__(self, stand_in: SmtpStandIn, **kwargs: Any) -> None:
        self.stand_in = stand_in
        super().__init__(stand_in, **kwargs)

    def factory(self) -> SMTP:
        self.stand_in.connections += 1
        return SMTP(self.stand_in, enable_SMTPUTF8=True, hostname="localhost")


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0, help="seconds that each mail takes")
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    with SmtpStandIn(options.port, delay=options.delay, log=options.log):
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
