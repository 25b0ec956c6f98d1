"""The charts of the home page: each with the figures that it shows as a table, also as a CSV file."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.timezone import now

from casework import figures
from casework.admin.words import sum_of
from casework.models import DayFigures
from collection.balances import open_totals, totals
from collection.balances.totals import Rates
from ddc.common import money
from ddc.common.admin import csv_files
from ddc.common.days import agency_today
from debtors.channels import Channel

_COLLECTED_DAYS, _MESSAGE_DAYS, _WEEKS = 30, 7, 8
_MOST_CURRENCIES = 3
_COLOURS = ("--chart-1", "--chart-2", "--chart-3", "--chart-4")
#: The outcomes of messages: label, statuses and colour. Those that still wait have no outcome.
_OUTCOMES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Delivered", ("delivered",), "--chart-1"),
    ("Sent, no report", ("sent",), "--chart-2"),
    ("Failed", ("failed", "bounced"), "--chart-bad"),
    ("Blocked", ("blocked",), "--chart-4"),
    ("Uncertain", ("uncertain",), "--chart-warn"),
)
_KEPT = (("Paid in full", "paid"), ("Paid in part", "part"), ("Nothing paid", "nothing"))


@dataclass(frozen=True)
class Series:
    """Values of one colour: bars that stand on those of the series before."""

    label: str
    values: Sequence[float]
    colour: str


@dataclass(frozen=True)
class Chart:
    """A chart as django-unfold's component takes it, and its table."""

    slug: str
    title: str
    note: str
    labels: Sequence[str]
    series: Sequence[Series]
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_horizontal: bool = False
    most: float | None = None

    @property
    def shown_rows(self) -> Iterator[list[str]]:
        """The rows of the table on the page: numbers have thousands separators."""
        for row in self.exact_rows:
            yield [f"{value:,}" if isinstance(value, int | Decimal) else str(value) for value in row]

    @property
    def exact_rows(self) -> Iterator[list[Any]]:
        """The rows with amounts in the decimals of their currency, which is the header of their column."""
        for row in self.rows:
            yield [
                Decimal(money.text(value, header)) if isinstance(value, Decimal) else value
                for value, header in zip(row, self.headers, strict=True)
            ]

    @property
    def data(self) -> str:
        sets = [
            {"label": one.label, "data": list(one.values), "backgroundColor": f"var({one.colour})", "stack": "all"}
            for one in self.series
        ]
        return json.dumps({"labels": list(self.labels), "datasets": sets})

    @property
    def options(self) -> str:
        values = {
            "stacked": True,
            "grid": {"color": ""},
            "beginAtZero": True,
            "ticks": {"maxRotation": 0, "maxTicksLimit": 6},
            **({"max": self.most} if self.most else {}),
        }
        names = {
            "stacked": True,
            "grid": {"color": "", "display": False},
            "ticks": {"maxRotation": 0, "autoSkip": True},
        }
        axes = {"x": values, "y": names} if self.is_horizontal else {"x": names, "y": values}
        return json.dumps({
            "animation": False, "responsive": True, "maintainAspectRatio": False, "scales": axes,
            "indexAxis": "y" if self.is_horizontal else "x", "plugins": {"legend": {"display": False}},
        })  # fmt: skip


def collected(days: Sequence[DayFigures], rates: Rates, today: date) -> Chart:
    """Chart what was collected per day, by currency, in the reporting currency."""
    by_day = {one.day: collected_by(one.figures) for one in days}
    shown = [today - timedelta(days=back) for back in range(_COLLECTED_DAYS - 1, -1, -1)]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for day in shown:
        for currency, amount in by_day.get(day, {}).items():
            sums[currency] += _converted({currency: amount}, rates)
    largest = sorted(sums, key=lambda currency: -sums[currency])
    named, others = largest[:_MOST_CURRENCIES], largest[_MOST_CURRENCIES:]
    groups = [(currency, [currency]) for currency in named] + ([("Other", others)] if others else [])
    series = [
        Series(label, [float(_converted(_of(by_day.get(day, {}), group), rates)) for day in shown], colour)
        for (label, group), colour in zip(groups, _COLOURS, strict=False)
    ]
    rows = [
        [day.isoformat(), *(by_day.get(day, {}).get(one, Decimal(0)) for one in largest)] for day in reversed(shown)
    ]
    total = sum_of(sum(sums.values(), Decimal(0)), settings.REPORTING_CURRENCY)
    note = f"In {settings.REPORTING_CURRENCY} at the latest rates; {total} in all"
    labels = [f"{day.day} {day:%b}" for day in shown]
    return Chart("collected", "Collected per day, last 30 days", note, labels, series, ["Day", *largest], rows)


def messages(days: Sequence[DayFigures], today: date) -> Chart:
    """Chart the outcomes of the last week's messages per channel, in percent."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in days:
        if one.day > today - timedelta(days=_MESSAGE_DAYS):
            for channel, by_status in one.figures["messages"].items():
                for status, number in by_status.items():
                    counts[channel][status] += number
    channels = [channel for channel in Channel if channel in counts]
    table = [
        [sum(counts[channel][status] for status in statuses) for _, statuses, _ in _OUTCOMES] for channel in channels
    ]
    series = [
        Series(label, [round(100 * row[index] / (sum(row) or 1), 1) for row in table], colour)
        for index, (label, _, colour) in enumerate(_OUTCOMES)
    ]
    labels = [str(channel.label) for channel in channels]
    rows = [[label, *row, sum(row)] for label, row in zip(labels, table, strict=True)]
    headers = ["Channel", *(label for label, _, _ in _OUTCOMES), "All"]
    note = f"{sum(map(sum, table)):,} in all, percent of each channel"
    return Chart("messages", "Messages by outcome, last 7 days", note, labels, series, headers, rows, True, 100)


def deferrals(days: Sequence[DayFigures], today: date) -> Chart:
    """Chart what came of the deferrals that ended in each of the last weeks."""
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=back) for back in range(_WEEKS - 1, -1, -1)]
    counts: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in days:
        for what, number in one.figures["kept"].items():
            counts[one.day - timedelta(days=one.day.weekday())][what] += number
    series = [
        Series(label, [counts[week][key] for week in weeks], colour)
        for (label, key), colour in zip(_KEPT, ("--chart-1", "--chart-3", "--chart-4"), strict=True)
    ]
    rows = [[week.isoformat(), *(counts[week][key] for _, key in _KEPT)] for week in reversed(weeks)]
    labels = [f"{week.day} {week:%b}" for week in weeks]
    headers = ["Week from", *(label for label, _ in _KEPT)]
    title, note = "Deferrals granted, and what came of them", "By the week in which they ended"
    return Chart("deferrals", title, note, labels, series, headers, rows)


def ages(rates: Rates, today: date) -> Chart:
    """Chart the open balance by days past due, in the reporting currency."""
    found = open_totals.by_age(today=today)
    by_age: dict[int, dict[str, Decimal]] = defaultdict(dict)
    debts: dict[int, int] = defaultdict(int)
    for age, currency, balance, number in found:
        by_age[age][currency] = balance
        debts[age] += number
    currencies = sorted({currency for _, currency, _, _ in found})
    values = [float(_converted(by_age[age], rates)) for age in range(len(open_totals.AGES))]
    rows = [
        [label, debts[age], *(by_age[age].get(currency, Decimal(0)) for currency in currencies)]
        for age, label in enumerate(open_totals.AGES)
    ]
    note = f"In {settings.REPORTING_CURRENCY} at the latest rates; {sum(debts.values()):,} debts"
    headers = ["Past due", "Debts", *currencies]
    series = [Series("Open balance", values, "--chart-2")]
    return Chart("ages", "Open balance by age", note, open_totals.AGES, series, headers, rows, is_horizontal=True)


def of(agent: Any, days: Sequence[DayFigures], rates: Rates, today: date) -> list[Chart]:
    """Return the charts of what the reader may see."""
    made: Mapping[str, tuple[str, Callable[[], Chart]]] = {
        "collected": ("payments.view_payment", lambda: collected(days, rates, today)),
        "messages": ("communications.view_communicationlog", lambda: messages(days, today)),
        "ages": ("collections.view_debt", lambda: ages(rates, today)),
        "deferrals": ("collections.view_deferralrequest", lambda: deferrals(days, today)),
    }
    return [make() for permission, make in made.values() if agent.has_perm(permission)]


def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Answer a chart's figures as a CSV file."""
    moment, agent = now(), request.user
    today = agency_today(moment)
    if not agent.has_perm("collections.view_debt"):
        raise PermissionDenied
    found = of(agent, figures.latest(now=moment), totals.latest_rates(today), today)
    chart = next((one for one in found if one.slug == slug), None)
    if chart is None:
        raise Http404
    return csv_files.download(f"{chart.slug} {today}", chart.headers, chart.exact_rows)


def collected_by(figures_of_day: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what was collected on a day, by currency."""
    return {currency: Decimal(amount) for currency, (amount, _) in figures_of_day.get("collected", {}).items()}


def _of(amounts: Mapping[str, Decimal], currencies: Sequence[str]) -> dict[str, Decimal]:
    return {currency: amounts[currency] for currency in currencies if currency in amounts}


def _converted(amounts: Mapping[str, Decimal], rates: Rates) -> Decimal:
    return rates.add(amounts, settings.REPORTING_CURRENCY).amount or Decimal(0) if amounts else Decimal(0)
