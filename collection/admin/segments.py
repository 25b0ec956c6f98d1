"""Admin pages of segments."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from collection.models import Segment
from collection.segments import records
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.pages import column

_MOST_DAYS = 36_500


@admin.register(Segment)
class SegmentAdmin(DomainAdmin):
    list_display = ("name", "priority", "scores", "balances", "days", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("priority", "created_at")
    fields = (
        "name",
        ("priority", "is_active"),
        ("min_p2p_score", "max_p2p_score"),
        ("min_balance", "max_balance"),
        "currency_code",
        ("min_days_since_placement", "max_days_since_placement"),
    )
    bounds = {
        "priority": (1, 1_000_000),
        "min_p2p_score": (0, 1),
        "max_p2p_score": (0, 1),
        "min_days_since_placement": (0, _MOST_DAYS),
        "max_days_since_placement": (0, _MOST_DAYS),
    }

    def search_filter(self, text: str) -> Q:
        return Q(name__icontains=text)

    scores = column("Promise-to-pay score", lambda segment: _band(segment.min_p2p_score, segment.max_p2p_score))

    @admin.display(description="Balance")
    def balances(self, segment: Segment) -> str:
        band = _band(segment.min_balance, segment.max_balance)
        return f"{band} {segment.currency_code or ''}".strip()

    days = column(
        "Days since placement",
        lambda segment: _band(segment.min_days_since_placement, segment.max_days_since_placement),
    )

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Segment:
        return records.create(**fields)

    def amend(self, request: HttpRequest, obj: Segment, changes: dict[str, Any]) -> Segment:
        return records.amend(obj, **changes)

    def remove(self, request: HttpRequest, obj: Segment) -> None:
        records.delete(obj)


def _band(least: Any, most: Any) -> str:
    """Return a half-open band as text."""
    if least is None and most is None:
        return "any"
    lower = "" if least is None else f"from {least.normalize():f} " if isinstance(least, Decimal) else f"from {least} "
    upper = "" if most is None else f"below {most.normalize():f}" if isinstance(most, Decimal) else f"below {most}"
    return (lower + upper).strip()
