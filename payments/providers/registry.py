"""The payment providers that there are. A new one is one line here; PAYMENT_PROVIDER chooses one by name."""

from django.conf import settings

from payments.providers.base import PaymentProvider
from payments.providers.demo import Demo
from payments.providers.stripe import Stripe

PROVIDERS: dict[str, PaymentProvider] = {provider.name: provider for provider in (Stripe(), Demo())}


def configured() -> PaymentProvider | None:
    """Return the provider that PAYMENT_PROVIDER names; None: debtors pay by bank transfer only."""
    return PROVIDERS.get(settings.PAYMENT_PROVIDER)
