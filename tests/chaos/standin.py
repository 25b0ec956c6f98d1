"""A mail server or Twilio that takes messages and has its moods: ``python -m tests.chaos.standin smtp|twilio PORT SEED LOG``.

Of a hundred messages it refuses five for now and five for good, cuts the connection of two, and lets one hang. LOG gets a line
per message that it took (its id and the number in its text), and one per message whose sender can't know.
"""

import json
import os
import random
import re
import socket
import socketserver
import struct
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

#: How long a hang lasts, for whoever doesn't give up before.
HANG_SECONDS = 1.0
_NUMBER = re.compile(r"Message no\. (\d+)")
_ID = re.compile(r"^Message-ID: <([^@]+)@", re.MULTILINE)


class Moods:
    """What becomes of the next message: chance decides, by a seed."""

    def __init__(self, seed: str, log: str) -> None:
        self._random = random.Random(seed)
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def next(self) -> str:
        """later, never, cut, hang or fine."""
        return self._random.choices(("later", "never", "cut", "hang", "fine"), (5, 5, 2, 1, 87))[0]

    def early(self) -> bool:
        """Whether a connection ends before the message is out."""
        return self._random.random() < 0.5

    def took(self, message: str, text: str) -> None:
        number = _NUMBER.search(text)
        self._write(f"took {message} {number[1] if number else '?'}")

    def left_in_doubt(self) -> None:
        self._write("doubt")

    def _write(self, line: str) -> None:
        os.write(self._log, f"{line}\n".encode())


def cut(connection: socket.socket) -> None:
    """End a connection at once: the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


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
                    self._say("554 nobody is left")
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
        self.moods.took(message[1] if message else "?", mail)
        if mood in ("cut", "hang"):
            self.moods.left_in_doubt()
            return self._break(mood)
        self._say("250 taken")
        return True

    def _break(self, mood: str) -> bool:
        if mood == "hang":
            time.sleep(HANG_SECONDS)
        cut(self.connection)
        return False

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


class Twilio(BaseHTTPRequestHandler):
    """Takes orders of text messages."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    moods: Moods

    def do_POST(self) -> None:
        order = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        mood = self.moods.next()
        if mood in ("later", "never"):
            code, status = (20503, 503) if mood == "later" else (21211, 400)
            return self._answer(status, {"code": code, "message": mood, "status": status})
        breaks = mood in ("cut", "hang")
        if not (breaks and self.moods.early()):
            self.moods.took(dict(parse_qsl(urlsplit(order["StatusCallback"]).query))["log"], order["Body"])
        if not breaks:
            return self._answer(201, {"sid": f"SM{uuid.uuid4().hex}", "status": "queued"})
        self.moods.left_in_doubt()
        if mood == "hang":
            time.sleep(HANG_SECONDS)
        self.close_connection = True
        return cut(self.connection)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Mailboxes(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class _Twilio(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # Who was cut off is no news.


def main(kind: str, port: str, seed: str, log: str) -> None:
    """Serve until killed."""
    Mailbox.moods = Twilio.moods = Moods(seed, log)
    address = ("127.0.0.1", int(port))
    server = _Mailboxes(address, Mailbox) if kind == "smtp" else _Twilio(address, Twilio)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
