"""Payouts of providers, compared with what the books have of the payments in them, and the health of providers."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.expressions import RawSQL

from payments.models import ProviderEvent, ProviderPayout
from payments.providers.base import Payout

_BOOKED = """
    SELECT coalesce(sum(r.amount), 0) FROM receipt r
    WHERE r.provider = payment_provider_payout.provider AND r.currency_code = payment_provider_payout.currency_code
        AND r.provider_id IN (SELECT jsonb_array_elements_text(payment_provider_payout.payment_ids))
"""


def record(provider: str, payout: Payout) -> str:
    """Record a payout, once; return in words what that did."""
    values = {name: getattr(payout, name) for name in ("amount", "paid_on", "paid", "returned", "fees", "payment_ids")}
    _, is_new = ProviderPayout.objects.get_or_create(
        provider=provider, payout_id=payout.payout_id, defaults={"currency_code": payout.currency, **values}
    )
    return "payout recorded" if is_new else "nothing new"


def with_booked(payouts: "QuerySet[ProviderPayout]") -> "QuerySet[ProviderPayout]":
    """Annotate payouts with ``booked``: what the books have of their payments, in the payout's currency."""
    return payouts.annotate(booked=RawSQL(_BOOKED, ()))  # noqa: S611 -- The statement is a constant.


@dataclass(frozen=True)
class Health:
    """How a provider's events arrive and are handled."""

    provider: str
    last_event: datetime | None
    oldest_unhandled: datetime | None
    unhandled: int
    failed: int


def health() -> list[Health]:
    """Return the health of each provider that is configured or has sent an event, in one query."""
    unhandled = Q(processed_at=None, failed_at=None)
    rows = ProviderEvent.objects.order_by("provider").values("provider").annotate(
        last=Max("received_at"),
        oldest=Min("received_at", filter=unhandled),
        unhandled=Count("id", filter=unhandled),
        failed=Count("id", filter=Q(failed_at__isnull=False)),
    )  # fmt: skip
    found = {
        row["provider"]: Health(row["provider"], row["last"], row["oldest"], row["unhandled"], row["failed"])
        for row in rows
    }
    if settings.PAYMENT_PROVIDER and settings.PAYMENT_PROVIDER not in found:
        found[settings.PAYMENT_PROVIDER] = Health(settings.PAYMENT_PROVIDER, None, None, 0, 0)
    return list(found.values())
