"""Set follow-ups, and close them: done, moved to another day or dropped."""

from datetime import date, datetime

from django.db import transaction

from agents.models import Agent, require_permission
from casework.models import FollowUp
from collection.models import Debt
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange
from debtors.models import Debtor

YEARS_AHEAD = 2


class TextRequired(Missing):
    field = "text"
    message = "Enter what is to be done."


class InvalidDay(OutOfRange):
    field = "due_on"


class NotOfThePerson(Invalid):
    field = "debt"
    message = "This debt belongs to another person. Choose one of the person's debts."


class AlreadyClosed(DomainError):
    """Another agent was first."""


def set_for(
    debtor: Debtor,
    *,
    due_on: date,
    text: str,
    by: Agent | None,
    now: datetime,
    debt: Debt | None = None,
    owner: Agent | None = None,
) -> FollowUp:
    """Set a follow-up for a person. Without an owner it is for any agent; ``by`` None is the system.

    :raises TextRequired: if it does not say what to do
    :raises InvalidDay: if the day is before the agency's today, or more than ``YEARS_AHEAD`` years ahead
    :raises NotOfThePerson: if the debt is another person's
    :raises Forbidden: if the agent may not set follow-ups
    """
    require_permission(by, "casework.add_followup")
    if not text.strip():
        raise TextRequired
    if debt is not None and debt.debtor_id != debtor.pk:
        raise NotOfThePerson
    _check_day(due_on, now=now)
    return FollowUp.objects.create(
        debtor=debtor, debt=debt, due_on=due_on, text=text.strip(), owner=owner, by=by, created_at=now
    )


def finish(follow_up: FollowUp, *, by: Agent, now: datetime, note: str = "") -> None:
    """Close a follow-up as done.

    :raises AlreadyClosed: if another agent was first
    :raises Forbidden: if the agent may not change follow-ups
    """
    _close(follow_up, FollowUp.Outcome.DONE, note, by=by, now=now)


def drop(follow_up: FollowUp, *, by: Agent, now: datetime, note: str = "") -> None:
    """Close a follow-up that is not needed any more; refuses like ``finish``."""
    _close(follow_up, FollowUp.Outcome.DROPPED, note, by=by, now=now)


@transaction.atomic
def move(follow_up: FollowUp, *, due_on: date, by: Agent, now: datetime, note: str = "") -> FollowUp:
    """Move a follow-up to another day: close it, and return the one that continues it.

    :raises InvalidDay: as ``set_for``
    :raises AlreadyClosed: if another agent was first
    :raises Forbidden: if the agent may not change follow-ups
    """
    _check_day(due_on, now=now)
    _close(follow_up, FollowUp.Outcome.MOVED, note, by=by, now=now)
    return FollowUp.objects.create(
        debtor_id=follow_up.debtor_id,
        debt_id=follow_up.debt_id,
        due_on=due_on,
        text=follow_up.text,
        owner_id=follow_up.owner_id,
        by=by,
        continues=follow_up,
        created_at=now,
    )


def _close(follow_up: FollowUp, outcome: FollowUp.Outcome, note: str, *, by: Agent, now: datetime) -> None:
    require_permission(by, "casework.change_followup")
    if not claim_closing(follow_up, outcome, note, by=by, now=now):
        first = FollowUp.objects.select_related("closed_by").get(pk=follow_up.pk)
        raise AlreadyClosed(
            f"{first.closed_by} was first: {first.get_outcome_display()} at {first.closed_at:%H:%M} UTC."
        )


def claim_closing(follow_up: FollowUp, outcome: FollowUp.Outcome, note: str, *, by: Agent, now: datetime) -> bool:
    """Close a follow-up that is still open; return whether it was. Of several agents at once, one succeeds."""
    still_open = FollowUp.objects.filter(pk=follow_up.pk, outcome=None)
    values = {"outcome": outcome, "closed_at": now, "closed_by": by, "closing_note": note.strip(), "updated_at": now}
    return bool(still_open.update(**values))


def _check_day(day: date, *, now: datetime) -> None:
    today = agency_today(now)
    last = date(today.year + YEARS_AHEAD, 12, 31)
    if not today <= day <= last:
        raise InvalidDay(f"Enter a day from {today} to {last}.")
