"""An unreliable mail server or Twilio: ``python -m tests.chaos.standin smtp|twilio PORT SEED LOG``.

Of a hundred messages it refuses five temporarily and five permanently, cuts the connection of two, and lets one hang; it
accepts half of the last three. For those accepted without an answer it sends a callback later, as providers do: Twilio with the
message's status, the mail server with an event of Mailgun. Twilio also answers polls. LOG gets a line per accepted message: its
id, the number in its text and, for Twilio, its id and phone there.
"""

import contextlib
import json
import os
import random
import re
import socket
import socketserver
import struct
import sys
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.standins import mailgun, twilio

#: The duration of a hang, for clients without a shorter timeout.
HANG_SECONDS = 1.0
_NUMBER = re.compile(r"Message no\. (\d+)")
_ID = re.compile(r"^Message-ID: <([^@]+)@([^>]+)>", re.MULTILINE)


class Moods:
    """Chooses the treatment of the next message at random, from a seed."""

    def __init__(self, seed: str, log: str) -> None:
        self._random = random.Random(seed)
        self._log = Path(log)
        self._file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def next(self) -> str:
        """Return later, never, cut, hang or fine."""
        return self._random.choices(("later", "never", "cut", "hang", "fine"), (5, 5, 2, 1, 87))[0]

    def early(self) -> bool:
        """Return whether the connection ends before the message is complete."""
        return self._random.random() < 0.5

    def took(self, message: str, text: str, *more: str) -> None:
        number = _NUMBER.search(text)
        os.write(self._file, (" ".join((message, number[1] if number else "?", *more)) + "\n").encode())

    def taken(self) -> list[list[str]]:
        """Return all accepted messages, also those of killed stand-ins."""
        return [line.split() for line in self._log.read_text().splitlines()]


def cut(connection: socket.socket) -> None:
    """End a connection at once: the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def call_back(url: str, body: str, content_type: str, **headers: str) -> None:
    """Send a callback to the site, like a provider whose answer never arrived."""
    headers["Content-Type"] = content_type
    with contextlib.suppress(OSError), urlopen(Request(url, body.encode(), headers), timeout=30):
        pass


class Mailbox(socketserver.StreamRequestHandler):
    """Speaks SMTP, with pipelining."""

    disable_nagle_algorithm = True
    moods: Moods

    def handle(self) -> None:
        self._say("220 chaos")
        mood = "fine"
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                self._say("250-chaos\r\n250 PIPELINING")
            elif word == b"MAIL":
                mood = self.moods.next()
                self._say("250 fine")
            elif word == b"RCPT":
                self._say("550 never" if mood == "never" else "250 fine")
            elif word == b"DATA":
                if mood == "never":
                    self._say("554 never")
                elif not self._take(mood):
                    return
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self, mood: str) -> bool:
        if mood in ("cut", "hang") and self.moods.early():
            return self._break(mood)
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if not line:
            return False
        if mood == "later":
            self._say("451 later")
            return True
        mail = b"".join(lines).decode()
        message = _ID.search(mail)
        name = message[1] if message else "?"
        self.moods.took(name, mail)
        if mood not in ("cut", "hang"):
            self._say("250 taken")
            return True
        self._break(mood)
        event = mailgun.delivered(f"{name}@{message[2]}" if message else "", "debtor@example.com")
        url = f"{os.environ['PUBLIC_URL']}/callbacks/email/mailgun/tracking"
        call_back(url, json.dumps(mailgun.signed(event)), "application/json")
        return False

    def _break(self, mood: str) -> bool:
        if mood == "hang":
            time.sleep(HANG_SECONDS)
        cut(self.connection)
        return False

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


class Twilio(twilio.Api):
    """Takes orders of text messages."""

    moods: Moods

    def ordered(self, path: str, fields: dict[str, str]) -> None:
        mood, order = self.moods.next(), twilio.Order.of(path, fields)
        url = fields["StatusCallback"]
        message = dict(parse_qsl(urlsplit(url).query))["log"]
        if mood == "later":
            self.refuse(503, 20503)
        elif mood == "never":
            self.refuse(400, 21211)
        elif mood == "fine":
            self.moods.took(message, fields["Body"], order.sid, fields["To"])
            self.take(order)
        elif self.moods.early():
            self._break(mood)
        else:
            self.moods.took(message, fields["Body"], order.sid, fields["To"])
            self._break(mood)
            status = order.status("delivered")
            headers = {"X-Twilio-Signature": twilio.signature(url, status)}
            call_back(url, urlencode(status), "application/x-www-form-urlencoded", **headers)

    def orders(self) -> list[twilio.Order]:
        return [
            twilio.Order("message", sid, {"To": to, "From": twilio.NUMBER, "Body": f"Message no. {number}"})
            for _, number, sid, to in self.moods.taken()
        ]

    def _break(self, mood: str) -> None:
        if mood == "hang":
            time.sleep(HANG_SECONDS)
        self.close_connection = True
        cut(self.connection)


class _Mailboxes(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class _Twilio(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # Cut connections are intended.


def main(kind: str, port: str, seed: str, log: str) -> None:
    """Serve until killed."""
    Mailbox.moods = Twilio.moods = Moods(seed, log)
    address = ("127.0.0.1", int(port))
    server = _Mailboxes(address, Mailbox) if kind == "smtp" else _Twilio(address, Twilio)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
