"""Deferral requests on other pages. Their own pages are in ``casework/admin/deferrals``."""

from typing import Any

from django.db.models import QuerySet

from collection.models import DeferralRequest
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import when


def listing_of(requests: QuerySet[DeferralRequest], *, title: str = "Deferral requests", **filters: Any) -> Listing:
    """List these deferral requests on another page."""
    columns: dict[str, Any] = {
        "Requested": lambda deferral: when(deferral.created_at),
        "Debt": lambda deferral: deferral.debt,
        "Days": lambda deferral: deferral.requested_deferral_days,
        "Granted": lambda deferral: deferral.granted_days or "-",
        "Status": lambda deferral: deferral.get_status_display(),
        "By": lambda deferral: deferral.reviewer or "-",
        "Notes": lambda deferral: deferral.review_notes or "-",
    }
    return listing(title, requests.select_related("debt", "reviewer"), columns, **filters)
