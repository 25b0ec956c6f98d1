"""Load a creditor's placement file: each row is accepted, known already, or refused with a reason.

All rows are loaded in one transaction, so an interrupted load leaves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from django.db import connection, transaction

from agents.models import Agent
from collection.models import Debt
from collection.placements import checks, notation, posting
from collection.placements.checks import READERS, RefusedRow
from collection.placements.file import COLUMNS, PlacementFile, Row
from collection.segments import assignment
from ddc.common import normal_forms
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.reference.currencies import DECIMALS
from debtors.models import Debtor

#: Called with the current step and the number of bytes read.
Progress = Callable[[str, int], None]
_STEP = 1_000
_DEFAULT_CURRENCY = "USD"
#: A refused address stays in its row: it is not missing.
_KEPT = ("email", "mobile_phone")
#: Columns in which a line break is no sign of a missing quotation mark, which makes the next rows part of the cell.
_MULTILINE = ("address_line1", "address_line2")
_NAMES = {column: name for name, column in COLUMNS.items()}
#: Computed here once, so that SQL compares columns of equal form.
_NORMAL_FORMS = [*Debtor.normal_forms(), *Debt.normal_forms()]


class ImportInProgress(DomainError):
    message = "Another placement file is being loaded. Wait until that is done."


@dataclass(frozen=True)
class Report:
    """The numbers of rows by outcome, of new debtors, and the refused rows. Accepted, known and refused add up to ``rows``.

    ``ignored``: the names of the columns that are not read.
    """

    rows: int
    accepted: int
    known: int
    refused: int
    debtors: int
    refusals: list[RefusedRow]
    ignored: list[str]


@transaction.atomic
def load(
    file: BinaryIO,
    *,
    creditor: str | None = None,
    encoding: str | None = None,
    dry_run: bool = False,
    by: Agent | None,
    today: date,
    now: datetime,
    progress: Progress | None = None,
) -> Report:
    """Place the debts of a file.

    :param creditor: the creditor of rows that name none
    :param encoding: the file's encoding if it is neither UTF-8 nor UTF-16 with a byte-order mark
    :param dry_run: roll everything back at the end
    :raises BrokenFile: if the file as a whole can't be read
    :raises ImportInProgress: if another file is being loaded
    """
    report_progress = progress or (lambda _doing, _bytes: None)
    if not advisory_locks.try_lock(AdvisoryLock.PLACEMENTS):
        raise ImportInProgress
    source = PlacementFile(file, has_creditor=creditor is not None, encoding=encoding)
    rows = _stage(source, creditor=creditor, report_progress=report_progress)
    report_progress("checking", source.bytes_read)
    checks.check(today=today)
    notation.read(today=today)
    report_progress("placing", source.bytes_read)
    assignment.lock_segments()
    posted = posting.post(by_id=by.pk if by else None, today=today, now=now)
    refusals = _refusals()
    if dry_run:
        transaction.set_rollback(True)
    else:
        report_progress("committing", source.bytes_read)
    return Report(
        rows=rows,
        accepted=posted.debts,
        known=posted.known,
        refused=len({refusal.line for refusal in refusals}),
        debtors=posted.debtors,
        refusals=refusals,
        ignored=source.ignored,
    )


def _stage(source: PlacementFile, *, creditor: str | None, report_progress: Progress) -> int:
    """Copy the rows into a table of text; return their number."""
    columns = ", ".join(f"{column} text" for column in COLUMNS.values())
    forms = [field.name for field in _NORMAL_FORMS]
    reader = _RowReader(source, creditor=creditor)
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS placement_row, placement_refusal, placement")
        cursor.execute(
            "CREATE TEMPORARY TABLE placement_row"
            f" (line integer, decimals smallint, creditor_form text, {' text, '.join(forms)} text, {columns}) ON COMMIT DROP"
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE placement_refusal (line integer, column_name text, reason text) ON COMMIT DROP"
        )
        staged = ", ".join(("line", "decimals", "creditor_form", *forms, *reader.columns))
        with cursor.copy(f"COPY placement_row ({staged}) FROM STDIN") as copy:
            for row in source:
                rows += 1
                if rows % _STEP == 0:
                    report_progress("reading", source.bytes_read)
                values = reader.read(row)
                if values is not None:
                    copy.write_row(values)
        with cursor.copy("COPY placement_refusal FROM STDIN") as copy:
            for fault in reader.faults:
                copy.write_row((fault.line, fault.column, fault.reason))
        cursor.execute("ANALYZE placement_refusal")
    return rows


class _RowReader:
    """Reads the values that Python reads, and collects those that it can't read in ``faults``.

    ``columns`` are those of the file, with the creditor and the currency, which have defaults.
    """

    def __init__(self, source: PlacementFile, *, creditor: str | None) -> None:
        self.faults: list[RefusedRow] = []
        self._width, self._unnamed, self._positions = source.width, source.unnamed, list(source.columns)
        defaults = {"original_creditor": creditor, "currency_code": _DEFAULT_CURRENCY}
        columns = list(source.columns.values())
        self.columns = [*columns, *(column for column in defaults if column not in columns)]
        at = {column: position for position, column in enumerate(self.columns)}
        self._padding = [None] * (len(self.columns) - len(columns))
        self._defaults = [(at[column], value) for column, value in defaults.items()]
        self._readers = [(at[column], column, read) for column, read in READERS.items() if column in at]
        self._phone, self._country = at.get("mobile_phone"), at.get("country_code")
        self._forms = [(at.get(field.of), field) for field in _NORMAL_FORMS]
        self._creditor, self._currency = at["original_creditor"], at["currency_code"]

    def read(self, row: Row) -> list[object] | None:
        """Return the row to stage; None if its cells can't be told apart."""
        line, cells = row.line, row.cells
        if fault := self._fault(row):
            self.faults.append(RefusedRow(line, None, fault))
            return None
        values = [cells[position] for position in self._positions] + self._padding
        if row.spans_lines:
            self._find_line_breaks(line, values)
        for position, default in self._defaults:
            values[position] = values[position] or default
        for position, column, read in self._readers:
            if text := values[position]:
                values[position] = self._read(line, column, text, read)
        if self._phone is not None and (text := values[self._phone]):
            country = values[self._country] if self._country is not None else None
            values[self._phone] = self._read(line, "mobile_phone", text, lambda text: checks.phone(text, country))
        forms: list[str | None] = [normal_forms.name(values[self._creditor] or "")]
        forms += [None if position is None else field.compute(values[position]) for position, field in self._forms]
        return [line, DECIMALS.get(values[self._currency] or ""), *forms, *values]

    def _fault(self, row: Row) -> str | None:
        """Return why the cells of a row may stand in the wrong columns, if they may."""
        cells = row.cells
        if row.fault:
            return row.fault
        if len(cells) < self._width:
            return f"This line has {len(cells)} cells, but the first line names {self._width} columns."
        if any(cells[self._width :]):
            return f"This line has more cells than the {self._width} columns of the first line."
        if self._unnamed and any(cells[position] for position in self._unnamed if position < len(cells)):
            return "This line has a value in a column without a name."
        return None

    def _find_line_breaks(self, line: int, values: list[str | None]) -> None:
        for column, text in zip(self.columns, values, strict=True):
            if text and "\n" in text and column not in _MULTILINE:
                reason = "This has a line break. Is a quotation mark missing?"
                self.faults.append(RefusedRow(line, _NAMES[column], reason))

    def _read(self, line: int, column: str, text: str, read: Callable[[str], str]) -> str | None:
        try:
            return read(text)
        except DomainError as fault:
            self.faults.append(RefusedRow(line, _NAMES[column], fault.message))
            return text if column in _KEPT else None


def _refusals() -> list[RefusedRow]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT line, column_name, reason FROM placement_refusal ORDER BY line, column_name COLLATE "C" NULLS FIRST'
        )
        return [RefusedRow(*row) for row in cursor.fetchall()]
