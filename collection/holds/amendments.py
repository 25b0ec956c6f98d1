"""Amend holds: approve, move the end, review, end. Each change is recorded with its author, time and note."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import Agent, require_permission
from collection.holds import holds
from collection.holds.reasons import AFTER_TREATMENT, AWAITING_APPROVAL, POLICIES, ReasonPolicy
from collection.models import Debt, Hold, HoldEvent
from ddc.common.errors import DomainError, Missing
from debtors import calendars

Kind = HoldEvent.Kind


class HoldEnded(DomainError):
    message = "This hold has ended. Open a new one if it is still needed."


class NoteRequired(Missing):
    field = "why"
    message = "The note is missing. Enter the reason for this change."


class NothingToApprove(DomainError):
    message = "This hold has been approved already, or needs no approval."


class NotATreatmentHold(DomainError):
    field = "last_day"
    message = "Only a mental-health moratorium ends with a treatment. End this hold instead."


@transaction.atomic
def approve(hold: Hold, *, by: Agent, now: datetime, why: str = "") -> Hold:
    """Approve a hold. A supervisor who does not agree ends it instead.

    :raises NothingToApprove: if it does not wait for approval
    :raises Forbidden: if ``by`` may not approve
    """
    require_permission(by, "collections.change_hold")
    waiting = Hold.objects.filter(AWAITING_APPROVAL, pk=hold.pk)
    if not waiting.update(approved_by=by, updated_at=now):
        raise NothingToApprove
    return _record(hold, Kind.APPROVED, by=by, now=now, why=why)


@transaction.atomic
def move(hold: Hold, *, ends_on: date | None, why: str, by: Agent, now: datetime) -> Hold:
    """Move the end of a hold; None makes it open-ended. An earlier end requires the permission to end holds.

    :raises HoldEnded: if it has ended
    :raises ReasonNotManual: if it belongs to a deferral or a dispute
    :raises LengthFixedByLaw: if the law sets its end
    :raises EndsBeforeStart: if it would end on or before its first day
    :raises NoteRequired: if the note is blank
    :raises Forbidden: if ``by`` may not
    """
    policy = _manual_policy(hold, why)
    if policy.length_is_fixed:
        raise holds.LengthFixedByLaw
    if ends_on and ends_on <= hold.starts_on:
        raise holds.EndsBeforeStart
    is_sooner = ends_on is not None and (hold.ends_on is None or ends_on < hold.ends_on)
    require_permission(by, "collections.change_hold" if is_sooner else "collections.add_hold")
    approved_by = by if by.has_perm("collections.change_hold") else None
    _update(hold, now=now, ends_on=ends_on, **({"approved_by": approved_by} if policy.needs_approval else {}))
    return _record(hold, Kind.MOVED, by=by, now=now, why=why)


@transaction.atomic
def end_treatment(hold: Hold, *, last_day: date, why: str, by: Agent, now: datetime) -> Hold:
    """End a mental-health moratorium 30 days after the last day of the treatment (SI 2020/1311, reg. 32).

    :raises NotATreatmentHold: if the hold has another reason
    :raises HoldEnded: if it has ended
    :raises EndsBeforeStart: if that is on or before its first day
    :raises NoteRequired: if the note is blank
    :raises Forbidden: if ``by`` may not end holds
    """
    require_permission(by, "collections.change_hold")
    policy = _manual_policy(hold, why)
    if not policy.ends_with_treatment:
        raise NotATreatmentHold
    ends_on = last_day + timedelta(days=1) + AFTER_TREATMENT
    if ends_on <= hold.starts_on:
        raise holds.EndsBeforeStart(field="last_day")
    _update(hold, now=now, ends_on=ends_on, review_on=None)
    return _record(hold, Kind.MOVED, by=by, now=now, why=why)


@transaction.atomic
def review(hold: Hold, *, review_on: date | None, why: str, by: Agent, now: datetime) -> Hold:
    """Record a review of a hold, its finding and the next review date.

    :raises HoldEnded: if it has ended
    :raises NoteRequired: if the finding is blank
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "collections.add_hold")
    if not why.strip():
        raise NoteRequired
    _update(hold, now=now, review_on=review_on)
    return _record(hold, Kind.REVIEWED, by=by, now=now, why=why)


@transaction.atomic
def end(hold: Hold, *, why: str, by: Agent, now: datetime) -> Hold:
    """End a hold now. Other holds on the same debt or person stay.

    :raises HoldEnded: if it has ended
    :raises ReasonNotManual: if it belongs to a deferral or a dispute
    :raises NoteRequired: if the note is blank
    :raises Forbidden: if ``by`` may not end holds
    """
    require_permission(by, "collections.change_hold")
    _manual_policy(hold, why)
    _end([hold], by=by, now=now, why=why)
    return hold


def lift(debt: Debt, *, reason: Hold.Reason, by: Agent | None, why: str = "") -> None:
    """End a locked debt's holds of one reason; holds of other reasons stay."""
    now = timezone.now()
    _end(Hold.objects.not_ended().filter(debt=debt, reason=reason), by=by, now=now, why=why)


def end_granted(hold: Hold, *, by: Agent | None, now: datetime, why: str) -> None:
    """End the hold of a deferral of a locked debt, for the domain function that decided on it.

    :raises HoldEnded: if it has ended
    """
    _end([hold], by=by, now=now, why=why)


def _manual_policy(hold: Hold, why: str) -> ReasonPolicy:
    policy = POLICIES[Hold.Reason(hold.reason)]
    if not policy.is_manual:
        raise holds.ReasonNotManual
    if not why.strip():
        raise NoteRequired
    return policy


def _update(hold: Hold, *, now: datetime, **changes: Any) -> None:
    """Change a hold by one conditional UPDATE, so that of two changes at once the second finds it ended."""
    if not Hold.objects.not_ended().filter(pk=hold.pk).update(**changes, updated_at=now):
        raise HoldEnded


def _end(some: Iterable[Hold], *, by: Agent | None, now: datetime, why: str) -> None:
    for hold in some:
        last = max(hold.starts_on, min(calendars.days(hold.person, at=now)))
        ends_on = min(hold.ends_on, last) if hold.ends_on else last
        _update(hold, now=now, ends_on=ends_on, ended_at=now, ended_by=by)
        _record(hold, Kind.ENDED, by=by, now=now, why=why)


def _record(hold: Hold, kind: Kind, *, by: Agent | None, now: datetime, why: str) -> Hold:
    hold.refresh_from_db()
    holds.record_events([hold], kind, by=by, now=now, why=why)
    return hold
