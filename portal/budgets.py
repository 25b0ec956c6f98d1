"""A debtor's budget of a month: a part of what is left is offered as an instalment, and help where nothing is left.

The list of kinds is our own. No scheme's form or thresholds are used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from django.db import transaction
from django.db.models import Q

from arrangements import policies
from arrangements.models import ArrangementPolicy
from casework import support
from collection.models import OPEN, Debt
from ddc.common import money, rate_limits
from ddc.common.days import agency_today
from ddc.common.errors import Missing, OutOfRange
from ddc.common.rate_limits import RateLimit
from debtors.models import Debtor
from portal.models import Budget

INCOME = ("wages", "benefits", "pension", "other_income")
ESSENTIALS = (
    "housing", "energy", "food", "transport", "children", "health", "phone", "insurance", "other_debts", "other_essentials",
)  # fmt: skip
LIMIT = RateLimit(20, timedelta(days=1))
_MOST = Decimal(10) ** 9


class AmountTooLarge(OutOfRange):
    message = "This amount is too large. Enter the amount of one month."


class IncomeRequired(Missing):
    field = "income"
    message = "Enter what comes in each month. Enter 0 if nothing does."


@transaction.atomic
def record(
    debtor: Debtor,
    *,
    currency: str,
    income: Mapping[str, Decimal],
    essentials: Mapping[str, Decimal],
    now: datetime,
) -> Budget:
    """Store a budget. Where nothing is left, it counts as the debtor's word that they cannot pay.

    :param income: amounts of a month by the kinds of ``INCOME``; a kind that is left out is 0
    :param essentials: the same by those of ``ESSENTIALS``
    :raises IncomeRequired: if no income is given, not even 0
    :raises BadAmount: if an amount is none of the currency
    :raises AmountTooLarge: if one is a billion or more
    :raises EndedCurrency: if the currency has ended
    :raises TooMany: if the debtor sent many budgets today
    """
    money.require_current(currency, today=agency_today(now), field="currency_code")
    if not income:
        raise IncomeRequired
    comes = {name: _amount(income[name], currency, name) for name in INCOME if name in income}
    goes = {name: _amount(essentials[name], currency, name) for name in ESSENTIALS if name in essentials}
    total, spent = sum(comes.values(), Decimal(0)), sum(goes.values(), Decimal(0))
    percent = share(debtor, currency)
    rate_limits.serialize("budget", str(debtor.pk))
    rate_limits.consume([(Budget.objects.filter(debtor=debtor), LIMIT)], now=now)
    budget = Budget.objects.create(
        debtor=debtor,
        currency_code=currency,
        income={name: money.text(amount, currency) for name, amount in comes.items()},
        essentials={name: money.text(amount, currency) for name, amount in goes.items()},
        total_income=total,
        total_essentials=spent,
        left_over=total - spent,
        percent=percent,
        offered=offer(total - spent, percent, currency),
        created_at=now,
    )
    if budget.offered <= 0:
        _ask_for_help(debtor, budget, now=now)
    return budget


def offer(left_over: Decimal, percent: Decimal, currency: str) -> Decimal:
    """Return the part of what is left that is offered, rounded down to the currency's smallest amount; 0 if nothing is left."""
    part = max(left_over, Decimal(0)) * percent / 100
    return part.quantize(money.quantum(currency), ROUND_FLOOR)


def share(debtor: Debtor, currency: str) -> Decimal:
    """Return the lowest percentage that the policies for this debtor's creditors ask for."""
    debts = Debt.objects.filter(debtor=debtor, currency_code=currency, current_status__in=OPEN)
    rows = ArrangementPolicy.objects.filter(
        Q(creditor=None) | Q(creditor__in=debts.values("creditor")),
        currency_code=currency,
        replaced_at=None,
        budget_percent__isnull=False,
    )
    found: dict[bool, list[Decimal]] = {True: [], False: []}
    for creditor, percent in rows.values_list("creditor", "budget_percent"):
        found[creditor is None].append(percent)
    return min(found[False] or found[True], default=policies.Terms().budget_percent)


def _amount(value: Decimal, currency: str, name: str) -> Decimal:
    if value >= _MOST:
        raise AmountTooLarge(field=name)
    return money.check(value, currency, field=name)


def _ask_for_help(debtor: Debtor, budget: Budget, *, now: datetime) -> None:
    left = money.text(budget.left_over, budget.currency_code)
    text = f"By their budget {left} {budget.currency_code} is left each month."
    try:
        with transaction.atomic():
            support.report_hardship(debtor, text=text, now=now)
    except support.AlreadyAsked:
        return  # An agent looks at it already.
