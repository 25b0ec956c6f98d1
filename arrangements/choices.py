"""Compute the arrangements that a debtor can choose from."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal

from agents.models import Agent
from arrangements import computation, policies
from arrangements.computation import Offer, Schedule
from arrangements.models import Kind
from arrangements.schedules import DAYS, AmountTooSmall, Frequency
from collection.models import Debt
from debtors import calendars
from debtors.models import Debtor

#: Numbers of monthly instalments, as people ask for them.
MONTHS = (2, 3, 6, 12, 18, 24)
#: When a promise is due, and the first instalment of a plan, unless the policy wants it sooner.
_DAYS_TO_PAY, _DAYS_TO_FIRST = 14, 30


def choices(
    debts: Collection[Debt],
    *,
    debtor: Debtor,
    kinds: Collection[str] = tuple(Kind.values),
    by: Agent | None,
    now: datetime,
) -> list[Offer]:
    """Return promises, plans and settlements on debts of one creditor and currency, and what each needs; nothing is stored.

    :raises DomainError: as ``computation.compute`` does, if no arrangement is possible on these debts
    """
    computation.check_debts(debts, debtor)
    first = next(iter(debts))
    terms = policies.rules(first.creditor, first.currency_code).terms
    today = calendars.today(debtor, at=now)
    balance = sum(computation.owed(debts, today).values(), Decimal(0))
    soon = _day(today, _DAYS_TO_PAY, terms.max_days_to_first)
    later = _day(today, _DAYS_TO_FIRST, terms.max_days_to_first)
    wanted: list[tuple[Kind, Schedule, Decimal | None]] = []
    if Kind.PROMISE in kinds:
        wanted.append((Kind.PROMISE, Schedule(first=soon), None))
    if Kind.PLAN in kinds:
        wanted += [(Kind.PLAN, Schedule(first=later, number=number), None) for number in MONTHS]
    if Kind.SETTLEMENT in kinds and terms.min_settlement_percent < 100:
        discount = computation.settlement(balance, 100 - terms.min_settlement_percent, first.currency_code)[1]
        wanted.append((Kind.SETTLEMENT, Schedule(first=soon), discount))
    found = []
    for kind, schedule, given_up in wanted:
        try:
            found.append(
                computation.compute(kind, debts, debtor=debtor, schedule=schedule, discount=given_up, by=by, now=now)
            )
        except AmountTooSmall:
            continue
    return found


def own_schedule(
    debts: Collection[Debt], *, debtor: Debtor, amount: Decimal, frequency: Frequency, now: datetime
) -> Schedule:
    """Return the schedule for an amount that a debtor can pay each week, two weeks or month; the first is due after that time."""
    first = next(iter(debts))
    terms = policies.rules(first.creditor, first.currency_code).terms
    days = min(_DAYS_TO_FIRST, DAYS.get(frequency, _DAYS_TO_FIRST))
    start = _day(calendars.today(debtor, at=now), days, terms.max_days_to_first)
    return Schedule(first=start, amount=amount, frequency=frequency)


def _day(today: date, days: int, most: int | None) -> date:
    return today + timedelta(days=days if most is None else min(days, most))
