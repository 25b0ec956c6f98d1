"""Request, approve, reject and end deferrals: more time on a debt."""

from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection import deferral_limits, statuses
from collection.balances import ledger
from collection.holds import amendments, holds
from collection.models import Debt, DeferralRequest, Hold
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange, refusing
from debtors import calendars
from debtors.models import Debtor

_YEAR = timedelta(days=365)
#: Fields that another agent may have changed while the debt was not locked yet.
_READ_AGAIN = ("status", "granted_days", "first_approver", "escalated_at")
#: Sent with ``request``, ``now`` and ``not_before`` in the transaction that decides a request.
reviewed = Signal()


class DebtOfAnotherDebtor(Invalid):
    code = "database.exists"
    field = "debt_id"
    message = "This debt does not exist."


class DebtNotOpen(DomainError):
    message = "This debt is closed; there is nothing to defer."


class AlreadyPending(DomainError):
    message = "A deferral request for this debt is pending already. Wait for its review."


class AlreadyReviewed(DomainError):
    message = "This request has been reviewed already."


class MoreThanAsked(OutOfRange):
    field = "granted_days"
    message = "Grant at least one day, and at most the days that were asked for."


class TooManyDays(DomainError):
    field = "requested_deferral_days"
    code = "range"

    def __init__(self, *, granted: int, limit: int) -> None:
        super().__init__(
            f"Within a year {granted} days were granted on this debt, and {limit} are allowed (DEFERRAL_DAYS_PER_YEAR)."
        )


class NotRunning(DomainError):
    message = "This deferral is not running, so there is nothing to end."


class WhyRequired(Missing):
    field = "why"
    message = "The reason is missing. Enter why the deferral ends early."


class NotesRequired(Missing):
    field = "review_notes"
    message = "Notes are required to reject a request."


def one_pending() -> AbstractContextManager[None]:
    """Write a pending request; AlreadyPending is raised where the debt has one."""
    return refusing({"debt_has_one_pending_deferral_request": AlreadyPending()})


@transaction.atomic
def request(debt: Debt, *, debtor: Debtor, days: int, reason: str, now: datetime) -> DeferralRequest:
    """Request ``days`` (1 to 365) more for a debt.

    :raises DebtOfAnotherDebtor: if it is another debtor's debt
    :raises DebtNotOpen: if it is closed
    :raises AlreadyPending: if it has a pending request
    """
    if debt.debtor_id != debtor.pk:
        raise DebtOfAnotherDebtor
    if not ledger.lock_debt(debt.pk).is_open:
        raise DebtNotOpen
    deferral = DeferralRequest(debtor=debtor, debt=debt, requested_deferral_days=days, reason=reason, created_at=now)
    with one_pending():
        deferral.save(force_insert=True)
    return deferral


def withdraw(request: DeferralRequest, *, debtor: Debtor, now: datetime) -> DeferralRequest:
    """Withdraw a pending request, for the debtor who made it.

    :raises DebtOfAnotherDebtor: if another debtor made it
    :raises AlreadyReviewed: if it has been reviewed or closed
    """
    if request.debtor_id != debtor.pk:
        raise DebtOfAnotherDebtor
    rejected, by_debtor = DeferralRequest.Status.REJECTED, DeferralRequest.ClosedBy.DEBTOR
    if not pending(request).update(status=rejected, closed_by=by_debtor, reviewed_at=now, updated_at=now):
        raise AlreadyReviewed
    request.refresh_from_db()
    return request


@transaction.atomic
def approve(
    request: DeferralRequest,
    *,
    by: Agent,
    notes: str | None,
    days: int | None = None,
    now: datetime,
    not_before: datetime | None = None,
) -> DeferralRequest:
    """Approve a deferral: move the due date and hold the debt until then.

    The days count from the later of the due date and today, by the debtor's calendar. Above the limit of a second person, the
    first approval only proposes: the request stays pending until another agent approves the same days.

    :param days: fewer than were asked for; None: those that were asked for, or that the first of two persons approved
    :param not_before: when the debtor is told at the earliest
    :raises AlreadyReviewed: if it has been reviewed
    :raises DebtNotOpen: if the debt has been closed since the request
    :raises MoreThanAsked: if these are more days than were asked for
    :raises TooManyDays: if more days than ``DEFERRAL_DAYS_PER_YEAR`` would be granted on the debt within a year
    :raises AboveLimit: if it is above a limit of the agent's role
    :raises SecondPersonRequired: if ``by`` approved it first
    :raises Forbidden: if ``by`` may not review, or it was sent to a Supervisor
    """
    require_permission(by, deferral_limits.REVIEW)
    debt = ledger.lock_debt(request.debt_id)
    request.refresh_from_db(fields=_READ_AGAIN)
    days = days or request.days
    reach = deferral_limits.Reach(by, now)
    _check(request, debt, days, reach)
    if reach.needs_second_person(debt) and not _confirms(request, days, by=by):
        return _propose(request, days, by=by, now=now)
    until = new_due_date(debt, days, now=now)
    request.granted_days, request.due_date_before, request.granted_until = days, debt.due_date, until
    request.save(update_fields=["due_date_before", "granted_until", "granted_days"])
    decide(request, DeferralRequest.Status.APPROVED, by=by, notes=notes, now=now)
    debt.due_date = until
    holds.create_hold(
        reason=Hold.Reason.DEFERRAL,
        debt=debt,
        ends_on=until,
        deferral_request=request,
        source="Deferral request",
        by=by,
        approved_by=by,
        now=now,
        why=notes or "",
    )
    statuses.refresh(debt)
    ledger.save(debt, "due_date", "current_status")
    reviewed.send(DeferralRequest, request=request, now=now, not_before=not_before)
    return request


def new_due_date(debt: Debt, days: int, *, now: datetime) -> date:
    """Return the due date that so many days would give a debt."""
    today = calendars.today(debt.debtor, at=now)
    return calendars.later(max(debt.due_date or today, today), days=days)


def _check(request: DeferralRequest, debt: Debt, days: int, reach: deferral_limits.Reach) -> None:
    if request.status != DeferralRequest.Status.PENDING:
        raise AlreadyReviewed
    if not debt.is_open:
        raise DebtNotOpen
    deferral_limits.require_decider(request, by=reach.by)
    if not 1 <= days <= request.requested_deferral_days:
        raise MoreThanAsked
    granted = _days_granted(debt, now=reach.now)
    if granted + days > settings.DEFERRAL_DAYS_PER_YEAR:
        raise TooManyDays(granted=granted, limit=settings.DEFERRAL_DAYS_PER_YEAR)
    reach.require(debt, days)


def _confirms(request: DeferralRequest, days: int, *, by: Agent) -> bool:
    """Return whether an approval confirms the one of another person, who approved the same days.

    :raises SecondPersonRequired: if the same person approves the same days again
    """
    if request.first_approver_id is None or request.granted_days != days:
        return False
    if request.first_approver_id == by.pk:
        raise deferral_limits.SecondPersonRequired
    return True


def _propose(request: DeferralRequest, days: int, *, by: Agent, now: datetime) -> DeferralRequest:
    """Note the first of two approvals; one of other days takes the place of an earlier one."""
    request.first_approver, request.first_approved_at, request.granted_days = by, now, days
    request.save(update_fields=["first_approver", "first_approved_at", "granted_days", "updated_at"])
    return request


@transaction.atomic
def reject(
    request: DeferralRequest, *, by: Agent, notes: str | None, now: datetime, not_before: datetime | None = None
) -> DeferralRequest:
    """Reject a deferral with an explanation, of which the debtor is told not before ``not_before``.

    :raises NotesRequired: if the notes are blank
    :raises AlreadyReviewed: if it has been reviewed
    :raises Forbidden: if ``by`` may not review
    """
    if not (notes and notes.strip()):
        raise NotesRequired
    decide(request, DeferralRequest.Status.REJECTED, by=by, notes=notes, now=now)
    reviewed.send(DeferralRequest, request=request, now=now, not_before=not_before)
    return request


@transaction.atomic
def end(request: DeferralRequest, *, by: Agent, why: str, now: datetime) -> DeferralRequest:
    """End a running deferral early. Its hold ends, and the debt has the due date of before, unless somebody changed it since.

    :raises WhyRequired: if the reason is blank
    :raises NotRunning: if it was not approved, or is over
    :raises Forbidden: if ``by`` may not review
    """
    require_permission(by, deferral_limits.REVIEW)
    if not why.strip():
        raise WhyRequired
    debt = ledger.lock_debt(request.debt_id)
    request.refresh_from_db()
    hold = Hold.objects.not_ended().filter(deferral_request=request).select_related("debt__debtor").first()
    if hold is None:
        raise NotRunning
    amendments.end_granted(hold, by=by, now=now, why=why)
    restore_due_date(debt, request)
    statuses.refresh(debt)
    ledger.save(debt, "due_date", "current_status")
    return request


def restore_due_date(debt: Debt, request: DeferralRequest) -> None:
    """Take the days of a deferral out of the debt's due date. A later deferral, which counted from its end, takes its place."""
    if debt.due_date == request.granted_until:
        debt.due_date = request.due_date_before
    else:
        later = DeferralRequest.objects.filter(debt=debt, due_date_before=request.granted_until, hold__ended_at=None)
        later.update(due_date_before=request.due_date_before)


def _days_granted(debt: Debt, *, now: datetime) -> int:
    """Add up the days of the requests granted on a debt within the last year."""
    granted = DeferralRequest.objects.filter(
        debt=debt, status=DeferralRequest.Status.APPROVED, reviewed_at__gt=now - _YEAR
    )
    return granted.aggregate(days=Sum(Coalesce("granted_days", "requested_deferral_days")))["days"] or 0


def pending(request: DeferralRequest) -> QuerySet[DeferralRequest]:
    """Filter to the request while it is pending: the condition of every UPDATE of one."""
    return DeferralRequest.objects.filter(pk=request.pk, status=DeferralRequest.Status.PENDING)


def decide(
    request: DeferralRequest, status: DeferralRequest.Status, *, by: Agent, notes: str | None, now: datetime
) -> None:
    """Decide by one conditional UPDATE, so that of two reviews at once only one succeeds."""
    require_permission(by, deferral_limits.REVIEW)
    deferral_limits.require_decider(request, by=by)
    decision = {"status": status, "reviewer": by, "reviewed_at": now, "review_notes": notes, "updated_at": now}
    if not pending(request).update(**decision):
        raise AlreadyReviewed
    for name, value in decision.items():
        setattr(request, name, value)
