"""Fast reads of debts, and the dashboard."""

import orjson
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.timezone import now

from collection.balances import totals
from collection.models import DebtStatus
from collection.serializers import DashboardSerializer, DebtSerializer
from ddc.common.api.serializers import write
from ddc.fast.lists import FastList, Filter, one_of, parse_uuid
from ddc.fast.reads import fetch_row

#: The contract allows a minute.
DASHBOARD_SECONDS = 5

#: The SQL of a debt's ``originalCreditor``.
ORIGINAL_CREDITOR = "(SELECT name FROM creditor WHERE id = debt.creditor_id)"

debts = FastList(
    permission="collections.view_debt",
    table="debt",
    serializer=DebtSerializer,
    filters={
        "status": Filter("debt.current_status = %(status)s", one_of(DebtStatus.values)),
        "debtor_id": Filter("debt.debtor_id = %(debtor_id)s", parse_uuid),
        "segment_id": Filter("debt.segment_id = %(segment_id)s", parse_uuid),
    },
    computed={"originalCreditor": ORIGINAL_CREDITOR},
)


def dashboard(request: HttpRequest) -> bytes | None:
    """Answer the dashboard's sums, computed at most ``DASHBOARD_SECONDS`` ago; ``asOf`` is the time of the computation."""
    if fetch_row(request, "collections.view_debt", "TRUE", {}) is None:
        return None
    return cache.get_or_set("dashboard", _compute_dashboard, DASHBOARD_SECONDS)


def _compute_dashboard() -> bytes:
    return orjson.dumps(write(DashboardSerializer, totals.dashboard(now=now())))
