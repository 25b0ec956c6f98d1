"""Stage the rows of a placement file as text, in tables that the other steps read.

``placement_row`` has the rows, ``placement_refusal`` what is wrong with them, ``placement_parked`` those that wait for a person.
"""

from collections.abc import Callable

from django.db import connection

from collection.models import Debt
from collection.placements import checks
from collection.placements.checks import READERS, RefusedRow
from collection.placements.file import COLUMNS, PlacementFile, Row
from ddc.common import normal_forms
from ddc.common.errors import DomainError
from ddc.common.reference.currencies import DECIMALS
from debtors.models import Debtor

_STEP = 1_000
_DEFAULT_CURRENCY = "USD"
#: A refused address stays in its row: it is not missing.
_KEPT = ("email", "mobile_phone")
#: Columns in which a line break is no sign of a missing quotation mark, which makes the next rows part of the cell.
_MULTILINE = ("address_line1", "address_line2")
_NAMES = {column: name for name, column in COLUMNS.items()}
#: Computed here once, so that SQL compares columns of equal form.
_NORMAL_FORMS = [*Debtor.normal_forms(), *Debt.normal_forms()]
_FORMS = ("creditor_form", *(field.name for field in _NORMAL_FORMS))
_TABLES = {
    "placement_row": f"line integer, decimals smallint, {', '.join(f'{name} text' for name in (*_FORMS, *COLUMNS.values()))}",
    "placement_refusal": "line integer, column_name text, reason text",
    "placement_parked": "line integer, debtor_id uuid, name_form text, column_name text, reason text",
    "placement_present": (
        "debtor_id uuid, creditor_id uuid, currency_code text, original_balance numeric, placement_date date, debts bigint"
    ),
    "placement_doubt": "line integer",
    "placement_found": "line integer, debtor_id uuid",
}


def stage(source: PlacementFile, *, creditor: str | None, progress: Callable[[int], None]) -> int:
    """Copy the rows into tables that end with the transaction; return their number.

    :param creditor: the creditor of rows that name none
    :param progress: called now and then with the number of bytes read
    """
    reader = _RowReader(source, creditor=creditor)
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS placement, {', '.join(_TABLES)}")
        for table, columns in _TABLES.items():
            cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")
        staged = ", ".join(("line", "decimals", *_FORMS, *reader.columns))
        with cursor.copy(f"COPY placement_row ({staged}) FROM STDIN") as copy:
            for row in source:
                rows += 1
                if rows % _STEP == 0:
                    progress(source.bytes_read)
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
        self._find_remains(line, values)
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

    def _find_remains(self, line: int, values: list[str | None]) -> None:
        for column, text in zip(self.columns, values, strict=True):
            if text and (text[0] in "#=" or "\ufffd" in text) and (reason := checks.remains(text)):
                self.faults.append(RefusedRow(line, _NAMES[column], reason))

    def _read(self, line: int, column: str, text: str, read: Callable[[str], str]) -> str | None:
        try:
            return read(text)
        except DomainError as fault:
            self.faults.append(RefusedRow(line, _NAMES[column], fault.message))
            return text if column in _KEPT else None
