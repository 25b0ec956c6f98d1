"""The back office's list of claims on work."""

from django.contrib import admin
from django.utils.timezone import now

from casework import claims
from casework.models import WorkClaim
from ddc.common.admin.pages import ReadOnlyAdmin, column


@admin.register(WorkClaim)
class WorkClaimAdmin(ReadOnlyAdmin):
    """The work on items by agent. A claim ends ten minutes after the last request for the item."""

    list_display = ("agent", "item_type", "item_id", "claimed_at", "seen_at", "state")
    list_select_related = ("agent",)
    list_filter = ("item_type", "seen_at")
    fields = ("agent", ("item_type", "item_id"), ("claimed_at", "seen_at"))

    state = column("State", lambda claim: "in force" if claims.is_in_force(claim, now=now()) else "ended")
