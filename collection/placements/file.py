"""The file that a creditor places debts with: CSV in UTF-8, with or without BOM, with commas or semicolons.

The first line names the columns, by the API's names for a debtor's and a debt's fields. Lines are counted as an editor counts
them, also where a quoted cell goes over several.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from ddc.common.api.rendering import camel
from ddc.common.errors import DomainError
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
#: Each column that a file may have, by its name there, and the name of the same thing inside.
COLUMNS = OF_DEBTOR | OF_DEBT
#: Columns that a file must have; ``originalCreditor`` too, unless the creditor is named beside it.
REQUIRED = ("email", "originalBalance")

_BOM = b"\xef\xbb\xbf"


class BrokenFile(DomainError):
    """The file as a whole can't be read; nothing of it was taken."""

    status = 422
    code = "file"


class PlacementFile:
    """A placement file that was opened: its columns, and then its rows, each with the line that it begins on."""

    def __init__(self, file: BinaryIO, *, has_creditor: bool) -> None:
        """Read the first line.

        :raises BrokenFile: if it doesn't name the columns that there are, each once, and all that are required
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
        """The columns by the names that the program has for them."""
        return [COLUMNS[name] for name in self.header]

    def __iter__(self) -> Iterator[tuple[int, list[str | None]]]:
        """Yield each row that isn't blank, with its line; an empty cell is None.

        :raises BrokenFile: if what follows is no CSV in UTF-8
        """
        line = 2
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise BrokenFile(f"From line {line} on this is no CSV: {error}.") from error
            row = [cell.strip() or None for cell in cells]
            if any(row):
                yield line, row
            line = self._reader.line_num + 2

    def _decoded(self, file: BinaryIO) -> Iterator[str]:
        for number, raw in enumerate(file, start=1):
            self.bytes_read += len(raw)
            if b"\x00" in raw:
                raise BrokenFile(f"Line {number} has a NUL character: this is no CSV in UTF-8.")
            try:
                yield (raw.removeprefix(_BOM) if number == 1 else raw).decode()
            except UnicodeDecodeError as error:
                raise BrokenFile(f"Line {number} is not UTF-8. Save the file as CSV in UTF-8.") from error


def _checked(header: list[str], *, has_creditor: bool) -> list[str]:
    if not any(header):
        raise BrokenFile("The file has no first line that names its columns.")
    if unknown := [name or "(no name)" for name in header if name not in COLUMNS]:
        raise BrokenFile(f"Unknown columns: {', '.join(unknown[:20])}. Known are: {', '.join(COLUMNS)}.")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise BrokenFile(f"Columns that are there twice: {', '.join(twice)}.")
    required = REQUIRED if has_creditor else (*REQUIRED, "originalCreditor")
    if missing := [name for name in required if name not in header]:
        raise BrokenFile(f"Missing columns: {', '.join(missing)}.")
    return header
