"""The demo's provider: its page is our own, takes no card, and reports as a real one does."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from payments.providers.base import Kind, NotAuthentic, Order, Page, Payout, Reported, Unreadable

_SALT = "payments.providers.demo"
SIGNATURE = "Demo-Signature"


class Demo:
    name = "demo"

    def create(self, order: Order) -> Page:
        return Page(f"demo-{order.intent_id}", f"{settings.PUBLIC_URL}/demo/payments/{order.intent_id}")

    def status(self, provider_id: str) -> Reported | None:
        return None

    def verify(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        if not settings.DEMO or not constant_time_compare(headers.get(SIGNATURE, ""), sign(body)):
            raise NotAuthentic
        try:
            event = orjson.loads(body)
            return str(event["id"]), dict(event)
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable from error

    def parse(self, event: dict[str, Any]) -> Reported | None:
        intent_id = uuid.UUID(event["intent"])
        amount = Decimal(event["amount"]) if "amount" in event else None
        return Reported(
            Kind(event["kind"]),
            datetime.fromisoformat(event["at"]).astimezone(UTC),
            intent_id=intent_id,
            provider_id=f"demo-{intent_id}",
            payment_id=f"demo-payment-{intent_id}",
            object_id=str(event.get("object", "")),
            amount=amount,
            currency=str(event.get("currency", "")),
            text=str(event.get("text", "")),
        )

    def refund(self, *, payment_id: str, amount: Decimal, currency: str, key: str) -> str:
        return f"demo-refund-{key}"

    def payout(self, payout_id: str) -> Payout:
        raise NotImplementedError("The demo pays nothing out.")


def sign(body: bytes) -> str:
    """Return the signature of an event."""
    return salted_hmac(_SALT, body, algorithm="sha256").hexdigest()
