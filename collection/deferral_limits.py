"""Who may grant a deferral: limits of roles, Supervisors, and a second person above a limit of its own."""

from datetime import datetime
from decimal import Decimal

from agents import limits
from agents.limits import Exceeded, Limits, Values
from agents.models import Agent, LimitKind
from collection.balances import totals
from collection.models import Debt, DeferralRequest
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Forbidden

REVIEW = "collections.review_deferralrequest"
DECIDE_ESCALATED = "collections.decide_escalated_deferralrequest"
_SECOND_PERSON = LimitKind.DEFERRAL_SECOND_PERSON


class SentToSupervisor(Forbidden):
    message = "This request was sent to a Supervisor, who decides it."


class SecondPersonRequired(DomainError):
    message = "You have approved this request. Another person has to confirm it."


def values(debt: Debt, days: int, *, now: datetime) -> Values:
    """Return what a deferral grants, by the kind of its limit."""
    return {LimitKind.DEFERRAL_DAYS: days, LimitKind.DEFERRAL_AMOUNT: _amount(debt, now=now)}


def exceeded(debt: Debt, days: int, *, within: Limits, now: datetime) -> list[Exceeded]:
    """Return the limits that a deferral exceeds; empty: it may be granted."""
    return within.exceeded(values(debt, days, now=now)) if within.by_kind else []


def require(debt: Debt, days: int, *, by: Agent, now: datetime) -> None:
    """Check that an agent may grant these days on a debt.

    :raises AboveLimit: if not
    """
    if found := exceeded(debt, days, within=limits.of(by), now=now):
        raise limits.AboveLimit(found, deciders=limits.deciders(values(debt, days, now=now), permission=REVIEW))


def needs_second_person(debt: Debt, *, by: Agent, now: datetime, within: Limits | None = None) -> bool:
    """Return whether what an agent approves on this debt has to be confirmed by another person."""
    within = limits.of(by) if within is None else within
    return _SECOND_PERSON in within.by_kind and bool(within.exceeded({_SECOND_PERSON: _amount(debt, now=now)}))


def require_decider(request: DeferralRequest, *, by: Agent) -> None:
    """Check that an agent may decide on a request, which may have been sent to a Supervisor.

    :raises SentToSupervisor: if it was, and the agent is none
    """
    if request.escalated_at and not by.has_perm(DECIDE_ESCALATED):
        raise SentToSupervisor


def _amount(debt: Debt, *, now: datetime) -> Decimal | None:
    return totals.in_reporting_currency(debt.current_balance, debt.currency_code, today=agency_today(now))
