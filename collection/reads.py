"""What is read of debts all day long, in one statement each; and the dashboard, computed when something has changed."""

from datetime import date
from typing import Any

import orjson
from django.http import HttpRequest
from django.utils.timezone import now

from collection.balances import totals
from collection.models import DebtStatus
from collection.serializers import DashboardSerializer, DebtSerializer
from ddc.common.api.quick import SNAPSHOT, Condition, QuickList, ask, one_of, uuid_of
from ddc.common.api.rendering import utc
from ddc.common.api.serializers import write

debts = QuickList(
    permission="collections.view_debt",
    table="debt",
    serializer=DebtSerializer,
    conditions={
        "status": Condition("debt.current_status = %(status)s", one_of(DebtStatus.values)),
        "debtor_id": Condition("debt.debtor_id = %(debtor_id)s", uuid_of),
        "segment_id": Condition("debt.segment_id = %(segment_id)s", uuid_of),
    },
)


class QuickDashboard:
    """The dashboard's figures, kept for as long as nothing at all has been written to the database.

    PostgreSQL's snapshot names the transactions whose work is to be seen. While it is the one by which the figures were made,
    making them anew would give the same; so nobody who has just written something sees figures from before.
    """

    def __init__(self) -> None:
        self._made: tuple[str, date, dict[str, Any]] | None = None

    def __call__(self, request: HttpRequest) -> bytes | None:
        row = ask(request, "collections.view_debt", SNAPSHOT, {})
        if row is None or row[0] is None:
            return None
        (snapshot,) = row
        moment, made = now(), self._made
        if made is None or made[:2] != (snapshot, moment.date()):
            # What is written between that look and this one makes the next reader look again.
            made = snapshot, moment.date(), write(DashboardSerializer, totals.dashboard(now=moment))
            self._made = made
        return orjson.dumps(made[2] | {"asOf": utc(moment)})


dashboard = QuickDashboard()
