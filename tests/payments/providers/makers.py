"""Intents for tests that need no provider."""

import itertools
from typing import Any

from django.utils.timezone import now

from collection.models import Debt
from payments import disclosures
from payments.models import PaymentIntent

_numbers = itertools.count(1)


def payment_intent(debt: Debt, **values: Any) -> PaymentIntent:
    """Make an intent of a debt, as ``intents.create`` does without asking the provider for its page."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "debtor": debt.debtor,
        "provider": "stripe",
        "provider_id": f"cs_{number}",
        "url": "https://checkout.stripe.com/x",
        "status": "redirected",
        "amount": 1,
        "currency_code": debt.currency_code,
        "idempotency_key": f"key {number}",
        "expires_at": now(),
        "disclosure": disclosures.of([debt]),
        "disclosure_version": disclosures.VERSION,
    }
    made = PaymentIntent.objects.create(**fields | values)
    made.debts.add(debt)
    return made
