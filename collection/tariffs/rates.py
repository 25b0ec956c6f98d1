"""Rate series: published rates by their first day, from files of one layout (``series,valid_from,rate,source``)."""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from django.db import transaction

from collection.claims import interest
from collection.claims.interest import Rate
from collection.models import SeriesRate
from ddc.common.errors import DomainError, Duplicate, Invalid, OutOfRange, refusing

HEADER = ["series", "valid_from", "rate", "source"]
SHIPPED = Path(interest.__file__).with_name("rates.csv")
#: A rate beyond these is a typing error.
LEAST, MOST = Decimal(-100), Decimal(1000)
_LONGEST = 30
_PLACES = Decimal("0.00001")
_CONSTRAINTS: dict[str, DomainError] = {
    "series_rate_is_unique_per_day": Duplicate("This series has a rate from this day on.", field="valid_from")
}


class NotARateFile(Invalid):
    """The file does not have the layout of a rate file; nothing was stored."""

    code = "file"
    message = f"This is not a rate file. Its first line must be {','.join(HEADER)}."


class BadRate(OutOfRange):
    field = "rate"
    message = f"Enter a rate in percent a year from {LEAST} to {MOST}, with 5 decimals at most."


@dataclass
class Loaded:
    """The result of a file: its rates, the new ones, the changed ones, and the refused lines with their reasons."""

    rates: int = 0
    added: int = 0
    changed: list[SeriesRate] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@transaction.atomic
def add(*, series: str, valid_from: date, rate: Decimal, source: str) -> SeriesRate:
    """Add a rate to a series, which begins with its first rate.

    :raises BadRate: if the rate is out of range
    :raises Duplicate: if the series has a rate from this day on
    """
    row = SeriesRate(series=series.strip().upper(), valid_from=valid_from, rate=_checked(rate), source=source)
    with refusing(_CONSTRAINTS):
        row.save(force_insert=True)
    return row


@transaction.atomic
def load(file: TextIO) -> Loaded:
    """Store the rates of a file. A line that is not a rate is refused; the others are stored.

    :raises NotARateFile: if the first line is not the header, or the file can't be read
    """
    loaded = Loaded()
    known = {(row.series, row.valid_from): row for row in SeriesRate.objects.select_for_update()}
    for values in _lines(file, loaded):
        loaded.rates += 1
        key = values["series"], values["valid_from"]
        row = known.get(key)
        if row is None:
            known[key] = SeriesRate.objects.create(**values)
            loaded.added += 1
        elif (row.rate, row.source) != (values["rate"], values["source"]):
            row.rate, row.source, row.applied_at = values["rate"], values["source"], None
            row.save()
            loaded.changed.append(row)
    return loaded


def load_shipped() -> None:
    """Add the rates that the product ships. Those that were loaded since stay as they are."""
    known = set(SeriesRate.objects.values_list("series", "valid_from"))
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = list(_lines(file, Loaded()))
    SeriesRate.objects.bulk_create(
        (SeriesRate(**row) for row in rows if (row["series"], row["valid_from"]) not in known), ignore_conflicts=True
    )


def by_series(codes: Collection[str]) -> dict[str, list[Rate]]:
    """Return the rates of some series by first day, in one query."""
    found: dict[str, list[Rate]] = defaultdict(list)
    for row in SeriesRate.objects.filter(series__in=codes).order_by("series", "valid_from"):
        found[row.series].append(row.value)
    return found


def _lines(file: TextIO, loaded: Loaded) -> Iterator[dict[str, Any]]:
    try:
        reader = csv.reader(file)
        if [name.strip().lstrip("\ufeff").lower() for name in next(reader, [])] != HEADER:
            raise NotARateFile
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                yield _line([cell.strip() for cell in cells])
            except (ValueError, InvalidOperation, BadRate) as error:
                loaded.refused.append((reader.line_num, str(error) or BadRate.message))
    except (csv.Error, UnicodeDecodeError) as error:
        raise NotARateFile("The file is not CSV in UTF-8.") from error


def _line(cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(HEADER) or not all(cells):
        raise ValueError("A line needs a series, a first day, a rate and a source.")
    series, day, rate, source = cells
    if not series.isascii() or len(series) > _LONGEST:
        raise ValueError(f"{series[:40]!r} is not the code of a series.")
    try:
        valid_from = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"{day[:40]!r} is not a date such as 2026-01-31.") from None
    try:
        value = _checked(Decimal(rate))
    except InvalidOperation:
        raise ValueError(f"{rate[:40]!r} is not a rate.") from None
    return {"series": series.upper(), "valid_from": valid_from, "rate": value, "source": source[:500]}


def _checked(rate: Decimal) -> Decimal:
    if not rate.is_finite() or not LEAST <= rate <= MOST or rate != rate.quantize(_PLACES):
        raise BadRate
    return rate.quantize(_PLACES)
