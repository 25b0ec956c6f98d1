"""Steps before the decision on a deferral request: ask the debtor a question, or leave the decision to a Supervisor."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection import deferral_limits, deferrals
from collection.models import DeferralRequest
from ddc.common.errors import Missing

#: Sent with ``request``, ``now`` and ``not_before`` in the transaction that asks the debtor a question.
questioned = Signal()


class QuestionRequired(Missing):
    field = "review_notes"
    message = "The question is missing. Choose one, or write your own."


@transaction.atomic
def send_to_supervisor(request: DeferralRequest, *, by: Agent, now: datetime) -> DeferralRequest:
    """Leave the decision to a Supervisor. Sending it again changes nothing.

    :raises AlreadyReviewed: if it has been reviewed
    :raises Forbidden: if ``by`` may not review
    """
    require_permission(by, deferral_limits.REVIEW)
    if not deferrals.pending(request).update(
        escalated_by=Coalesce("escalated_by", by.pk), escalated_at=Coalesce("escalated_at", now), updated_at=now
    ):
        raise deferrals.AlreadyReviewed
    request.refresh_from_db()
    return request


@transaction.atomic
def ask(
    request: DeferralRequest, *, by: Agent, question: str, now: datetime, not_before: datetime | None = None
) -> DeferralRequest:
    """Ask the debtor a question before the decision. The request stays pending.

    :raises QuestionRequired: if the question is blank
    :raises AlreadyReviewed: if it has been reviewed
    :raises Forbidden: if ``by`` may not review
    """
    require_permission(by, deferral_limits.REVIEW)
    if not question.strip():
        raise QuestionRequired
    if not deferrals.pending(request).update(question=question, question_at=now, updated_at=now):
        raise deferrals.AlreadyReviewed
    request.refresh_from_db()
    questioned.send(DeferralRequest, request=request, now=now, not_before=not_before)
    return request
