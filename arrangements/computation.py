"""Compute an arrangement: check its debts and its schedule, and find out who has to agree. Nothing is stored."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from agents.models import Agent
from arrangements import calendar, policies, schedules
from arrangements.models import Arrangement, Kind
from arrangements.policies import Need, Rules
from arrangements.schedules import BusinessDays, Due, Frequency
from collection.balances import accounts
from collection.models import Debt, DebtStatus
from creditors.models import Creditor
from ddc.common import money
from ddc.common.days import later
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange
from debtors import calendars
from debtors.models import Debtor

_HUNDRED = Decimal(100)


class DebtsRequired(Missing):
    field = "debt_ids"
    message = "Choose at least one debt."


class DebtsDiffer(Invalid):
    field = "debt_ids"
    message = "These debts have different creditors or currencies. Make an arrangement for each."


class DebtOfAnotherDebtor(Invalid):
    code = "database.exists"
    field = "debt_ids"
    message = "This debt does not exist."


class DebtNotOpen(DomainError):
    field = "debt_ids"
    message = "One of these debts is closed, so there is nothing to arrange."


class DebtIsDisputed(DomainError):
    field = "debt_ids"
    message = "One of these debts is disputed. Decide the dispute first."


class TotalOutOfRange(OutOfRange):
    field = "total"
    message = "The total is more than 0 and at most the open balance."


class DiscountOutOfRange(OutOfRange):
    field = "discount"
    message = "A settlement has a discount of more than 0 and less than the balance; other arrangements have none."


class OnePayment(Invalid):
    field = "schedule"
    message = "A promise is one payment. Choose a plan for several."


class StartsInPast(OutOfRange):
    field = "schedule"
    message = "The first payment is due today or later."


@dataclass(frozen=True)
class Schedule:
    """How a total is paid: so many instalments (``number``) or instalments of an ``amount``, from ``first`` on."""

    first: date
    number: int | None = None
    amount: Decimal | None = None
    first_amount: Decimal | None = None
    frequency: Frequency = Frequency.MONTHLY
    business_days: BusinessDays = BusinessDays.FOLLOWING


@dataclass(frozen=True)
class Offer:
    """A computed arrangement, not stored: its sums in ``currency``, its instalments, and what it needs."""

    kind: Kind
    currency: str
    creditor: Creditor
    total: Decimal
    discount: Decimal
    schedule: Schedule
    instalments: list[Due]
    needs: list[Need]
    rules: Rules
    valid_until: date
    today: date

    @property
    def status(self) -> Arrangement.Status:
        return Arrangement.Status.PENDING_APPROVAL if self.needs else Arrangement.Status.OFFERED


def compute(
    kind: Kind,
    debts: Collection[Debt],
    *,
    debtor: Debtor,
    schedule: Schedule,
    total: Decimal | None = None,
    discount: Decimal | None = None,
    by: Agent | None,
    now: datetime,
) -> Offer:
    """Compute an arrangement on debts, without storing it.

    :param total: what is to be paid; None: what closes all debts today, less the discount
    :param discount: what a settlement gives up, in the debts' currency
    :raises DomainError: one of this module's, if debts, sums or schedule do not fit
    """
    check_debts(debts, debtor)
    first = next(iter(debts))
    today = calendars.today(debtor, at=now)
    currency, balance = first.currency_code, sum(owed(debts, today).values(), Decimal(0))
    given_up = money.check(discount or Decimal(0), currency, field="discount")
    if (kind == Kind.SETTLEMENT) != (0 < given_up < balance) or given_up < 0:
        raise DiscountOutOfRange
    total = (
        balance - given_up if total is None or kind == Kind.SETTLEMENT else money.check(total, currency, field="total")
    )
    if not 0 < total <= balance:
        raise TotalOutOfRange
    if schedule.first < today:
        raise StartsInPast
    rules = policies.rules(first.creditor, currency)
    amounts = _amounts(kind, schedule, total, currency, least=rules.terms.min_instalment)
    instalments = schedules.plan(
        amounts,
        first=schedule.first,
        frequency=schedule.frequency,
        shifted=partial(calendar.shifted, rule=schedule.business_days, debtor=debtor),
    )
    needs = policies.needs(
        rules,
        by=by,
        currency=currency,
        instalment=min(amounts[:-1], default=amounts[0]),
        months=policies.months(today, instalments[-1].agreed_on),
        days_to_first=(schedule.first - today).days,
        settlement_percent=total / balance * _HUNDRED if kind == Kind.SETTLEMENT else None,
    )
    valid_until = later(today, days=rules.terms.offer_valid_days)
    return Offer(
        kind, currency, first.creditor, total, given_up, schedule, instalments, needs, rules, valid_until, today
    )


def owed(debts: Iterable[Debt], day: date) -> dict[uuid.UUID, Decimal]:
    """Return what closes each debt on a day, with the interest until then."""
    return {debt.pk: accounts.payoff(debt, day).amount for debt in debts}


def settlement(balance: Decimal, percent: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return what is paid and what is given up, for a discount in percent; what is paid is rounded half up."""
    total = (balance * (_HUNDRED - percent) / _HUNDRED).quantize(money.quantum(currency), ROUND_HALF_UP)
    return total, balance.quantize(money.quantum(currency)) - total


def shares(total: Decimal, balances: Mapping[uuid.UUID, Decimal], currency: str) -> dict[uuid.UUID, Decimal]:
    """Split a total over debts in proportion to their balances; what rounding leaves goes to the largest."""
    quantum, whole = money.quantum(currency), sum(balances.values())
    split = {pk: (total * balance / whole).quantize(quantum, "ROUND_DOWN") for pk, balance in balances.items()}
    largest = max(balances, key=lambda pk: balances[pk])
    split[largest] += total - sum(split.values())
    return split


def check_debts(debts: Collection[Debt], debtor: Debtor) -> None:
    """Check that an arrangement is possible on these debts; errors as for ``compute``."""
    if not debts:
        raise DebtsRequired
    if any(debt.debtor_id != debtor.pk for debt in debts):
        raise DebtOfAnotherDebtor
    if len({(debt.creditor_id, debt.currency_code) for debt in debts}) > 1:
        raise DebtsDiffer
    if not all(debt.is_open and debt.current_balance > 0 for debt in debts):
        raise DebtNotOpen
    if any(debt.current_status == DebtStatus.DISPUTED or debt.disputed_amount for debt in debts):
        raise DebtIsDisputed


def _amounts(kind: Kind, schedule: Schedule, total: Decimal, currency: str, *, least: Decimal | None) -> list[Decimal]:
    first = schedule.first_amount and money.check(schedule.first_amount, currency, field="schedule")
    if schedule.amount is not None:
        amount = money.check(schedule.amount, currency, field="schedule")
        amounts = schedules.fixed(total, amount, first=first, least=least)
    else:
        amounts = schedules.equal(total, schedule.number or 1, quantum=money.quantum(currency), first=first)
    if kind == Kind.PROMISE and len(amounts) > 1:
        raise OnePayment
    return amounts
