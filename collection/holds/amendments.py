"""What becomes of a hold: approved, moved, reviewed, ended. Each change is kept with who made it, when and why."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import Agent, require_permission
from collection.holds import holds
from collection.holds.reasons import AFTER_TREATMENT, TERMS, WAITING, Terms
from collection.models import Debt, Hold, HoldEvent
from ddc.common.errors import DomainError
from debtors import calendars

Kind = HoldEvent.Kind


class HoldIsOver(DomainError):
    message = "This hold is over."


class WhyMissing(DomainError):
    """What lets collection go on again is explained."""

    status = 422
    code = "required"
    field = "why"
    message = "Tell why."


class NothingToApprove(DomainError):
    message = "This hold was approved already, or needs no approval."


class NoTreatment(DomainError):
    field = "last_day"
    message = "Only a mental-health moratorium ends with a treatment."


@transaction.atomic
def approve(hold: Hold, *, by: Agent, now: datetime, why: str = "") -> Hold:
    """Agree to a hold that rests on our own judgement. Not to agree is to end it.

    :raises NothingToApprove: if somebody did, or nobody has to
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.change_hold")
    waiting = Hold.objects.filter(WAITING, pk=hold.pk)
    if not waiting.update(approved_by=by, updated_at=now):
        raise NothingToApprove
    return _noted(hold, Kind.APPROVED, by=by, now=now, why=why)


@transaction.atomic
def move(hold: Hold, *, ends_on: date | None, why: str, by: Agent, now: datetime) -> Hold:
    """Let a hold end on another day; None leaves it open. To let it end sooner takes the right to end it.

    :raises HoldIsOver: if it is
    :raises HasItsOwnWay: if it is for a deferral or a dispute
    :raises LengthIsLaw: if the reason's law says when it ends
    :raises EndsBeforeItStarts: if it would block nothing
    :raises WhyMissing: if nobody knows why
    :raises Forbidden: if ``by`` may not
    """
    terms = _changeable(hold, why)
    if terms.lasts or terms.is_open:
        raise holds.LengthIsLaw
    if ends_on and ends_on <= hold.starts_on:
        raise holds.EndsBeforeItStarts
    is_sooner = ends_on is not None and (hold.ends_on is None or ends_on < hold.ends_on)
    require_permission(by, "collections.change_hold" if is_sooner else "collections.add_hold")
    approved_by = by if by.has_perm("collections.change_hold") else None
    _change(hold, now=now, ends_on=ends_on, **({"approved_by": approved_by} if terms.needs_approval else {}))
    return _noted(hold, Kind.MOVED, by=by, now=now, why=why)


@transaction.atomic
def end_treatment(hold: Hold, *, last_day: date, why: str, by: Agent, now: datetime) -> Hold:
    """Let a mental-health moratorium end 30 days after the last day of the treatment (SI 2020/1311, reg. 32).

    :raises NoTreatment: if it is another hold
    :raises HoldIsOver: if it is
    :raises EndsBeforeItStarts: if the treatment would have ended before the moratorium began
    :raises WhyMissing: if nobody knows who told us
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.change_hold")
    _changeable(hold, why)
    if hold.reason != Hold.Reason.MENTAL_HEALTH_MORATORIUM:
        raise NoTreatment
    ends_on = last_day + timedelta(days=1) + AFTER_TREATMENT
    if ends_on <= hold.starts_on:
        raise holds.EndsBeforeItStarts(field="last_day")
    _change(hold, now=now, ends_on=ends_on, review_on=None)
    return _noted(hold, Kind.MOVED, by=by, now=now, why=why)


@transaction.atomic
def review(hold: Hold, *, review_on: date | None, why: str, by: Agent, now: datetime) -> Hold:
    """Note that somebody looked at a hold, what they found, and by when it is to be looked at again.

    :raises HoldIsOver: if it is
    :raises WhyMissing: if nobody says what they found
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.add_hold")
    if not why.strip():
        raise WhyMissing
    _change(hold, now=now, review_on=review_on)
    return _noted(hold, Kind.REVIEWED, by=by, now=now, why=why)


@transaction.atomic
def end(hold: Hold, *, why: str, by: Agent, now: datetime) -> Hold:
    """End a hold at once. Others on the same debt or person go on.

    :raises HoldIsOver: if it is
    :raises HasItsOwnWay: if it is for a deferral or a dispute
    :raises WhyMissing: if nobody knows why
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.change_hold")
    _changeable(hold, why)
    _end([hold], by=by, now=now, why=why)
    return hold


def lift(debt: Debt, *, reason: Hold.Reason, by: Agent | None, why: str = "") -> None:
    """End a locked debt's holds of one reason; holds for other reasons go on."""
    now = timezone.now()
    _end(Hold.objects.standing().filter(debt=debt, reason=reason), by=by, now=now, why=why)


def _changeable(hold: Hold, why: str) -> Terms:
    terms = TERMS[Hold.Reason(hold.reason)]
    if not terms.by_hand:
        raise holds.HasItsOwnWay
    if not why.strip():
        raise WhyMissing
    return terms


def _change(hold: Hold, *, now: datetime, **changes: Any) -> None:
    """Change a hold that stands by one conditional UPDATE: of two at once, one may find it over."""
    if not Hold.objects.standing().filter(pk=hold.pk).update(**changes, updated_at=now):
        raise HoldIsOver


def _end(some: Iterable[Hold], *, by: Agent | None, now: datetime, why: str) -> None:
    for hold in some:
        last = max(hold.starts_on, min(calendars.days(hold.whose, at=now)))
        ends_on = min(hold.ends_on, last) if hold.ends_on else last
        _change(hold, now=now, ends_on=ends_on, ended_at=now, lifted_at=now, ended_by=by)
        _noted(hold, Kind.ENDED, by=by, now=now, why=why)


def _noted(hold: Hold, kind: Kind, *, by: Agent | None, now: datetime, why: str) -> Hold:
    hold.refresh_from_db()
    holds.note([hold], kind, by=by, now=now, why=why)
    return hold
