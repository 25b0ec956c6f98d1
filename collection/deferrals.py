"""Deferral requests: a debtor asks for more time on a debt, an agent decides."""

from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.holds import holds
from collection.models import Debt, DebtStatus, DeferralRequest, Hold
from ddc.common.errors import DomainError, refusing
from debtors import calendars
from debtors.models import Debtor

#: Sent within the transaction when a request was decided; ``request`` and ``now`` come along.
reviewed = Signal()


class NotTheirDebt(DomainError):
    """One asks for time on one's own debts, and disputes no others."""

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
    until = calendars.later(max(debt.due_date or today, today), days=request.requested_deferral_days)
    debt.due_date, debt.current_status = until, DebtStatus.DEFERRED
    ledger.save(debt, "due_date", "current_status")
    holds.put(
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


def _decide(
    request: DeferralRequest, status: DeferralRequest.Status, *, by: Agent, notes: str | None, now: datetime
) -> None:
    """Decide by one conditional UPDATE: of two who decide at once, one finds no row."""
    require_permission(by, "collections.review_deferralrequest")
    decision = {"status": status, "reviewer": by, "reviewed_at": now, "review_notes": notes, "updated_at": now}
    pending = DeferralRequest.objects.filter(pk=request.pk, status=DeferralRequest.Status.PENDING)
    if not pending.update(**decision):
        raise AlreadyReviewed
    for name, value in decision.items():
        setattr(request, name, value)
