"""Read a placement file: CSV in UTF-8, with or without BOM, with commas or semicolons.

The first line has the API's names of a debtor's and a debt's fields. Lines are counted as in an editor, including those inside
a quoted cell.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from ddc.common.api.rendering import camel
from ddc.common.errors import Invalid
from debtors.models import Debtor

#: The columns of a debtor: every field that people enter, by its API name.
OF_DEBTOR = {camel(field.name): field.name for field in Debtor.input_fields()}
OF_DEBT = {
    "originalCreditor": "original_creditor",
    "externalReference": "external_reference",
    "currencyCode": "currency_code",
    "originalBalance": "original_balance",
    "currentBalance": "current_balance",
    "currentStatus": "current_status",
    "placementDate": "placement_date",
    "dueDate": "due_date",
    "p2pScore": "p2p_score",
    "segmentId": "segment_id",
}
#: The columns that a file may have, by their API names.
COLUMNS = OF_DEBTOR | OF_DEBT
#: The columns that a file must have, and ``originalCreditor`` unless a creditor is given for the whole file.
REQUIRED = ("email", "originalBalance")

_BOM = b"\xef\xbb\xbf"


class BrokenFile(Invalid):
    """The file as a whole can't be read; no row was loaded."""

    code = "file"


class PlacementFile:
    """An open placement file: its columns, then its rows with the line on which each begins."""

    def __init__(self, file: BinaryIO, *, has_creditor: bool) -> None:
        """Read the first line.

        :raises BrokenFile: if a column is unknown, repeated or missing
        """
        self.bytes_read = 0
        self._lines = self._decoded(file)
        header = next(self._lines, "")
        delimiter = ";" if header.count(";") > header.count(",") else ","
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        try:
            names = next(csv.reader([header], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BrokenFile(f"Line 1 can't be read: {error}.") from error
        self.header = _checked([name.strip() for name in names], has_creditor=has_creditor)

    @property
    def columns(self) -> list[str]:
        """The field names of the columns."""
        return [COLUMNS[name] for name in self.header]

    def __iter__(self) -> Iterator[tuple[int, list[str | None]]]:
        """Yield each row that isn't blank, with its line; an empty cell is None.

        :raises BrokenFile: if the rest isn't CSV in UTF-8
        """
        line = 2
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise BrokenFile(f"From line {line} on this is not CSV: {error}.") from error
            row = [cell.strip() or None for cell in cells]
            if any(row):
                yield line, row
            line = self._reader.line_num + 2

    def _decoded(self, file: BinaryIO) -> Iterator[str]:
        for number, raw in enumerate(file, start=1):
            self.bytes_read += len(raw)
            if b"\x00" in raw:
                raise BrokenFile(f"Line {number} has a NUL character. Save the file as CSV in UTF-8.")
            try:
                yield (raw.removeprefix(_BOM) if number == 1 else raw).decode()
            except UnicodeDecodeError as error:
                raise BrokenFile(f"Line {number} is not UTF-8. Save the file as CSV in UTF-8.") from error


def _checked(header: list[str], *, has_creditor: bool) -> list[str]:
    if not any(header):
        raise BrokenFile("The file has no header. Name the columns in its first line.")
    if unknown := [name or "(no name)" for name in header if name not in COLUMNS]:
        raise BrokenFile(f"Unknown columns: {', '.join(unknown[:20])}. Use these: {', '.join(COLUMNS)}.")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise BrokenFile(f"Repeated columns: {', '.join(twice)}.")
    required = REQUIRED if has_creditor else (*REQUIRED, "originalCreditor")
    if missing := [name for name in required if name not in header]:
        raise BrokenFile(f"Missing columns: {', '.join(missing)}.")
    return header
