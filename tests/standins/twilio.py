"""Twilio's API on loopback: it accepts messages and calls, answers with errors on demand, and signs callbacks."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

ACCOUNT, TOKEN, NUMBER = "AC" + "0" * 32, "a-token-of-the-stand-in", "+15005550006"


@dataclass
class Order:
    """An ordered message or call."""

    kind: str
    sid: str
    fields: dict[str, str]
    at: float = field(default_factory=time.monotonic)
    made_at: str = field(default_factory=formatdate)
    state: str = "queued"

    @classmethod
    def of(cls, path: str, fields: dict[str, str]) -> Self:
        kind = "call" if path.endswith("/Calls.json") else "message"
        return cls(kind, ("CA" if kind == "call" else "SM") + uuid.uuid4().hex, fields)

    @property
    def resource(self) -> dict[str, Any]:
        """Return the API's representation of the order."""
        fields = self.fields
        named = {"sid": self.sid, "to": fields.get("To"), "from": fields.get("From"), "body": fields.get("Body")}
        return {**named, "status": self.state, "date_created": self.made_at}

    def status(self, word: str) -> dict[str, str]:
        """Return what Twilio posts to the order's callback as that becomes its status."""
        ids = {"MessageSid": self.sid, "MessageStatus": word, "SmsSid": self.sid, "SmsStatus": word}
        if self.kind == "call":
            ids = {"CallSid": self.sid, "CallStatus": word}
        return {"AccountSid": ACCOUNT, "From": self.fields["From"], "To": self.fields["To"], **ids}


class Api(BaseHTTPRequestHandler):
    """The API over HTTP. A subclass decides what happens to an order."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.ordered(self.path, dict(parse_qsl(body.decode())))

    def do_GET(self) -> None:
        """List the messages or calls, those to one number if it is given, on one page, the newest first."""
        path, to = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query)).get("To")
        kind = "call" if path.endswith("/Calls.json") else "message"
        listed = [
            order.resource
            for order in reversed(self.orders())
            if order.kind == kind and (to is None or order.fields["To"] == to)
        ]
        self.answer(200, {f"{kind}s": listed, "page": 0, "page_size": 50, "next_page_uri": None})

    def ordered(self, path: str, fields: dict[str, str]) -> None:
        raise NotImplementedError

    def orders(self) -> list[Order]:
        raise NotImplementedError

    def take(self, order: Order) -> None:
        self.answer(201, order.resource)

    def refuse(self, status: int, code: int) -> None:
        self.answer(status, {"code": code, "message": "The stand-in refuses.", "status": status})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class TwilioStandIn:
    """``errors`` are (HTTP status, Twilio's code) for the next orders; ``silent`` takes them and never answers."""

    orders: list[Order] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    silent: float = 0

    def __post_init__(self) -> None:
        stand_in = self

        class Handler(Api):
            def ordered(self, path: str, fields: dict[str, str]) -> None:
                if stand_in.errors:
                    self.refuse(*stand_in.errors.pop(0))
                    return
                order = Order.of(path, fields)
                stand_in.orders.append(order)
                if stand_in.silent:
                    time.sleep(stand_in.silent)
                    self.close_connection = True
                else:
                    self.take(order)

            def orders(self) -> list[Order]:
                return stand_in.orders

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
