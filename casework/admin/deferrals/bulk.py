"""Decide several deferral requests: a page with names, sums and new dates, and then the result of each row."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now

from agents.models import Agent
from casework.admin.deferrals import deciding
from casework.admin.deferrals.deciding import GRANT, PHRASES
from casework.admin.words import styled
from collection.deferral_limits import Reach
from collection.models import DeferralRequest
from ddc.common.errors import DomainError

_ACTIONS = {"grant": "approve_selected", "refuse": "reject_selected"}
_VERBS = {"grant": "Grant", "refuse": "Refuse"}


@dataclass(frozen=True)
class Row:
    """One request of a bulk decision. ``why_not`` is set where the agent cannot decide it as asked; it is then not ticked."""

    asked: DeferralRequest
    balance: str
    until: str
    why_not: str


@dataclass(frozen=True)
class Result:
    """The result of one row."""

    asked: DeferralRequest
    is_done: bool
    text: str


def page(desk: Any, request: HttpRequest, queryset: QuerySet[DeferralRequest], decision: str) -> HttpResponse:
    """Show the rows to confirm, or once confirmed the result of each."""
    agent: Any = request.user
    rows = list(queryset.select_related("debtor", "debt__creditor").order_by("created_at", "pk"))
    phrase, note = request.POST.get("phrase", ""), request.POST.get("note", "").strip()[:500]
    error = ""
    if decision != GRANT and "confirmed" in request.POST and not (phrase and (phrase != deciding.OWN or note)):
        error = "Choose a note: who is refused is told why."
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "list_url": reverse("admin:collections_deferralrequest_changelist"),
        "title": f"{_VERBS[decision]} {len(rows)} request{'' if len(rows) == 1 else 's'}",
        "verb": _VERBS[decision],
        "decision": decision,
    }
    if "confirmed" in request.POST and not error:
        fields = {"decision": decision, "phrase": phrase, "note": note}
        results = [_decide(desk, request, row, fields, agent) for row in rows]
        done = sum(result.is_done for result in results)
        context |= {"results": results, "done": done, "title": f"{done} of {len(results)} decided"}
        return TemplateResponse(request, "casework/deferrals/bulk_results.html", context)
    shown = _rows(rows, decision, agent, now())
    context |= {
        "rows": shown,
        "totals": _totals([row.asked for row in shown if not row.why_not]),
        "action": _ACTIONS[decision],
        "checkbox": ACTION_CHECKBOX_NAME,
        "phrases": [each for each in PHRASES if each[2] in (decision, "")],
        "chosen": phrase,
        "error": error,
    }
    return TemplateResponse(request, "casework/deferrals/bulk.html", context)


def _rows(rows: Sequence[DeferralRequest], decision: str, agent: Agent, moment: datetime) -> list[Row]:
    reach = Reach(agent, moment)
    return [
        Row(
            asked,
            styled(asked.debt.current_balance, asked.debt.currency_code),
            deciding.in_full(deciding.due_date(asked, asked.days, now=moment)),
            _why_not(asked, decision, deciding.power(asked, reach)),
        )
        for asked in rows
    ]


def _why_not(asked: DeferralRequest, decision: str, power: deciding.Power) -> str:
    if asked.status != DeferralRequest.Status.PENDING:
        return "It has been decided already."
    if power.why_not or decision != GRANT:
        return power.why_not if decision == GRANT or asked.escalated_at else ""
    if not asked.debt.is_open:
        return "The debt is closed."
    return "Above your limit: " + "; ".join(map(str, power.exceeded)) if power.exceeded else ""


def _totals(rows: Sequence[DeferralRequest]) -> list[dict[str, Any]]:
    """Return the sums by currency; amounts in different currencies are never added."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.debt.currency_code] += row.debt.current_balance
        counts[row.debt.currency_code] += 1
    return [{"sum": styled(sums[code], code), "count": counts[code]} for code in sorted(sums)]


def _decide(desk: Any, request: HttpRequest, asked: DeferralRequest, fields: dict[str, Any], agent: Agent) -> Result:
    """Decide one row in a transaction of its own."""
    try:
        with transaction.atomic():
            decided = deciding.decide(asked, fields, by=agent, now=now())
            text = deciding.said(decided, fields)
            desk.log_change(request, decided, text)
    except DomainError as refusal:
        return Result(asked, False, refusal.message)
    return Result(asked, True, text)
