"""Twilio's API on loopback: takes messages and calls, answers errors where told to, and signs callbacks."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

ACCOUNT, TOKEN, NUMBER = "AC" + "0" * 32, "a-token-of-the-stand-in", "+15005550006"


@dataclass
class Order:
    """A message or call that somebody ordered."""

    kind: str
    sid: str
    fields: dict[str, str]
    at: float = field(default_factory=time.monotonic)


@dataclass
class TwilioStandIn:
    """``errors`` are (HTTP status, Twilio's code) for the next orders; ``silent`` takes them and never answers."""

    orders: list[Order] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    silent: float = 0

    def __post_init__(self) -> None:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = stand_in.take(self.path, dict(parse_qsl(body.decode())))
                if stand_in.silent:
                    time.sleep(stand_in.silent)
                    self.close_connection = True
                    return
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def settings(self) -> dict[str, Any]:
        return {
            "SMS_BACKEND": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": NUMBER,
            "TWILIO_API_URL": self.url,
        }

    def take(self, path: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.errors:
            status, code = self.errors.pop(0)
            return status, {"code": code, "message": "The stand-in refuses.", "status": status}
        kind = "call" if path.endswith("/Calls.json") else "message"
        order = Order(kind, ("CA" if kind == "call" else "SM") + uuid.uuid4().hex, fields)
        self.orders.append(order)
        return 201, {"sid": order.sid, "status": "queued", "to": fields.get("To"), "body": fields.get("Body")}

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


def signature(url: str, fields: dict[str, str], *, token: str = TOKEN) -> str:
    """Sign a callback to ``url`` as Twilio does."""
    from twilio.request_validator import RequestValidator

    return str(RequestValidator(token).compute_signature(url, fields))
