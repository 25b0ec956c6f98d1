"""Sums of debts. Amounts in different currencies are never added, but converted to the reporting currency."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, F, Sum
from django.db.models.functions import Greatest

from collection.balances import open_totals
from collection.models import Debt, DebtStatus, ExchangeRate
from ddc.common import money
from ddc.common.days import agency_today
from debtors.models import Debtor

RATES_VALID_FOR = timedelta(days=7)


@dataclass(frozen=True)
class CurrencySum:
    """The sum of some debts in one currency."""

    currency_code: str
    amount: Decimal
    debts: int


@dataclass(frozen=True)
class Outstanding:
    """Open debts: their sum (``amount`` is None if a rate is missing), and the sums by currency."""

    amount: Decimal | None
    currency_code: str
    rates_date: date | None
    by_currency: tuple[CurrencySum, ...]


@dataclass(frozen=True)
class CurrencyTotals:
    currency_code: str
    original_balance: Decimal
    current_balance: Decimal
    debts: int


@dataclass(frozen=True)
class Totals:
    total_original_balance: Decimal | None
    total_current_balance: Decimal | None
    currency_code: str
    rates_date: date | None
    by_currency: tuple[CurrencyTotals, ...]


@dataclass(frozen=True)
class Dashboard:
    total_debtors: int
    total_active_debts: int
    total_debt_amount: Decimal | None
    total_debt_amount_overdue: Decimal | None
    total_debt_amount_by_currency: tuple[CurrencySum, ...]
    total_debt_amount_overdue_by_currency: tuple[CurrencySum, ...]
    currency_code: str
    rates_date: date | None
    as_of: datetime


@dataclass(frozen=True)
class Rates:
    """The latest stored rates: the price of one euro in each currency on ``on``."""

    on: date | None
    per_euro: Mapping[str, Decimal]

    def convert(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        """Return the sum of the amounts in the reporting currency, or None if a rate is missing."""
        target = self.per_euro.get(settings.REPORTING_CURRENCY)
        total = Decimal(0)
        for currency, amount in amounts.items():
            rate = self.per_euro.get(currency)
            if rate is None or target is None:
                return None
            total += amount / rate * target
        return money.rounded(total, settings.REPORTING_CURRENCY)


def latest_rates(today: date) -> Rates:
    """Return the rates of the latest day with rates, at most 7 days ago."""
    fresh = ExchangeRate.objects.filter(date__gt=today - RATES_VALID_FOR - timedelta(days=1), date__lte=today)
    latest = fresh.values("date").order_by("-date")[:1]
    rows = list(ExchangeRate.objects.filter(date=latest).values_list("date", "currency_code", "per_euro"))
    if not rows:
        return Rates(None, {})
    return Rates(rows[0][0], {"EUR": Decimal(1)} | {code: rate for _, code, rate in rows})


def outstanding(
    debtor_ids: Collection[uuid.UUID], *, today: date, undisputed: bool = False
) -> dict[uuid.UUID, Outstanding]:
    """Sum the open debts of each debtor in at most two queries; with ``undisputed``, without their disputed parts."""
    open_part = (
        Greatest(F("current_balance") - F("disputed_amount"), Decimal(0)) if undisputed else F("current_balance")
    )
    sums: dict[uuid.UUID, list[CurrencySum]] = defaultdict(list)
    rows = Debt.objects.open().filter(debtor__in=debtor_ids).order_by("debtor", "currency_code")
    for debtor, currency, amount, debts in rows.values_list("debtor", "currency_code").annotate(
        amount=Sum(open_part), debts=Count("pk")
    ):
        sums[debtor].append(CurrencySum(currency, amount, debts))
    rates = rates_if_mixed(([s.currency_code for s in of_debtor] for of_debtor in sums.values()), today)
    return {pk: _outstanding(sums.get(pk, []), rates) for pk in debtor_ids}


def of_debtor(debtor: Debtor, *, today: date) -> Totals:
    """Sum all of a debtor's debts except recalled ones."""
    rows = (
        Debt.objects.filter(debtor=debtor)
        .exclude(current_status=DebtStatus.RECALLED)
        .order_by("currency_code")
        .values_list("currency_code")
        .annotate(original=Sum("original_balance"), current=Sum("current_balance"), debts=Count("pk"))
    )
    return add_up([CurrencyTotals(*row) for row in rows], today=today)


def add_up(by_currency: Sequence[CurrencyTotals], *, today: date) -> Totals:
    """Convert the sums by currency into one total each, if all rates are known."""
    rates = rates_if_mixed([[part.currency_code for part in by_currency]], today)
    original, currency = in_one_currency({part.currency_code: part.original_balance for part in by_currency}, rates)
    current, _ = in_one_currency({part.currency_code: part.current_balance for part in by_currency}, rates)
    mixed = len(by_currency) > 1
    return Totals(original, current, currency, rates.on if mixed else None, tuple(by_currency))


def dashboard(*, now: datetime) -> Dashboard:
    """Count and sum the open debts of the whole portfolio."""
    today = agency_today(now)
    found = open_totals.by_currency(today=today)
    open_sums = [CurrencySum(part.currency_code, part.balance, part.debts) for part in found]
    overdue_sums = [
        CurrencySum(part.currency_code, part.overdue_balance, part.overdue_debts)
        for part in found
        if part.overdue_debts
    ]
    rates = rates_if_mixed([[part.currency_code for part in open_sums]], today)
    total, currency = in_one_currency({part.currency_code: part.amount for part in open_sums}, rates)
    if len(open_sums) > 1:
        overdue = rates.convert({part.currency_code: part.amount for part in overdue_sums})
    else:
        overdue = sum((part.amount for part in overdue_sums), Decimal(0))
    return Dashboard(
        total_debtors=Debtor.objects.count(),
        total_active_debts=sum(part.debts for part in open_sums),
        total_debt_amount=total,
        total_debt_amount_overdue=overdue,
        total_debt_amount_by_currency=tuple(open_sums),
        total_debt_amount_overdue_by_currency=tuple(overdue_sums),
        currency_code=currency,
        rates_date=rates.on if len(open_sums) > 1 else None,
        as_of=now,
    )


def _outstanding(sums: list[CurrencySum], rates: Rates) -> Outstanding:
    amount, currency = in_one_currency({part.currency_code: part.amount for part in sums}, rates)
    return Outstanding(amount, currency, rates.on if len(sums) > 1 else None, tuple(sums))


def in_one_currency(amounts: Mapping[str, Decimal], rates: Rates) -> tuple[Decimal | None, str]:
    """Return the sum and its currency: the shared currency, or the reporting currency if there are several."""
    if not amounts:
        return Decimal(0), settings.REPORTING_CURRENCY
    if len(amounts) == 1:
        ((currency, amount),) = amounts.items()
        return amount, currency
    return rates.convert(amounts), settings.REPORTING_CURRENCY


def rates_if_mixed(currencies: Iterable[list[str]], today: date) -> Rates:
    """Return the latest rates if any group has more than one currency; otherwise no rates are needed."""
    return latest_rates(today) if any(len(codes) > 1 for codes in currencies) else Rates(None, {})
