"""Arrangements in words and tables, for the pages of the back office."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from arrangements import assessment
from arrangements.assessment import Step
from arrangements.models import Arrangement, ArrangementEvent
from arrangements.policies import Needed
from arrangements.schedules import Due, Frequency
from ddc.common.admin.pages import amount
from debtors import calendars

Kind = ArrangementEvent.Kind
SCHEDULE = ("No.", "Agreed day", "Due", "Amount")
FREQUENCIES = {
    Frequency.WEEKLY: "Every week",
    Frequency.FORTNIGHTLY: "Every two weeks",
    Frequency.FOUR_WEEKLY: "Every four weeks",
    Frequency.MONTHLY: "Every month",
}
_NEEDED = {
    Needed.APPROVAL.value: "Another person must approve",
    Needed.CONSENT.value: "The creditor's consent is needed",
}


def day(value: date) -> str:
    """Write a day with its year: ``Sat 23 Jan 2027``."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def needs(found: Iterable[Mapping[str, str]]) -> list[str]:
    """Write what an arrangement needs: from whom, and because of which rule."""
    return [f"{_NEEDED[need['kind']]}: {need['text']}" for need in found]


def schedule(dues: Iterable[Due | Step], currency: str) -> list[tuple[object, ...]]:
    """Return the rows of a schedule, below the headers ``SCHEDULE``."""
    return [(due.no, day(due.agreed_on), day(due.due_on), amount(due.amount, currency)) for due in dues]


def state(step: Step, today: date) -> str:
    """Write how an instalment stands on the debtor's day."""
    if step.open <= 0:
        return "Paid"
    if step.is_missed:
        return "Missed"
    if step.paid:
        return "Part paid"
    return "Due" if step.due_on <= today else "Not due yet"


def steps(arrangements: Collection[Arrangement], *, now: datetime) -> dict[UUID, list[Step]]:
    """Return the instalments of arrangements of one debtor as they stand on the debtor's day."""
    if not arrangements:
        return {}
    today = calendars.today(next(iter(arrangements)).debtor, at=now)
    return assessment.steps([arrangement.pk for arrangement in arrangements], day=today)


def progress(found: Sequence[Step], currency: str) -> str:
    """Write how an arrangement stands: the next instalment and its day, and how many were missed."""
    following = assessment.next_of(found)
    if following is None:
        return "all paid"
    missed = assessment.missed_of(found)
    text = f"next {amount(following.open, currency)} on {day(following.due_on)}"
    return f"{text}, {missed} missed" if missed else text


def title(arrangement: Arrangement) -> str:
    """Write an arrangement with its sum, as agents read it."""
    return f"{arrangement.get_kind_display().capitalize()}, {amount(arrangement.total, arrangement.currency_code)}"


def event(row: ArrangementEvent, currency: str) -> str:
    """Write an event of the story as a sentence."""
    who, details = str(row.by) if row.by else "", row.details
    text = _EVENTS[Kind(row.kind)](details, currency)
    sentence = f"{who} {text}" if who else _BY_ITSELF.get(Kind(row.kind), f"{text[:1].upper()}{text[1:]}")
    reason = details.get("reason")
    return f"{sentence}: {reason}" if reason else f"{sentence}."


def _changed(details: Mapping[str, Any], currency: str) -> str:
    number = details.get("instalment")
    if "due_on" in details:
        before, after = (day(date.fromisoformat(details[name])) for name in ("before", "due_on"))
        return f"delayed instalment {number} from {before} to {after}"
    before, after = (amount(Decimal(details[name]), currency) for name in ("before", "amount"))
    return f"changed instalment {number} from {before} to {after}; the last one takes the difference"


def _plain(text: str) -> Callable[[Mapping[str, Any], str], str]:
    return lambda _details, _currency: text


def _approved(details: Mapping[str, Any], _currency: str) -> str:
    consent = details.get("creditor_consent")
    return f"approved it; the creditor agreed ({consent})" if consent else "approved it"


_EVENTS: dict[ArrangementEvent.Kind, Callable[[Mapping[str, Any], str], str]] = {
    Kind.PROPOSED: _plain("proposed it"),
    Kind.APPROVED: _approved,
    Kind.OFFERED: _plain("offered it"),
    Kind.ACCEPTED: _plain("recorded that the debtor accepted it"),
    Kind.DECLINED: _plain("recorded that it was declined"),
    Kind.EXPIRED: _plain("ended the offer"),
    Kind.CHANGED: _changed,
    Kind.MOVED: lambda details, _: (
        f"moved the instalments from number {details.get('instalment')} on: a hold is in force"
    ),
    Kind.MISSED: lambda details, _: f"found instalment {details.get('instalment', '')} missed",
    Kind.BROKEN: _plain("found it broken"),
    Kind.REINSTATED: _plain("put it in force again"),
    Kind.KEPT: _plain("found it kept"),
    Kind.REOPENED: _plain("reopened it: a payment went back"),
    Kind.HANDED_OVER: _plain("handed it over to a person"),
    Kind.CANCELLED: _plain("cancelled it"),
    Kind.SUPERSEDED: _plain("replaced it by another arrangement"),
}
#: Events without an agent: the debtor's, or those of the passing of days.
_BY_ITSELF = {
    Kind.PROPOSED: "The debtor proposed it",
    Kind.ACCEPTED: "The debtor accepted it",
    Kind.DECLINED: "The debtor declined it",
    Kind.EXPIRED: "The offer expired",
    Kind.BROKEN: "Broken: too many instalments were missed",
    Kind.REINSTATED: "In force again: a payment had come in time",
    Kind.KEPT: "Kept: all is paid and has cleared",
    Kind.REOPENED: "Reopened: a payment went back",
    Kind.HANDED_OVER: "Handed over to a person: a death, a bankruptcy or an attorney",
    Kind.CANCELLED: "Cancelled",
    Kind.SUPERSEDED: "Replaced by another arrangement",
}
