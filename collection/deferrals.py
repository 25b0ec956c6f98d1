"""Deferral requests: a debtor asks for more time on a debt, an agent decides."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.dispatch import Signal

from agents import permissions
from agents.models import Agent
from collection import ledger
from collection.models import Debt, DebtStatus, DeferralRequest, Hold
from ddc.common.errors import DomainError, refusing
from debtors.models import Debtor

#: Sent within the transaction when a request was decided; ``request`` and ``now`` come along.
reviewed = Signal()


class NotTheirDebt(DomainError):
    """One asks for time on one's own debts."""

    status = 422
    code = "database.exists"
    field = "debt_id"
    message = "There is no such debt."


class DebtNotOpen(DomainError):
    """There is nothing to defer on a closed debt."""

    message = "This debt is closed; there is nothing to defer."


class AlreadyPending(DomainError):
    """A debt has one pending request at most."""

    message = "A deferral request for this debt is pending already."


class AlreadyReviewed(DomainError):
    """A decision is made once."""

    message = "This request has been reviewed already."


class NotesMissing(DomainError):
    """Who is refused is told why."""

    status = 422
    code = "required"
    field = "review_notes"
    message = "Notes are required to reject a request."


@transaction.atomic
def request(debt: Debt, *, debtor: Debtor, days: int, reason: str, now: datetime) -> DeferralRequest:
    """Ask for ``days`` (1 to 365) more on a debt.

    :raises NotTheirDebt: if the debt is another's
    :raises DebtNotOpen: if it is closed
    :raises AlreadyPending: if a request for it waits already
    """
    if debt.debtor_id != debtor.pk:
        raise NotTheirDebt
    if not ledger.lock_debt(debt.pk).is_open:
        raise DebtNotOpen
    asked = DeferralRequest(debtor=debtor, debt=debt, requested_deferral_days=days, reason=reason, created_at=now)
    with refusing({"debt_has_one_pending_deferral_request": AlreadyPending()}):
        asked.save(force_insert=True)
    return asked


@transaction.atomic
def approve(request: DeferralRequest, *, by: Agent, notes: str | None, now: datetime) -> DeferralRequest:
    """Grant the deferral: move the debt's due date and hold the debt until then.

    It counts from the later of the due date and today (UTC).

    :raises AlreadyReviewed: if somebody decided first
    :raises DebtNotOpen: if the debt was closed meanwhile
    :raises Forbidden: if ``by`` may not review
    """
    debt = ledger.lock_debt(request.debt_id)
    _decide(request, DeferralRequest.Status.APPROVED, by=by, notes=notes, now=now)
    if not debt.is_open:
        raise DebtNotOpen
    today = now.date()
    until = _later(max(debt.due_date or today, today), days=request.requested_deferral_days)
    debt.due_date, debt.current_status = until, DebtStatus.DEFERRED
    ledger.save(debt, "due_date", "current_status")
    Hold.objects.create(
        debt=debt, reason=Hold.Reason.DEFERRAL, starts_on=today, ends_on=until, deferral_request=request, by=by
    )
    reviewed.send(DeferralRequest, request=request, now=now)
    return request


@transaction.atomic
def reject(request: DeferralRequest, *, by: Agent, notes: str | None, now: datetime) -> DeferralRequest:
    """Refuse the deferral, telling why.

    :raises NotesMissing: if no reason is given
    :raises AlreadyReviewed: if somebody decided first
    :raises Forbidden: if ``by`` may not review
    """
    if not (notes and notes.strip()):
        raise NotesMissing
    _decide(request, DeferralRequest.Status.REJECTED, by=by, notes=notes, now=now)
    reviewed.send(DeferralRequest, request=request, now=now)
    return request


@transaction.atomic
def lapse(*, today: date, now: datetime) -> int:
    """Make the debts active again whose deferral is over; return how many."""
    over = Hold.objects.filter(reason=Hold.Reason.DEFERRAL, lifted_at__isnull=True, ends_on__lte=today)
    still = Hold.objects.in_force(today).filter(reason=Hold.Reason.DEFERRAL)
    debts = Debt.objects.filter(current_status=DebtStatus.DEFERRED, pk__in=over.values("debt")).exclude(
        pk__in=still.values("debt")
    )
    freed = debts.update(current_status=DebtStatus.ACTIVE, updated_at=now)
    # A debt that was paid meanwhile would come back as deferred if the payment were taken back.
    paid = Debt.objects.filter(status_before_closing=DebtStatus.DEFERRED, pk__in=over.values("debt"))
    paid.exclude(pk__in=still.values("debt")).update(status_before_closing=DebtStatus.ACTIVE)
    over.update(lifted_at=now, updated_at=now)
    return freed


def _later(day: date, *, days: int) -> date:
    """Add days, up to the last one that the calendar has: a due date may be any."""
    return min(date.max - day, timedelta(days=days)) + day


def _decide(
    request: DeferralRequest, status: DeferralRequest.Status, *, by: Agent, notes: str | None, now: datetime
) -> None:
    """Decide by one conditional UPDATE: of two who decide at once, one finds no row."""
    permissions.require(by, "collections.review_deferralrequest")
    decision = {"status": status, "reviewer": by, "reviewed_at": now, "review_notes": notes, "updated_at": now}
    pending = DeferralRequest.objects.filter(pk=request.pk, status=DeferralRequest.Status.PENDING)
    if not pending.update(**decision):
        raise AlreadyReviewed
    for name, value in decision.items():
        setattr(request, name, value)
