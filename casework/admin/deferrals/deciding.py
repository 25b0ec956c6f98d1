"""The decision on one request: the agent's power, the form, and the message that the debtor would get."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from agents.limits import Exceeded, Limits
from agents.models import Agent, LimitKind
from casework.admin.words import Clocks, day
from collection import deferral_limits, deferral_steps, deferral_undo, deferrals
from collection.deferral_limits import Reach
from collection.models import DeferralRequest
from communications.notices import decisions, preview
from communications.notices.preview import MessagePreview
from contact.engine.decision import Verdict
from ddc.common.errors import DomainError

GRANT, REFUSE, ASK, SUPERVISOR = "grant", "refuse", "ask", "supervisor"
OWN = "own"
#: The notes that an agent chooses, in English: key, label, and the decision that it belongs to.
PHRASES = (
    ("", "Granted as asked", GRANT),
    ("creditor_allows", "Fewer days: the creditor allows no more", GRANT),
    ("first_part", "Please pay a first part as soon as you can", GRANT),
    ("no_delay", "No delay: we can agree on instalments", REFUSE),
    ("too_often", "Deferred before, and nothing paid since", REFUSE),
    ("proof", "Please send proof", ASK),
    ("when_and_how_much", "When can you pay, and how much?", ASK),
    (OWN, "Write your own", ""),
)
OF_DECISION = {decision: [key for key, _, of in PHRASES if of in (decision, "")] for decision in (GRANT, REFUSE, ASK)}


class NoDecision(DomainError):
    message = "Nothing was decided. Choose one of the buttons."


class DecisionForm(forms.Form):
    """The decision of an agent. ``days`` empty: as asked; ``phrase`` is a key of PHRASES, ``note`` the text of an own one."""

    decision = forms.ChoiceField(choices=[(each, each) for each in (GRANT, REFUSE, ASK, SUPERVISOR)])
    days = forms.IntegerField(min_value=1, max_value=365, required=False)
    phrase = forms.ChoiceField(choices=[(key, label) for key, label, _ in PHRASES], required=False)
    note = forms.CharField(max_length=500, required=False)


@dataclass(frozen=True)
class Power:
    """The power of an agent on a request: ``most`` days, 0 if none; ``exceeded`` are the limits that stand in the way."""

    most: int
    exceeded: list[Exceeded]
    needs_second_person: bool
    why_not: str = ""

    @property
    def is_within(self) -> bool:
        return not self.exceeded and not self.why_not


def power(request: DeferralRequest, reach: Reach) -> Power:
    """Return what an agent may grant."""
    asked, by = request.requested_deferral_days, reach.by
    exceeded, second = reach.exceeded(request.debt, asked), reach.needs_second_person(request.debt)
    if request.escalated_at and not by.has_perm(deferral_limits.DECIDE_ESCALATED):
        return Power(0, exceeded, second, "It was sent to a Supervisor.")
    if request.first_approver_id == by.pk:
        return Power(0, exceeded, second, "You have approved it. Another person has to confirm.")
    by_days = [int(each.limit.value) for each in exceeded if each.limit.kind == LimitKind.DEFERRAL_DAYS]
    most = (by_days[0] if by_days else asked) if len(by_days) == len(exceeded) else 0
    return Power(most, exceeded, second)


def note_of(request: DeferralRequest, fields: Mapping[str, Any]) -> str:
    """Return the note to the debtor: the phrase in their language, or the agent's own words."""
    phrase = fields.get("phrase") or ""
    if phrase in ("", OWN):
        return str(fields.get("note") or "").strip() if phrase == OWN else ""
    return decisions.phrases(request.debtor.language_preference)[phrase]


def decide(request: DeferralRequest, fields: Mapping[str, Any], *, by: Agent, now: datetime) -> DeferralRequest:
    """Carry out a decision of the form; its message waits until the decision cannot be undone any more.

    :raises DomainError: what the domain functions raise
    """
    note, not_before = note_of(request, fields), now + deferral_undo.LASTS
    match fields["decision"]:
        case "grant":
            days = fields.get("days")
            return deferrals.approve(request, by=by, notes=note or None, days=days, now=now, not_before=not_before)
        case "refuse":
            return deferrals.reject(request, by=by, notes=note, now=now, not_before=not_before)
        case "ask":
            return deferral_steps.ask(request, by=by, question=note, now=now)
        case "supervisor":
            return deferral_steps.send_to_supervisor(request, by=by, now=now)
    raise NoDecision


def said(request: DeferralRequest, fields: Mapping[str, Any]) -> str:
    """Return in words what was decided, for the agent."""
    name = request.debtor.name
    match fields["decision"]:
        case "grant" if request.status == DeferralRequest.Status.PENDING:
            return f"Approved: {name}, {request.days} days. Another person has to confirm it."
        case "grant":
            until = day(request.granted_until) if request.granted_until else ""
            return f"Granted: {name}, {request.days} days, due {until}."
        case "refuse":
            return f"Refused: {name}."
        case "ask":
            return f"Asked {name} a question."
    return f"Sent to a Supervisor: {name}."


@dataclass(frozen=True)
class Shown:
    """A decision before it is made: the new due date, and the message as it would go."""

    decision: str
    days: int
    until: date
    message: MessagePreview
    goes: str
    goes_tone: str

    @property
    def new_due(self) -> str:
        return in_full(self.until)

    @property
    def is_html(self) -> bool:
        return self.message.text.html is not None


def in_full(value: date) -> str:
    """Write a day with its year: ``Sat 23 Jan 2027``."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def due_date(request: DeferralRequest, days: int, *, now: datetime) -> date:
    """Return the due date that so many days would give."""
    return deferrals.new_due_date(request.debt, days, now=now)


def show(request: DeferralRequest, fields: Mapping[str, Any], *, now: datetime) -> Shown:
    """Preview a decision: nothing is recorded."""
    decision = fields.get("decision") or GRANT
    days = fields.get("days") or request.days
    debt = copy.copy(request.debt)
    until = due_date(request, days, now=now)
    if decision == ASK:
        name = decisions.QUESTION
    elif decision == REFUSE:
        name = "deferral_rejected"
    else:
        debt.due_date = until
        name = "deferral_approved" if days >= request.requested_deferral_days else "deferral_shortened"
    message = preview.preview_of(decisions.message_for(debt, name, note=note_of(request, fields)), now=now)
    goes, tone = _goes(message, decision, now)
    return Shown(decision, days, until, message, goes, tone)


def _goes(message: MessagePreview, decision: str, now: datetime) -> tuple[str, str]:
    """Return when the message goes, in words, with the tone of the answer."""
    clocks = Clocks.of(message.contact.facts.zones)
    channel = message.contact.channel.label
    waits = timedelta(0) if decision == ASK else deferral_undo.LASTS
    if message.problem:
        return f"No {channel}: {message.problem}", "bad"
    if message.may_go_now:
        after = f", {waits.seconds} s after you decide" if waits else ""
        return f"{channel} goes at {clocks.time(now + waits)}{after}.", "good"
    why = " ".join(dict.fromkeys(reason.text for reason in message.contact.decision.reasons))
    if message.contact.decision.verdict == Verdict.POSTPONE and message.contact.next_at:
        return f"{channel} goes {clocks.from_then(message.contact.next_at, now=now)}: {why}", "warn"
    return f"No {channel}: {why}", "off"


def limits_in_words(within: Limits) -> str:
    """Return the limits of an agent: ``60 days, 10,000.00 USD``; empty without limits."""
    kinds = (LimitKind.DEFERRAL_DAYS, LimitKind.DEFERRAL_AMOUNT)
    return ", ".join(str(within.by_kind[kind]) for kind in kinds if kind in within.by_kind)
