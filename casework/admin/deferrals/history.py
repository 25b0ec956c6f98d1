"""The history of a deferral request in words, from the change log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import Agent
from audit.models import AuditEvent
from collection.models import DeferralRequest, HoldEvent

_MOST = 100


@dataclass(frozen=True)
class Line:
    """One step: when, and a sentence."""

    at: datetime
    text: str


def lines(request: DeferralRequest) -> list[Line]:
    """Return the steps of a request, oldest first."""
    table = DeferralRequest._meta.db_table
    events = list(AuditEvent.objects.filter(
        person_id=request.debtor_id, table_name=table, row_id=str(request.pk), operation="update"
    ).order_by("-id")[:_MOST])  # fmt: skip
    agents = Agent.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    found = [Line(request.created_at, f"{request.debtor} asked for {_days(request.requested_deferral_days)}.")]
    state: dict[str, Any] = {}
    for event in reversed(events):
        changes = event.after or {}
        state.update(changes)
        who = agents[event.actor_id].name if event.actor_id in agents else event.actor_name or "The system"
        way = " (API)" if event.source == AuditEvent.Source.API else ""
        found += [Line(event.at, f"{who}{way} {words}.") for words in _words(changes, state, request)]
    if request.status == DeferralRequest.Status.APPROVED:
        ends = HoldEvent.objects.filter(hold__deferral_request=request, kind=HoldEvent.Kind.ENDED).select_related("by")
        found += [Line(end.at, f"{end.by or 'The system'} ended the deferral early: {end.why}.") for end in ends]
    return found


def _words(changes: dict[str, Any], state: dict[str, Any], request: DeferralRequest) -> Iterator[str]:
    """Yield what one change means. ``state`` has the values after it."""
    asked = request.requested_deferral_days
    granted = state.get("granted_days") or asked
    of_asked = _days(granted) if granted == asked else f"{granted} of {_days(asked)}"
    note = f": “{changes['review_notes']}”" if changes.get("review_notes") else ""
    match changes.get("status"):
        case "approved":
            yield f"granted {of_asked}{' as the second person' if state.get('first_approved_at') else ''}{note}"
        case "rejected":
            yield f"closed it{note}" if changes.get("closed_by") else f"refused{note}"
        case "pending":
            yield "undid the decision"
        case None if "first_approved_at" in changes:
            is_undone = changes["first_approved_at"] is None
            yield "undid the first approval" if is_undone else f"approved {of_asked}; another person has to confirm"
    if changes.get("escalated_at"):
        yield "sent it to a Supervisor"
    if changes.get("question_at"):
        yield f"asked: “{state.get('question', '')}”"


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"
