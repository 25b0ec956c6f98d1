"""Request, approve and reject deferrals: more time on a debt."""

from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.holds import holds
from collection.models import Debt, DebtStatus, DeferralRequest, Hold
from ddc.common.errors import DomainError, Invalid, Missing, refusing
from debtors import calendars
from debtors.models import Debtor

#: Sent with ``request`` and ``now`` in the transaction that decides a request.
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


class NotesRequired(Missing):
    field = "review_notes"
    message = "Notes are required to reject a request."


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
    with refusing({"debt_has_one_pending_deferral_request": AlreadyPending()}):
        deferral.save(force_insert=True)
    return deferral


@transaction.atomic
def approve(request: DeferralRequest, *, by: Agent, notes: str | None, now: datetime) -> DeferralRequest:
    """Approve a deferral: move the due date and hold the debt until then.

    The days count from the later of the due date and today, by the debtor's calendar.

    :raises AlreadyReviewed: if it has been reviewed
    :raises DebtNotOpen: if the debt has been closed since the request
    :raises Forbidden: if ``by`` may not review
    """
    debt = ledger.lock_debt(request.debt_id)
    decide(request, DeferralRequest.Status.APPROVED, by=by, notes=notes, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    today = calendars.today(debt.debtor, at=now)
    until = calendars.later(max(debt.due_date or today, today), days=request.requested_deferral_days)
    debt.due_date, debt.current_status = until, DebtStatus.DEFERRED
    ledger.save(debt, "due_date", "current_status")
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
    reviewed.send(DeferralRequest, request=request, now=now)
    return request


@transaction.atomic
def reject(request: DeferralRequest, *, by: Agent, notes: str | None, now: datetime) -> DeferralRequest:
    """Reject a deferral with an explanation.

    :raises NotesRequired: if the notes are blank
    :raises AlreadyReviewed: if it has been reviewed
    :raises Forbidden: if ``by`` may not review
    """
    if not (notes and notes.strip()):
        raise NotesRequired
    decide(request, DeferralRequest.Status.REJECTED, by=by, notes=notes, now=now)
    reviewed.send(DeferralRequest, request=request, now=now)
    return request


def decide(
    request: DeferralRequest, status: DeferralRequest.Status, *, by: Agent, notes: str | None, now: datetime
) -> None:
    """Decide by one conditional UPDATE, so that of two reviews at once only one succeeds."""
    require_permission(by, "collections.review_deferralrequest")
    decision = {"status": status, "reviewer": by, "reviewed_at": now, "review_notes": notes, "updated_at": now}
    pending = DeferralRequest.objects.filter(pk=request.pk, status=DeferralRequest.Status.PENDING)
    if not pending.update(**decision):
        raise AlreadyReviewed
    for name, value in decision.items():
        setattr(request, name, value)
