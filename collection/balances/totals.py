"""Sums of debts. Amounts in different currencies are never added, but converted to the reporting currency."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, F, Sum
from django.db.models.functions import Greatest

from collection.balances import open_totals
from collection.models import Debt, DebtStatus, ExchangeRate
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.reference import currencies
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
    """Open debts: their sum without the currencies that have no rate, which are named, and the sums by currency.

    ``amount`` is None if there are no rates.
    """

    amount: Decimal | None
    currency_code: str
    rates_date: date | None
    by_currency: tuple[CurrencySum, ...]
    unconverted_currencies: tuple[str, ...] = ()

    @property
    def unconverted(self) -> tuple[CurrencySum, ...]:
        """The sums that ``amount`` leaves out."""
        return tuple(part for part in self.by_currency if part.currency_code in self.unconverted_currencies)


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
    unconverted_currencies: tuple[str, ...] = ()


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
    unconverted_currencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Converted:
    """A sum in one currency, and the currencies that it leaves out because they have no rate.

    ``amount`` is None if nothing could be converted; ``rates_date`` is None if no rate was needed.
    """

    amount: Decimal | None
    currency_code: str
    rates_date: date | None = None
    unconverted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rates:
    """The price of one euro in each currency, its newest within 7 days before ``today``; ``on`` is the newest day of all."""

    today: date
    on: date | None
    per_euro: Mapping[str, Decimal]

    def add(self, amounts: Mapping[str, Decimal], target: str) -> Converted:
        """Add amounts up in the target currency. Amounts without a rate are left out and named."""
        total, added, unconverted = Decimal(0), False, []
        for currency, amount in amounts.items():
            converted = self._convert(*current(amount, currency, today=self.today), target)
            if converted is None:
                unconverted.append(currency)
            else:
                total, added = total + converted, True
        is_known = added and not (unconverted and self.on is None)
        return Converted(money.rounded(total, target) if is_known else None, target, self.on, tuple(unconverted))

    def _convert(self, amount: Decimal, currency: str, target: str) -> Decimal | None:
        if currency == target:
            return amount
        price, wanted = self.per_euro.get(currency), self.per_euro.get(target)
        return None if price is None or wanted is None else amount / price * wanted


def current(amount: Decimal, currency: str, *, today: date) -> tuple[Decimal, str]:
    """Return an amount and its currency; of a currency that has ended, those of the successor, at the fixed rate."""
    found = currencies.ended(currency, today=today)
    return (found.convert(amount), found.successor) if found else (amount, currency)


def latest_rates(today: date) -> Rates:
    """Return the newest rate of each currency, at most 7 days old. The euro is the base, whatever is stored for it."""
    fresh = ExchangeRate.objects.filter(date__gt=today - RATES_VALID_FOR - timedelta(days=1), date__lte=today)
    newest = fresh.order_by("currency_code", "-date").distinct("currency_code")
    rows = list(newest.values_list("date", "currency_code", "per_euro"))
    if not rows:
        return Rates(today, None, {})
    return Rates(today, max(day for day, _, _ in rows), {code: rate for _, code, rate in rows} | {"EUR": Decimal(1)})


def in_reporting_currency(amount: Decimal, currency: str, *, today: date) -> Decimal | None:
    """Convert an amount at the latest rates, to compare it with a limit; None without a rate."""
    target = settings.REPORTING_CURRENCY
    rates = Rates(today, None, {}) if currency == target else latest_rates(today)
    return rates.add({currency: amount}, target).amount


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
    """Convert the sums by currency into one total each."""
    rates = rates_if_mixed([[part.currency_code for part in by_currency]], today)
    original = in_one_currency({part.currency_code: part.original_balance for part in by_currency}, rates)
    now = in_one_currency({part.currency_code: part.current_balance for part in by_currency}, rates)
    return Totals(original.amount, now.amount, now.currency_code, now.rates_date, tuple(by_currency), now.unconverted)


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
    total = in_one_currency({part.currency_code: part.amount for part in open_sums}, rates)
    overdue = Converted(Decimal(0), total.currency_code)
    if overdue_sums:
        overdue = rates.add({part.currency_code: part.amount for part in overdue_sums}, total.currency_code)
    return Dashboard(
        total_debtors=Debtor.objects.count(),
        total_active_debts=sum(part.debts for part in open_sums),
        total_debt_amount=total.amount,
        total_debt_amount_overdue=overdue.amount,
        total_debt_amount_by_currency=tuple(open_sums),
        total_debt_amount_overdue_by_currency=tuple(overdue_sums),
        currency_code=total.currency_code,
        rates_date=total.rates_date,
        as_of=now,
        unconverted_currencies=total.unconverted,
    )


def _outstanding(sums: list[CurrencySum], rates: Rates) -> Outstanding:
    total = in_one_currency({part.currency_code: part.amount for part in sums}, rates)
    return Outstanding(total.amount, total.currency_code, total.rates_date, tuple(sums), total.unconverted)


def in_one_currency(amounts: Mapping[str, Decimal], rates: Rates) -> Converted:
    """Add amounts up in the currency that they share, else in the reporting currency.

    A currency that has ended shares the successor's, at the fixed rate, if there are others beside it.
    """
    if not amounts:
        return Converted(Decimal(0), settings.REPORTING_CURRENCY)
    if len(amounts) == 1:
        ((currency, amount),) = amounts.items()
        return Converted(amount, currency)
    shared = {current(amount, currency, today=rates.today)[1] for currency, amount in amounts.items()}
    if len(shared) == 1:
        return replace(rates.add(amounts, shared.pop()), rates_date=None)
    return rates.add(amounts, settings.REPORTING_CURRENCY)


def rates_if_mixed(groups: Iterable[list[str]], today: date) -> Rates:
    """Return the latest rates if any group has more than one currency; otherwise no rates are needed."""
    return latest_rates(today) if any(len(codes) > 1 for codes in groups) else Rates(today, None, {})
