"""Record the receipts of a CSV file: each is booked, waits in suspense, was known already, or is refused with the reason.

A receipt without an id of its provider gets one from its content and its place among equal rows: two equal payments on one day
stay two, and the same file again adds nothing.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from agents.models import Agent
from collection.placements.lines import BrokenFile, Lines
from creditors import creditors
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Invalid
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.reference import currencies
from payments import receipts
from payments.models import Receipt

#: The columns that a file may have, and the greatest lengths of their texts.
COLUMNS = {
    "source": 10, "provider": 100, "providerId": 255, "amount": 40, "currencyCode": 3, "reference": 500, "payerName": 255,
    "payerAccount": 64, "originalCreditor": 255, "valueDate": 10,
}  # fmt: skip
REQUIRED = ("amount", "currencyCode", "valueDate")
_NAMES = {name.casefold(): name for name in COLUMNS}
_DELIMITERS = ",;\t|"
_SOURCES = [source for source in Receipt.Source.values if source != Receipt.Source.CHARGEBACK]
#: Called with the number of rows that are done, and of all.
Progress = Callable[[int, int], None]


class BadCell(Invalid):
    """A cell can't be read; ``field`` is its column."""


class AlreadyRunning(DomainError):
    message = "Another file of receipts is being imported. Try again when it is done."


@dataclass(frozen=True)
class Outcome:
    """The outcome of one row: its line, what happened, and in words why or where to."""

    line: int
    status: str
    text: str = ""


@dataclass
class Report:
    """The outcomes of a file, and the columns that were not read."""

    outcomes: list[Outcome] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """The number of rows by status: booked, suspense, known, refused."""
        return Counter(one.status for one in self.outcomes)


def load(
    file: BinaryIO,
    *,
    provider: str = "",
    encoding: str | None = None,
    by: Agent | None,
    dry_run: bool = False,
    progress: Progress = lambda done, rows: None,
) -> Report:
    """Read the whole file, then record each receipt in a transaction of its own: an import that was killed is run again.

    :param provider: the bank account or provider of rows that name none
    :param dry_run: write nothing; each row is then tried by itself
    :raises BrokenFile: if the file as a whole can't be read
    :raises AlreadyRunning: if another import runs
    """
    with advisory_locks.session_lock(AdvisoryLock.RECEIPTS) as is_held:
        if not is_held:
            raise AlreadyRunning
        lines, report, seen = Lines(file, encoding=encoding), Report(), Counter[str]()
        rows = list(_rows(lines, report))
        for done, (number, row) in enumerate(rows, start=1):
            report.outcomes.append(_take(number, row, provider, seen, by=by, dry_run=dry_run))
            progress(done, len(rows))
    return report


def _rows(lines: Lines, report: Report) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield each row that isn't blank with its line: its cells by column, or the reason why it can't be read."""
    source = iter(lines)
    header, before = "", 0
    for line in source:
        before += 1
        if line.strip(_DELIMITERS + ' "\r\n\ufeff') and not re.match(r'\ufeff?"?sep=', line, re.IGNORECASE):
            header = line
            break
    if "\r" in header.removesuffix("\n").removesuffix("\r") or header.endswith("\r"):
        raise BrokenFile("The lines end in CR only, as on old Macintoshes. Save the file as “CSV UTF-8”.")
    delimiter = max(_DELIMITERS, key=lambda one: len(_known(header, one)))
    names = [name.strip().strip('"').lstrip("\ufeff") for name in header.rstrip("\r\n").split(delimiter)]
    columns = {position: _NAMES[key] for position, name in enumerate(names) if (key := _key(name)) in _NAMES}
    if missing := [name for name in REQUIRED if name not in columns.values()]:
        raise BrokenFile(f"Missing columns: {', '.join(missing)}. Columns that can be read: {', '.join(COLUMNS)}.")
    if len(set(columns.values())) < len(columns):
        raise BrokenFile("A column is repeated.")
    report.ignored = [name for position, name in enumerate(names) if name and position not in columns]
    reader, start = csv.reader(source, delimiter=delimiter, strict=True), before + 1
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise BrokenFile(f"From line {start} on this is not CSV: {error}. Look for a quotation mark.") from error
        if len(cells) > len(names) and any(cells[len(names) :]):
            yield start, "This row has more cells than the header. Check its quotation marks."
        elif any(cells):
            yield start, {name: cells[position] for position, name in columns.items() if position < len(cells)}
        start = reader.line_num + before + 1


def _known(header: str, delimiter: str) -> list[str]:
    return [name for name in header.split(delimiter) if _key(name.strip().strip('"')) in _NAMES]


def _key(name: str) -> str:
    return re.sub(r"[\s_\ufeff-]", "", name).casefold()


def _take(
    line: int, row: dict[str, str] | str, provider: str, seen: Counter[str], *, by: Agent | None, dry_run: bool
) -> Outcome:
    """Record one row, and return its outcome."""
    if isinstance(row, str):
        return Outcome(line, "refused", row)
    now = timezone.now()
    try:
        fields = _fields(row, provider)
        _identify(fields, seen)
        with transaction.atomic():
            receipt = receipts.record(**fields, by=by, today=agency_today(now), now=now)
            outcome = _outcome(line, receipt)
            transaction.set_rollback(dry_run)
    except receipts.AlreadyRecorded:
        same = Receipt.objects.filter(
            provider=fields["provider"],
            provider_id=fields["provider_id"],
            amount=fields["amount"],
            currency_code=fields["currency_code"],
        )
        if same.exists():
            return Outcome(line, "known")
        return Outcome(line, "refused", "providerId: This id was recorded before with another amount.")
    except DomainError as refusal:
        return Outcome(line, "refused", f"{_column(refusal.field)}{refusal.message}")
    return outcome


def _outcome(line: int, receipt: Receipt) -> Outcome:
    found = Receipt.objects.select_related("suspense").get(pk=receipt.pk)
    return Outcome(line, "suspense", f"{found.suspense_text}.") if found.suspense_text else Outcome(line, "booked")


def _column(name: str | None) -> str:
    words = (name or "").split("_")
    return f"{words[0]}{''.join(word.capitalize() for word in words[1:])}: " if name else ""


def _fields(row: dict[str, str], provider: str) -> dict[str, Any]:
    """Read the cells of a row.

    :raises BadCell: if one can't be read
    """
    for name, most in COLUMNS.items():
        if len(row.get(name, "")) > most:
            raise BadCell(f"This is longer than {most} characters.", field=name)
        if any(ord(letter) < 32 and letter not in "\r\n\t" for letter in row.get(name, "")):
            raise BadCell("This has characters that cannot be stored.", field=name)
    source = row.get("source", "").casefold() or Receipt.Source.BANK
    if source not in _SOURCES:
        raise BadCell(f"Unknown source. Use one of {', '.join(_SOURCES)}.", field="source")
    currency = row.get("currencyCode", "").upper()
    if currency not in currencies.DECIMALS:
        raise BadCell(currencies.unknown(currency), field="currencyCode")
    return {
        "source": source,
        "provider": row.get("provider", "") or provider,
        "provider_id": row.get("providerId") or None,
        "amount": _amount(row.get("amount", ""), currency),
        "currency_code": currency,
        "reference": row.get("reference", ""),
        "payer_name": row.get("payerName", ""),
        "payer_account": re.sub(r"\s", "", row.get("payerAccount", "")),
        "creditor": _creditor(row.get("originalCreditor", "")),
        "value_date": _day(row.get("valueDate", "")),
    }


def _amount(text: str, currency: str) -> Any:
    try:
        amount = money.check(money.read(text), currency, field="amount")
    except money.BadAmount as error:
        why = " Write amounts like 1234.56." if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else ""
        raise BadCell(f"{error.message}{why}", field="amount") from error
    if amount <= 0:
        raise BadCell("This must be more than 0. Money that went out is no receipt.", field="amount")
    return amount


def _day(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise BadCell("This must be a date, such as 2026-01-31.", field="valueDate")


def _creditor(name: str) -> Any:
    found = creditors.find(name) if name else None
    if name and found is None:
        raise BadCell("There is no creditor with this name.", field="originalCreditor")
    return found


def _identify(fields: dict[str, Any], seen: Counter[str]) -> None:
    """Give a receipt without an id one, from its content and its place among equal rows of the file."""
    if fields["provider_id"]:
        return
    content = [str(value) for name, value in fields.items() if name not in ("provider_id", "creditor")]
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
    seen[digest] += 1
    fields["provider_id"] = f"row {digest} {seen[digest]}"
