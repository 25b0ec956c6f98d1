"""Load exchange rates published by the European Central Bank: the price of one euro in each currency.

Both CSV layouts are read: the daily file of one line (``Date, USD, JPY, …`` with ``23 November 2026``) and the historical
file (``2026-11-23``, ``N/A`` for a missing rate, a comma at the end of each line).
"""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TextIO

from django.db import connection, transaction

from ddc.common.errors import Invalid
from ddc.common.reference.currencies import DECIMALS

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)
#: The currency of the prices. A column for it can't override 1.
_BASE = "EUR"
_NO_RATE = ("", "N/A", "-")
_BATCH = 20_000
#: Called with the number of days read.
Progress = Callable[[int], None]

_STORE = """
    INSERT INTO exchange_rate (date, currency_code, per_euro)
    SELECT * FROM unnest(%s::date[], %s::text[], %s::numeric[])
    ON CONFLICT ON CONSTRAINT exchange_rate_is_unique_per_day DO UPDATE SET per_euro = EXCLUDED.per_euro
    WHERE exchange_rate.per_euro <> EXCLUDED.per_euro
"""


class NotAnEcbFile(Invalid):
    """The file does not have the ECB's layout; no rate was stored."""

    code = "file"


@dataclass(frozen=True)
class RefusedCell:
    """A refused cell: its line, column (a currency or ``Date``) and the reason."""

    line: int
    column: str
    reason: str


@dataclass
class Loaded:
    """The result of a file: its days, its rates, the new or changed ones, and the refused cells."""

    days: int = 0
    rates: int = 0
    changed: int = 0
    latest: date | None = None
    unknown_currencies: list[str] = field(default_factory=list)
    refused: list[RefusedCell] = field(default_factory=list)


@transaction.atomic
def load(file: TextIO, *, progress: Progress | None = None) -> Loaded:
    """Store the rates of a file, replacing earlier values.

    Unknown currencies, such as those that the euro replaced, are skipped and reported. A cell that isn't a rate is refused;
    the others are stored.

    :raises NotAnEcbFile: if the first line isn't ``Date`` and currencies, or the file can't be read
    """
    loaded = Loaded()
    # If a day is repeated, the last one counts: one statement can't update a row twice.
    batch: dict[tuple[date, str], Decimal] = {}
    for day, currency, rate in _rates(file, loaded, progress=progress):
        batch[day, currency] = rate
        loaded.rates += 1
        loaded.latest = max(loaded.latest or day, day)
        if len(batch) >= _BATCH:
            loaded.changed += _store(batch)
            batch.clear()
    loaded.changed += _store(batch)
    return loaded


def _rates(file: TextIO, loaded: Loaded, *, progress: Progress | None) -> Iterator[tuple[date, str, Decimal]]:
    try:
        reader = csv.reader(file)
        currencies = _header(next(reader, []), loaded)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            loaded.days += 1
            yield from _of_day([cell.strip() for cell in cells], currencies, reader.line_num, loaded)
            if progress:
                progress(loaded.days)
    except (csv.Error, UnicodeDecodeError) as error:
        raise NotAnEcbFile("The file is not CSV in UTF-8. Download it again from the ECB.") from error


def _header(names: list[str], loaded: Loaded) -> list[str | None]:
    """Return the currency of each column after the date, or None if it is unknown."""
    names = [name.strip().lstrip("\ufeff").strip().upper() for name in names]
    if not names or names[0] != "DATE" or not any(name in DECIMALS for name in names[1:]):
        raise NotAnEcbFile("This is not a file of the ECB. The first line must be Date, then currency codes.")
    loaded.unknown_currencies = [name for name in names[1:] if name and name not in DECIMALS]
    return [name if name in DECIMALS else None for name in names[1:]]


def _of_day(
    cells: list[str], currencies: list[str | None], line: int, loaded: Loaded
) -> Iterator[tuple[date, str, Decimal]]:
    day = _day(cells[0])
    if day is None:
        loaded.refused.append(RefusedCell(line, "Date", f"{cells[0][:40]!r} is not a date."))
        return
    if any(cells[len(currencies) + 1 :]):
        loaded.refused.append(RefusedCell(line, "Date", "This line has more cells than the first line."))
        return
    for currency, cell in zip(currencies, cells[1:], strict=False):
        if currency is None or cell in _NO_RATE:
            continue
        if currency == _BASE:
            if not _NUMBER.fullmatch(cell) or Decimal(cell) != 1:
                loaded.refused.append(
                    RefusedCell(line, currency, "The rates are prices of one euro, so EUR can only be 1.")
                )
            continue
        if _NUMBER.fullmatch(cell) and (rate := Decimal(cell)) > 0:
            yield day, currency, rate
        else:
            loaded.refused.append(RefusedCell(line, currency, f"{cell[:40]!r} is not a rate."))


def _day(text: str) -> date | None:
    """Read ``2026-11-23`` or ``23 November 2026``."""
    for form in ("%Y-%m-%d", "%d %B %Y"):
        with suppress(ValueError):
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - A date has no time zone.
    return None


def _store(rates: dict[tuple[date, str], Decimal]) -> int:
    if not rates:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [[day for day, _ in rates], [currency for _, currency in rates], list(rates.values())])
        return int(cursor.rowcount)
