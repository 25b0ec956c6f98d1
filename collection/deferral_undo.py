"""Undo a decision on a deferral request, for a moment after it, while the debtor has not been told."""

from datetime import datetime, timedelta

from django.db import transaction
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection import deferral_limits, deferrals, statuses
from collection.balances import ledger
from collection.holds import amendments
from collection.models import DeferralRequest, Hold
from ddc.common.errors import DomainError

#: How long a decision can be undone. A page queues the message to the debtor to go no earlier.
LASTS = timedelta(seconds=30)
_PENDING = DeferralRequest.Status.PENDING
#: Sent with ``request``, ``decided_at`` and ``now``, in the transaction. A receiver that cannot withdraw its message refuses.
undone = Signal()


class TooLate(DomainError):
    message = "It is too late to undo this decision: the debtor is being told. End the deferral early instead."


class NotYours(DomainError):
    message = "Only the person who decided can undo a decision."


class NothingToUndo(DomainError):
    message = "This request is not decided, so there is nothing to undo."


@transaction.atomic
def undo(request: DeferralRequest, *, by: Agent, now: datetime) -> DeferralRequest:
    """Undo the agent's own decision: request, due date, status and hold are as before, and the message is withdrawn.

    A confirmation by a second person is undone to the first person's approval, and a first approval to nothing.

    :raises NothingToUndo: if the request is not decided
    :raises NotYours: if another agent decided it
    :raises TooLate: after ``LASTS``, or if the message has gone
    :raises Forbidden: if ``by`` may not review
    """
    require_permission(by, deferral_limits.REVIEW)
    debt = ledger.lock_debt(request.debt_id)
    request = DeferralRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)
    is_first = request.status == _PENDING
    decided_at = request.first_approved_at if is_first else request.reviewed_at
    if decided_at is None or request.closed_by:
        raise NothingToUndo
    if (request.first_approver_id if is_first else request.reviewer_id) != by.pk:
        raise NotYours
    if now - decided_at > LASTS:
        raise TooLate
    if is_first or request.first_approver_id is None:
        request.granted_days = request.first_approver = request.first_approved_at = None
    if request.status == DeferralRequest.Status.APPROVED:
        _take_back(request, by=by, now=now)
        deferrals.restore_due_date(debt, request)
        request.due_date_before = request.granted_until = None
    request.status, request.reviewer, request.reviewed_at, request.review_notes = _PENDING, None, None, None
    with deferrals.one_pending():
        request.save()
    statuses.refresh(debt)
    ledger.save(debt, "due_date", "current_status")
    if not is_first:
        undone.send(DeferralRequest, request=request, decided_at=decided_at, now=now)
    return request


def _take_back(request: DeferralRequest, *, by: Agent, now: datetime) -> None:
    """End the hold and take it off the request, which may be approved again."""
    hold = Hold.objects.not_ended().filter(deferral_request=request).select_related("debt__debtor").first()
    if hold is None:
        raise TooLate
    amendments.end_granted(hold, by=by, now=now, why="The decision was undone.")
    Hold.objects.filter(pk=hold.pk).update(deferral_request=None)
