"""Approve, accept, decline, cancel and reinstate arrangements.

A decision that concerns the debts locks them first. Each changes the status by one conditional UPDATE, so that of two decisions
at once only one succeeds.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents import limits
from agents.limits import Values
from agents.models import Agent, require_permission
from arrangements import effects, policies
from arrangements.computation import DebtIsDisputed, DebtNotOpen
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent
from arrangements.policies import Needed
from collection.balances import ledger
from collection.models import Debt
from ddc.common.errors import DomainError, Forbidden, Missing
from debtors import calendars

Status, Event = Arrangement.Status, ArrangementEvent.Kind
_APPROVE = "arrangements.approve_arrangement"


class WrongStatus(DomainError):
    field = "status"

    def __init__(self, arrangement: Arrangement) -> None:
        arrangement.refresh_from_db(fields=["status"])
        super().__init__(f"This arrangement is {arrangement.get_status_display()}, so this is not possible.")


class OwnProposal(Forbidden):
    message = "You proposed this arrangement yourself. Another person must approve it."


class ConsentRequired(Missing):
    field = "creditor_consent"
    message = "This exceeds the creditor's rules. Enter who agreed for the creditor, and how."


class OfferExpired(DomainError):
    message = "This offer has expired. Make another one."


class ReasonRequired(Missing):
    field = "reason"
    message = "The reason is missing. Enter it for the history."


@transaction.atomic
def approve(arrangement: Arrangement, *, by: Agent, creditor_consent: str = "", now: datetime) -> Arrangement:
    """Approve an arrangement beyond the agency's rules or the proposer's limits; it is then offered.

    :raises Forbidden: if ``by`` may not approve arrangements
    :raises OwnProposal: if ``by`` proposed it
    :raises AboveLimit: if it is above the limit of ``by`` too
    :raises ConsentRequired: if it exceeds the creditor's rules and nobody recorded its consent
    :raises WrongStatus: if it does not wait for approval
    """
    require_permission(by, _APPROVE)
    if arrangement.proposed_by_id == by.pk:
        raise OwnProposal
    limits.require(by, _values(arrangement), permission=_APPROVE)
    consent = creditor_consent.strip() or arrangement.creditor_consent
    if not consent and any(need["kind"] == Needed.CONSENT for need in arrangement.needs):
        raise ConsentRequired
    changes = {"approved_by": by, "approved_at": now, "creditor_consent": consent}
    if not effects.move(arrangement, Status.PENDING_APPROVAL, to=Status.OFFERED, now=now, **changes):
        raise WrongStatus(arrangement)
    effects.record(arrangement, Event.APPROVED, by=by, now=now, creditor_consent=consent)
    return arrangement


@transaction.atomic
def reject(arrangement: Arrangement, *, by: Agent, reason: str, now: datetime) -> Arrangement:
    """Reject an arrangement that waits for approval.

    :raises Forbidden: if ``by`` may not approve arrangements
    :raises ReasonRequired: if the reason is blank
    :raises WrongStatus: if it does not wait for approval
    """
    require_permission(by, _APPROVE)
    return _end(arrangement, Status.PENDING_APPROVAL, to=Status.DECLINED, by=by, reason=reason, now=now)


@transaction.atomic
def decline(arrangement: Arrangement, *, by: Agent | None, reason: str, now: datetime) -> Arrangement:
    """Record that the debtor declined an offer; arguments and errors as for ``reject``."""
    if by:
        require_permission(by, "arrangements.change_arrangement")
    return _end(arrangement, Status.OFFERED, to=Status.DECLINED, by=by, reason=reason, now=now)


@transaction.atomic
def accept(arrangement: Arrangement, *, by: Agent | None, now: datetime) -> Arrangement:
    """Accept an offer: it becomes active, and supersedes other active arrangements on its debts.

    :param by: the agent to whom the debtor said so; None: the debtor, by the portal or by a payment
    :raises Forbidden: if ``by`` may not
    :raises OfferExpired: if its last day is over on every clock where the debtor may be
    :raises DebtNotOpen: if a debt has been closed since
    :raises DebtIsDisputed: if a debt is disputed now
    :raises WrongStatus: if it is not offered
    """
    if by:
        require_permission(by, "arrangements.change_arrangement")
    debts = lock_debts(arrangement)
    if arrangement.expires_on and min(calendars.days(arrangement.debtor, at=now)) > arrangement.expires_on:
        raise OfferExpired
    if not all(debt.is_open for debt in debts.values()):
        raise DebtNotOpen
    if any(debt.disputed_amount for debt in debts.values()):
        raise DebtIsDisputed
    if not effects.move(arrangement, Status.OFFERED, to=Status.ACTIVE, now=now, accepted_at=now):
        raise WrongStatus(arrangement)
    _supersede_others(debts, by=by, now=now)
    effects.activate(arrangement, debts, interest=arrangement.interest, by=by, now=now)
    effects.record(arrangement, Event.ACCEPTED, by=by, now=now)
    return arrangement


@transaction.atomic
def cancel(arrangement: Arrangement, *, by: Agent, reason: str, now: datetime) -> Arrangement:
    """End an arrangement that is not over yet; arguments and errors as for ``reject``."""
    require_permission(by, "arrangements.change_arrangement")
    lock_debts(arrangement)
    open_statuses = (Status.PENDING_APPROVAL, Status.OFFERED, Status.ACTIVE, Status.BROKEN)
    _end(arrangement, *open_statuses, to=Status.CANCELLED, by=by, reason=reason, now=now)
    effects.deactivate(arrangement, by=by, now=now, why=reason)
    return arrangement


@transaction.atomic
def reinstate(arrangement: Arrangement, *, by: Agent, reason: str, now: datetime) -> Arrangement:
    """Put a broken arrangement in force again; the instalments missed until today no longer break it.

    :raises Forbidden: if ``by`` may not approve arrangements
    :raises ReasonRequired: if the reason is blank
    :raises WrongStatus: if it is not broken
    :raises DebtHasArrangement: if another one is active on a debt
    """
    require_permission(by, _APPROVE)
    if not reason.strip():
        raise ReasonRequired
    debts = lock_debts(arrangement)
    today = calendars.today(arrangement.debtor, at=now)
    changes = {"broken_on": None, "reinstated_on": today, "needs_person": False}
    if not effects.move(arrangement, Status.BROKEN, to=Status.ACTIVE, now=now, **changes):
        raise WrongStatus(arrangement)
    effects.activate(arrangement, debts, interest=arrangement.interest, by=by, now=now)
    effects.record(arrangement, Event.REINSTATED, by=by, now=now, reason=reason)
    return arrangement


def lock_debts(arrangement: Arrangement) -> dict[UUID, Debt]:
    """Lock the debts of an arrangement, and return their current rows."""
    return ledger.lock_debts(
        set(ArrangementDebt.objects.filter(arrangement=arrangement).values_list("debt", flat=True))
    )


def _supersede_others(debts: dict[UUID, Debt], *, by: Agent | None, now: datetime) -> None:
    others = Arrangement.objects.filter(parts__debt__in=debts, parts__is_active=True).distinct()
    for other in others:
        if effects.move(other, Status.ACTIVE, to=Status.SUPERSEDED, now=now):
            effects.deactivate(other, by=by, now=now, why="Another arrangement took its place.")
            effects.record(other, Event.SUPERSEDED, by=by, now=now)


def _end(arrangement: Arrangement, *froms: str, to: str, by: Agent | None, reason: str, now: datetime) -> Arrangement:
    if by and not reason.strip():
        raise ReasonRequired
    if not effects.move(arrangement, *froms, to=to, now=now):
        raise WrongStatus(arrangement)
    effects.record(arrangement, Event(to), by=by, now=now, reason=reason)
    return arrangement


def _values(arrangement: Arrangement) -> Values:
    last = arrangement.instalments.order_by("-no").values_list("agreed_on", flat=True)[0]
    balance = arrangement.total + arrangement.discount
    percent = arrangement.total / balance * 100 if arrangement.discount else None
    return policies.values(months=policies.months(arrangement.starts_on, last), settlement_percent=percent)
