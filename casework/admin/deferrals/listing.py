"""The list of deferral requests: its tabs, and what its rows show."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, Q, QuerySet, Sum, Value
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.timezone import now

from agents.models import Agent
from casework.admin.deferrals import deciding, facts
from casework.admin.words import day, styled
from casework.worklists import DEFERRAL_WORKING_DAYS
from collection import deferral_limits, deferrals
from collection.models import Debt, DeferralRequest, Hold
from ddc.common.days import agency_today, working_days_before

MAX_COUNT = 1_000
MINE, ABOVE, GRANTED, REFUSED = "mine", "above", "granted", "refused"
TABS = {MINE: "To decide", ABOVE: "Above my limit", GRANTED: "Granted", REFUSED: "Refused"}
_PENDING = DeferralRequest.Status.PENDING
#: Other parameters of the list that are no filters.
_NO_FILTERS = {"o", "p", "e", "all"}


def condition(tab: str, agent: Agent, *, at: datetime) -> Q:
    """Return the condition of the requests on a tab."""
    if tab == GRANTED:
        return Q(status=DeferralRequest.Status.APPROVED)
    if tab == REFUSED:
        return Q(status=DeferralRequest.Status.REJECTED)
    may = deferral_limits.may_decide(deferral_limits.reach_of(agent, now=at))
    return Q(status=_PENDING) & (may if tab == MINE else ~may)


def tabs(agent: Agent, chosen: str, *, at: datetime) -> list[dict[str, Any]]:
    """Return the tabs with the number of their requests, up to ``MAX_COUNT``, in one query of them."""

    def rows(number: int, tab: str) -> QuerySet[Any]:
        found = DeferralRequest.objects.filter(condition(tab, agent, at=at)).order_by()
        return found.annotate(tab=Value(number, IntegerField())).values_list("tab")[:MAX_COUNT]

    first, *rest = (rows(number, tab) for number, tab in enumerate(TABS))
    counts = [0] * len(TABS)
    for (number,) in first.union(*rest, all=True):
        counts[number] += 1
    return [
        {
            "query": f"?tab={tab}",
            "title": title,
            "count": f"{count:,}" if count < MAX_COUNT else f"{MAX_COUNT:,} or more",
            "is_chosen": tab == chosen,
        }
        for (tab, title), count in zip(TABS.items(), counts, strict=True)
    ]


class TabFilter(admin.SimpleListFilter):
    """The tab that is open: without a search or a filter that of the requests to decide."""

    title = "list"
    parameter_name = "tab"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*TABS.items(), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if request.POST.get("action"):
            return queryset  # A selected row that has left the tab meanwhile is told of.
        tab, agent = chosen(request), request.user
        return queryset.filter(condition(tab, agent, at=now())) if tab in TABS else queryset  # type: ignore[arg-type]


def chosen(request: HttpRequest) -> str:
    """Return the tab that a request for the list asks for."""
    is_filtered = request.GET.keys() - _NO_FILTERS
    return request.GET.get("tab") or ("all" if is_filtered else MINE)


# --- Rows


def annotate(rows: Sequence[Any]) -> None:
    """Add to requests what their debtors owe, did and are held for, in a fixed number of queries."""
    moment, today = now(), agency_today(now())
    debtors = {row.debtor_id for row in rows}
    for row in rows:
        row.debt.debtor = row.debtor
    sums: dict[Any, list[tuple[str, Decimal, int]]] = defaultdict(list)
    grouped = Debt.objects.open().filter(debtor__in=debtors).order_by("debtor", "currency_code")
    for debtor, currency, amount, count in grouped.values_list("debtor", "currency_code").annotate(
        amount=Sum("current_balance"), count=Count("pk")
    ):
        sums[debtor].append((currency, amount, count))
    decided: dict[Any, list[DeferralRequest]] = defaultdict(list)
    earlier = DeferralRequest.objects.filter(debtor__in=debtors).exclude(status=_PENDING).select_related("debt")
    for request in earlier[: facts.MOST_PAYMENTS]:
        decided[request.debtor_id].append(request)
    payments: dict[Any, list[Any]] = defaultdict(list)
    of_debts = {row.debt_id for row in rows} | {each.debt_id for some in decided.values() for each in some}
    owners = {each.debt_id: each.debtor_id for some in (rows, *decided.values()) for each in some}
    for payment in facts.payments_of(of_debts):
        payments[owners[payment.debt_id]].append(payment)
    holds: dict[Any, list[Hold]] = defaultdict(list)
    active = Hold.objects.active_between(today, today).filter(debtor__in=debtors)
    for hold in active[: facts.MOST_PAYMENTS]:
        holds[hold.debtor_id].append(hold)
    late = working_days_before(moment, DEFERRAL_WORKING_DAYS)
    for row in rows:
        others = [each for each in decided[row.debtor_id] if each.pk != row.pk and each.created_at < row.created_at]
        row.balance = styled(row.debt.current_balance, row.debt.currency_code)
        row.owes_in_all = _in_all(sums[row.debtor_id])
        row.record = facts.record(others, payments[row.debtor_id], today)
        row.earlier = len(others)
        paid = payments[row.debtor_id]
        row.last_paid = f"Last paid {day(paid[0].payment_date)}" if paid else "Nothing paid yet"
        row.flags = facts.hold_labels(holds[row.debtor_id])
        row.waits = facts.waited(row.created_at, moment)
        row.is_late = row.status == _PENDING and row.created_at < late
        row.until = row.granted_until or deferrals.new_due_date(row.debt, row.days, now=moment)


def add_powers(rows: Sequence[Any], agent: Agent) -> None:
    """Add to pending requests what an agent may grant on them."""
    reach = deferral_limits.reach_of(agent, now=now())
    for row in rows:
        row.power = deciding.power(row, reach) if row.status == _PENDING else None


def _in_all(sums: Sequence[tuple[str, Decimal, int]]) -> str:
    """Return what a debtor owes in all: ``3 debts, 862.09 USD``."""
    count = sum(debts for _, _, debts in sums)
    if count <= 1:
        return "1 debt" if count else ""
    named = format_html_join(", ", "{}", ((styled(amount, currency),) for currency, amount, _ in sums))
    return format_html("{} debts, {}", count, named)
