"""Stripe's API on loopback: checkout sessions with their page, refunds and payouts, and signed events of what happened."""

import html
import itertools
import json
import re
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

SECRET, WEBHOOK_SECRET = "sk_test_of_the_stand_in", "whsec_of_the_stand_in"
_numbers = itertools.count(1)


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Read a form in Stripe's notation: ``line_items[0][price_data][currency]=eur``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        path = re.findall(r"[^\[\]]+", name)
        at = found
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
    return found


def event(kind: str, obj: dict[str, Any], *, at: float | None = None) -> dict[str, Any]:
    """Return an event as Stripe sends it."""
    number = next(_numbers)
    made = {"id": f"evt_{number}_{uuid.uuid4().hex[:8]}", "object": "event", "type": kind, "data": {"object": obj}}
    return {**made, "created": int(at or time.time()), "livemode": False}


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: int | None = None) -> str:
    """Sign the body of an event as Stripe does."""
    from stripe import WebhookSignature

    return str(WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at))


@dataclass
class StripeStandIn:
    """``webhook``: where events go; empty: nowhere. ``down``: it answers 500."""

    webhook: str = ""
    down: bool = False
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    payouts: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                path, fields = urlsplit(self.path).path, nested(parse_qsl(body))
                if path.startswith("/pay/"):
                    self._go(stand_in.paid(path.removeprefix("/pay/")))
                    return
                if stand_in.down:
                    self._answer(500, {"error": {"type": "api_error", "message": "The stand-in is down."}})
                    return
                if self.headers.get("Authorization") != f"Bearer {SECRET}":
                    self._answer(401, {"error": {"type": "invalid_request_error", "message": "Invalid API key."}})
                    return
                key = self.headers.get("Idempotency-Key", "")
                if key not in stand_in.answers:
                    stand_in.answers[key] = stand_in.made(path, fields)
                self._answer(200, stand_in.answers[key])

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path.startswith("/pay/"):
                    self._page(stand_in.sessions[parts.path.removeprefix("/pay/")])
                elif stand_in.down:
                    self._answer(500, {"error": {"type": "api_error", "message": "The stand-in is down."}})
                else:
                    self._answer(200, stand_in.found(parts.path))

            def _page(self, session: dict[str, Any]) -> None:
                amount = f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}"
                page = "<!DOCTYPE html><html lang=en><title>Card payment</title><meta name=viewport content='width=device-width'>"
                page += (
                    f"<main><h1>{html.escape(amount)}</h1><form method=post><button>Pay</button></form></main></html>"
                )
                self._send(200, "text/html", page.encode())

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                self._send(status, "application/json", json.dumps(body).encode())

            def _go(self, url: str) -> None:
                self.send_response(303)
                self.send_header("Location", url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _send(self, status: int, kind: str, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    # --- The API

    def made(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Create what a POST asks for."""
        if path == "/v1/refunds":
            refund = {"id": f"re_{uuid.uuid4().hex}", "object": "refund", **fields, "amount": int(fields["amount"])}
            self.refunds.append(refund)
            return refund
        assert path == "/v1/checkout/sessions", path
        price = fields["line_items"]["0"]["price_data"]
        name = f"cs_test_{uuid.uuid4().hex}"
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "amount_total": int(price["unit_amount"]),
            "currency": price["currency"],
            "client_reference_id": fields["client_reference_id"],
            "metadata": fields["metadata"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": fields["success_url"],
            "cancel_url": fields["cancel_url"],
            "url": f"{self.url}/pay/{name}",
        }
        self.sessions[name]["payment_metadata"] = fields["payment_intent_data"]["metadata"]
        return {key: value for key, value in self.sessions[name].items() if key != "payment_metadata"}

    def found(self, path: str) -> dict[str, Any]:
        if path == "/v1/balance_transactions":
            return {"object": "list", "url": path, "has_more": False, "data": self.transactions}
        kind, _, name = path.removeprefix("/v1/").rpartition("/")
        return {"checkout/sessions": self.sessions, "payouts": self.payouts}[kind][name]

    # --- The payer

    def paid(self, name: str) -> str:
        """Pay a session by card, send its events, and return where the payer goes on."""
        for each in self.pay(name):
            if self.webhook:
                self.send(each)
        return str(self.sessions[name]["success_url"])

    def pay(self, name: str, *, amount: int | None = None, currency: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a payment: of the session, and of its payment intent."""
        session = self.sessions[name]
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": f"pi_{name[-24:]}"}
        session |= {"amount_total": amount or session["amount_total"], "currency": currency or session["currency"]}
        return [
            event("checkout.session.completed", dict(session)),
            event("payment_intent.succeeded", self.payment(name)),
        ]

    def payment(self, name: str) -> dict[str, Any]:
        session = self.sessions[name]
        return {
            "id": f"pi_{name[-24:]}",
            "object": "payment_intent",
            "amount_received": session["amount_total"],
            "currency": session["currency"],
            "metadata": session["payment_metadata"],
            "description": "A card payment",
        }

    def failure(self, name: str) -> dict[str, Any]:
        """Return the event of a card that was declined before another one was tried."""
        error = {"last_payment_error": {"message": "Your card was declined."}}
        return event("payment_intent.payment_failed", {**self.payment(name), "amount_received": 0, **error})

    def refund(self, name: str, amount: int) -> dict[str, Any]:
        """Return the event of a refund; ``amount`` is all that was refunded so far."""
        paid = self.payment(name)
        charge = {"id": f"ch_{name[-24:]}", "object": "charge", "payment_intent": paid["id"], "amount_refunded": amount}
        return event("charge.refunded", {**charge, "currency": paid["currency"], "metadata": paid["metadata"]})

    def dispute(
        self, name: str, amount: int, *, kind: str = "created", status: str = "needs_response"
    ) -> dict[str, Any]:
        """Return the event of a charge-back; it has no metadata of ours."""
        paid = self.payment(name)
        dispute = {"id": f"dp_{name[-24:]}", "object": "dispute", "payment_intent": paid["id"], "metadata": {}}
        dispute |= {"amount": amount, "currency": paid["currency"], "status": status}
        return event(f"charge.dispute.{kind}", dispute)

    def send(self, each: dict[str, Any]) -> int:
        """Send an event to the webhook, and return the status of the answer."""
        body = json.dumps(each).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body)}
        with urllib.request.urlopen(urllib.request.Request(self.webhook, body, headers)) as answer:
            return int(answer.status)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def settings(self) -> dict[str, Any]:
        return {
            "PAYMENT_PROVIDER": "stripe",
            "STRIPE_SECRET_KEY": SECRET,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_URL": self.url,
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
