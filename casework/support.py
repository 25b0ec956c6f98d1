"""Receive hardship and complaints of debtors; agents answer each once."""

from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Agent, require_permission
from casework.models import SupportRequest
from collection.holds import holds
from collection.models import Hold
from communications.notices import decisions
from ddc.common import rate_limits
from ddc.common.errors import DomainError, Missing, refusing
from ddc.common.rate_limits import RateLimit
from debtors import calendars
from debtors.models import Debtor

Kind, Status = SupportRequest.Kind, SupportRequest.Status

#: The length of the hold that a reported hardship opens.
HOLD_DAYS = 14
LIMIT = RateLimit(10, timedelta(days=1))


class AlreadyAsked(DomainError):
    message = "You have told us before, and we are looking at it. You find our answer here."


class AlreadyAnswered(DomainError):
    """Another agent was first."""

    field = "status"
    message = "Another agent has answered this already."


class AlreadyBegun(DomainError):
    field = "status"
    message = "Somebody is looking at this already."


class AnswerRequired(Missing):
    field = "answer"
    message = "The answer is missing. Enter what the debtor should know."


@transaction.atomic
def report_hardship(debtor: Debtor, *, text: str, now: datetime) -> SupportRequest:
    """Receive a debtor's word that they cannot pay: nobody asks them for money for ``HOLD_DAYS``, and an agent looks at it.

    :raises AlreadyAsked: if an earlier one is not answered yet
    :raises TooMany: if the debtor sent many requests today
    """
    request = _receive(debtor, Kind.HARDSHIP, text, now=now)
    starts_on = min(calendars.days(debtor, at=now))
    request.hold = holds.create_hold(
        reason=Hold.Reason.HARDSHIP,
        debtor=debtor,
        starts_on=starts_on,
        ends_on=calendars.later(starts_on, days=HOLD_DAYS),
        source="The debtor, in the portal",
        by=None,
        now=now,
    )
    request.save(update_fields=["hold"])
    return request


@transaction.atomic
def complain(debtor: Debtor, *, text: str, now: datetime) -> SupportRequest:
    """Receive a debtor's complaint.

    :raises TooMany: if the debtor sent many requests today
    """
    return _receive(debtor, Kind.COMPLAINT, text, now=now)


def begin(request: SupportRequest, *, by: Agent, now: datetime) -> SupportRequest:
    """Record that an agent looks at a request, which the debtor sees.

    :raises AlreadyBegun: if an agent does already, or it is answered
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "casework.change_supportrequest")
    waiting = SupportRequest.objects.filter(pk=request.pk, status=Status.SENT)
    if not waiting.update(status=Status.IN_REVIEW, begun_at=now, begun_by=by, updated_at=now):
        raise AlreadyBegun
    request.refresh_from_db()
    return request


@transaction.atomic
def answer(request: SupportRequest, *, answer: str, by: Agent, now: datetime) -> SupportRequest:
    """Answer a request, and tell the debtor that the answer is in the portal.

    :raises AnswerRequired: if the answer is blank
    :raises AlreadyAnswered: if another agent was first
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "casework.change_supportrequest")
    if not answer.strip():
        raise AnswerRequired
    still_open = SupportRequest.objects.filter(pk=request.pk).exclude(status=Status.ANSWERED)
    values = {"answer": answer.strip(), "answered_at": now, "answered_by": by, "updated_at": now}
    if not still_open.update(status=Status.ANSWERED, **values):
        raise AlreadyAnswered
    request.refresh_from_db()
    decisions.notify_person(request.debtor, "support_answered", now=now)
    return request


def _receive(debtor: Debtor, kind: SupportRequest.Kind, text: str, *, now: datetime) -> SupportRequest:
    rate_limits.serialize("support request", str(debtor.pk))
    rate_limits.consume([(SupportRequest.objects.filter(debtor=debtor), LIMIT)], now=now)
    request = SupportRequest(debtor=debtor, kind=kind, text=text, created_at=now)
    with refusing({"support_request_one_open_hardship": AlreadyAsked()}):
        request.save(force_insert=True)
    return request
