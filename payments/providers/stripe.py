"""Stripe Checkout: the payer pays on Stripe's page, and signed events tell us what came of it."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings

from ddc.common.reference.currencies import DECIMALS
from payments.providers.base import Kind, NotAuthentic, Order, Page, Payout, ProviderDown, Reported, Unreadable

#: A payer waits for Stripe's page, so there is one retry.
_TIMEOUT_SECONDS = 5
#: Stripe counts these in hundredths, although they have no decimals.
_IN_HUNDREDTHS = ("ISK", "UGX")
_PAYMENTS = ("charge", "payment")
_RETRIES = 1


def _unit(currency: str) -> int:
    places = 2 if currency in _IN_HUNDREDTHS else DECIMALS[currency]
    return int(10**places)


class Stripe:
    name = "stripe"

    def create(self, order: Order) -> Page:
        item = {
            "quantity": 1,
            "price_data": {
                "currency": order.currency.lower(),
                "unit_amount": int(order.amount * _unit(order.currency)),
                "product_data": {"name": order.description},
            },
        }
        # The metadata of a session are not those of its payment, and the events of that may come first.
        metadata = {"intent": str(order.intent_id)}
        params = {
            "mode": "payment",
            "line_items": [item],
            "client_reference_id": str(order.intent_id),
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata, "description": order.description},
            "success_url": order.return_url,
            "cancel_url": order.cancel_url,
            "expires_at": int(order.expires_at.timestamp()),
        }
        with _answering() as client:
            session = client.v1.checkout.sessions.create(params, {"idempotency_key": str(order.intent_id)})
        return Page(session.id, session.url)

    def status(self, provider_id: str) -> Reported | None:
        with _answering() as client:
            session = client.v1.checkout.sessions.retrieve(provider_id)
        kind = {"complete": "checkout.session.completed", "expired": "checkout.session.expired"}.get(session.status)
        if kind is None:
            return None
        now = int(datetime.now(UTC).timestamp())
        return self.parse({"type": kind, "created": now, "data": {"object": session.to_dict()}})

    def verify(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        from stripe import SignatureVerificationError, WebhookSignature

        if not settings.STRIPE_WEBHOOK_SECRET:
            raise NotAuthentic
        try:
            text = body.decode()
            WebhookSignature.verify_header(
                text, headers.get("Stripe-Signature"), settings.STRIPE_WEBHOOK_SECRET, tolerance=300
            )
        except (SignatureVerificationError, UnicodeDecodeError) as error:
            raise NotAuthentic from error
        try:
            event = orjson.loads(text)
            return str(event["id"]), dict(event)
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable from error

    def parse(self, event: dict[str, Any]) -> Reported | None:
        found, at = event["data"]["object"], datetime.fromtimestamp(event["created"], UTC)
        match event["type"]:
            case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
                if found["payment_status"] != "paid":
                    return None  # A bank takes days to pay.
                return _session(Kind.CAPTURED, found, at, amount=found["amount_total"])
            case "checkout.session.async_payment_failed":
                return _session(Kind.FAILED, found, at)
            case "checkout.session.expired":
                return _session(Kind.EXPIRED, found, at)
            case "payment_intent.succeeded":
                text = found.get("description") or ""
                return _payment(Kind.CAPTURED, found, at, found["id"], amount=found["amount_received"], text=text)
            case "payment_intent.payment_failed":
                text = (found.get("last_payment_error") or {}).get("message") or ""
                return _payment(Kind.FAILED, found, at, found["id"], text=text)
            case "charge.refunded":
                return _payment(Kind.REFUNDED, found, at, found["payment_intent"], amount=found["amount_refunded"])
            case "charge.dispute.created" | "charge.dispute.funds_withdrawn":
                if found["status"].startswith("warning_"):
                    return None  # An inquiry: the money is still ours.
                paid = found["payment_intent"]
                return _payment(Kind.CHARGED_BACK, found, at, paid, amount=found["amount"], object_id=found["id"])
            case "payout.paid":
                return Reported(Kind.PAYOUT, at, object_id=found["id"])
        return None

    def refund(self, *, payment_id: str, amount: Decimal, currency: str, key: str) -> str:
        params = {"payment_intent": payment_id, "amount": int(amount * _unit(currency)), "metadata": {"refund": key}}
        with _answering() as client:
            return str(client.v1.refunds.create(params, {"idempotency_key": key}).id)

    def payout(self, payout_id: str) -> Payout:
        with _answering() as client:
            payout = client.v1.payouts.retrieve(payout_id)
            listed = client.v1.balance_transactions.list({"payout": payout_id, "limit": 100, "expand": ["data.source"]})
            lines = [line.to_dict() for line in listed.auto_paging_iter() if line.type != "payout"]
        currency = payout.currency.upper()
        unit = _unit(currency)
        payments = [line for line in lines if line["type"] in _PAYMENTS]
        others = [line for line in lines if line["type"] not in _PAYMENTS]
        return Payout(
            payout_id=payout.id,
            amount=Decimal(payout.amount) / unit,
            currency=currency,
            paid_on=datetime.fromtimestamp(payout.arrival_date, UTC).date(),
            paid=_sum(payments, "amount") / unit,
            returned=-_sum(others, "amount") / unit,
            fees=_sum(lines, "fee") / unit,
            payment_ids=[line["source"]["payment_intent"] for line in payments],
        )


def _sum(lines: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in lines), Decimal(0))


def _session(kind: Kind, session: dict[str, Any], at: datetime, *, amount: int | None = None) -> Reported:
    paid = session.get("payment_intent") or ""
    return _payment(kind, session, at, paid, amount=amount, provider_id=session["id"])


def _payment(
    kind: Kind, found: dict[str, Any], at: datetime, payment_id: str | None, *, amount: int | None = None, **more: str
) -> Reported:
    """Return the report of an object of Stripe's; its amount is in the currency's minor unit."""
    currency = str(found.get("currency") or "").upper()
    return Reported(
        kind,
        at,
        intent_id=_intent(found),
        payment_id=payment_id or "",
        amount=None if amount is None else Decimal(amount) / _unit(currency),
        currency=currency,
        **more,
    )


def _intent(found: dict[str, Any]) -> uuid.UUID | None:
    """Return the id that we gave to the object; another program's metadata may have anything there."""
    try:
        return uuid.UUID((found.get("metadata") or {}).get("intent"))
    except (TypeError, ValueError, AttributeError):
        return None


@contextmanager
def _answering() -> Iterator[Any]:
    """Yield Stripe's client; it is imported here, because that takes a third of a second.

    :raises ProviderDown: if Stripe does not answer, or refuses the request
    """
    import stripe

    base = {"api": settings.STRIPE_API_URL} if settings.STRIPE_API_URL else {}
    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses=base,  # type: ignore[arg-type]
        max_network_retries=_RETRIES,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
    )
    try:
        yield client
    except stripe.StripeError as error:
        raise ProviderDown from error
