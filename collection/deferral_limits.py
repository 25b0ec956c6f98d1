"""The power to grant a deferral: limits of roles, Supervisors, and a second person above a limit of its own."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.db.models import Q

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


@dataclass
class Reach:
    """The power of an agent at a moment. Limits and exchange rates are read once, and only when they are needed."""

    by: Agent
    now: datetime

    @cached_property
    def within(self) -> Limits:
        return limits.of(self.by)

    @cached_property
    def rates(self) -> totals.Rates:
        return totals.latest_rates(agency_today(self.now))

    def values(self, debt: Debt, days: int) -> Values:
        """Return what a deferral grants, by the kind of its limit."""
        return {LimitKind.DEFERRAL_DAYS: days, LimitKind.DEFERRAL_AMOUNT: self._amount(debt)}

    def exceeded(self, debt: Debt, days: int) -> list[Exceeded]:
        """Return the limits that a deferral exceeds; empty: the agent may grant it."""
        return self.within.exceeded(self.values(debt, days)) if self.within.by_kind else []

    def needs_second_person(self, debt: Debt) -> bool:
        """Return whether what the agent approves on this debt has to be confirmed by another person."""
        if _SECOND_PERSON not in self.within.by_kind:
            return False
        return bool(self.within.exceeded({_SECOND_PERSON: self._amount(debt)}))

    def require(self, debt: Debt, days: int) -> None:
        """Check that the agent may grant these days on a debt.

        :raises AboveLimit: if not
        """
        if found := self.exceeded(debt, days):
            raise limits.AboveLimit(found, deciders=limits.deciders(self.values(debt, days), permission=REVIEW))

    def _amount(self, debt: Debt) -> Decimal | None:
        if debt.currency_code == settings.REPORTING_CURRENCY:
            balance: Decimal = debt.current_balance
            return balance
        return self.rates.add({debt.currency_code: debt.current_balance}, settings.REPORTING_CURRENCY).amount


def reach_of(agent: Agent, *, now: datetime) -> Reach:
    """Return the reach of the agent of a request, to show what may be decided. Decisions read it again."""
    found: Reach | None = agent.__dict__.get("_deferral_reach")
    if found is None:
        found = agent.__dict__["_deferral_reach"] = Reach(agent, now)
    return found


def may_decide(reach: Reach) -> Q:
    """Return the condition of the requests that an agent may decide as they were asked.

    Not those above a limit of the agent's role, sent to a Supervisor, or waiting for another person to confirm.
    """
    by, limits_by_kind = reach.by, reach.within.by_kind
    found = Q(first_approver=None) | ~Q(first_approver=by.pk)
    if not by.has_perm(DECIDE_ESCALATED):
        found &= Q(escalated_at=None)
    if days := limits_by_kind.get(LimitKind.DEFERRAL_DAYS):
        found &= Q(requested_deferral_days__lte=int(days.value))
    if amount := limits_by_kind.get(LimitKind.DEFERRAL_AMOUNT):
        found &= _balance_at_most(amount.value, reach.rates)
    return found


def _balance_at_most(most: Decimal, rates: totals.Rates) -> Q:
    """Return the condition of requests on debts of at most this amount in the reporting currency."""
    base = rates.per_euro.get(settings.REPORTING_CURRENCY)
    found = Q(debt__currency_code=settings.REPORTING_CURRENCY, debt__current_balance__lte=most)
    if base is None:
        return found
    for currency, rate in rates.per_euro.items():
        found |= Q(debt__currency_code=currency, debt__current_balance__lte=most / base * rate)
    return found


def require_decider(request: DeferralRequest, *, by: Agent) -> None:
    """Check that an agent may decide on a request, which may have been sent to a Supervisor.

    :raises SentToSupervisor: if it was, and the agent is none
    """
    if request.escalated_at and not by.has_perm(DECIDE_ESCALATED):
        raise SentToSupervisor
