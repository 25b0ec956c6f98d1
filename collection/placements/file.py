"""Read a placement file: CSV with commas, semicolons, tabs or bars.

The first line has the API's names of a debtor's and a debt's fields; case, spaces and underscores in them are ignored. Lines are
counted as in an editor, including those inside a quoted cell.
"""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from collection.placements.lines import BrokenFile, Lines
from ddc.common.api.rendering import camel
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
#: How ``originalBalance`` is composed, and the first day with interest.
OF_ACCOUNT = {
    "principal": "principal",
    "interest": "interest",
    "costs": "costs",
    "fees": "fees",
    "interestFrom": "interest_from",
}
#: The columns that a file may have, by their API names.
COLUMNS = OF_DEBTOR | OF_DEBT | OF_ACCOUNT
#: The columns that a file must have, and ``originalCreditor`` unless a creditor is given for the whole file.
REQUIRED = ("originalBalance",)

_DELIMITERS = ",;\t|"
#: Excel's own first line, which names the delimiter. Excel may have saved it with empty cells at its end.
_EXCEL_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)
_NAMES = {name.casefold(): name for name in COLUMNS}
#: Those in which Excel saves CSV. They can't be told apart by their bytes, so none is guessed.
ENCODINGS = ("utf-8", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1257")


class Row(NamedTuple):
    """A row that isn't blank: the line on which it begins, its cells, and the reason if the line isn't CSV.

    An empty cell is None. ``spans_lines``: a cell has a line break.
    """

    line: int
    cells: list[str | None]
    spans_lines: bool = False
    fault: str | None = None


class PlacementFile:
    """An open placement file: its columns, then its rows."""

    def __init__(self, file: BinaryIO, *, has_creditor: bool, encoding: str | None = None) -> None:
        """Read the header, after blank lines and Excel's line ``sep=;``.

        :raises BrokenFile: if a column is repeated or missing
        """
        self._source = Lines(file, encoding=encoding)
        self._lines = iter(self._source)
        self._header_line = 0
        header, delimiter = self._next_line(), ""
        if named := _EXCEL_LINE.fullmatch(header.rstrip("\r\n")):
            header, delimiter = self._next_line(), named[1]
        if "\r" in header.rstrip("\r\n"):
            raise BrokenFile("The lines end in CR alone, as on old Macintoshes. Save the file as “CSV UTF-8”.")
        delimiter = delimiter or max(_DELIMITERS, key=lambda one: len(_known(header.split(one))))
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        try:
            names = next(csv.reader([header], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BrokenFile(f"Line {self._header_line} can't be read: {error}.") from error
        self._set_columns([name.strip() for name in names], has_creditor=has_creditor)

    @property
    def bytes_read(self) -> int:
        return self._source.bytes_read

    def _set_columns(self, header: list[str], *, has_creditor: bool) -> None:
        known = dict(enumerate(map(_known_name, header)))
        #: The field name of each column that is read, by its position.
        self.columns = {position: COLUMNS[name] for position, name in known.items() if name}
        #: The names of columns that are not read.
        self.ignored = [name for position, name in enumerate(header) if name and not known[position]]
        #: The positions of columns without a name. Each cell there is a fault, for it may belong to another column.
        self.unnamed = [position for position, name in enumerate(header) if not name]
        #: The number of cells of a complete row; more cells have to be empty.
        self.width = max((position + 1 for position, name in enumerate(header) if name), default=0)
        if not self.width:
            raise BrokenFile("The file has no header. Name the columns in its first line.")
        names = list(filter(None, known.values()))
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BrokenFile(f"Repeated columns: {', '.join(twice)}.")
        required = REQUIRED if has_creditor else (*REQUIRED, "originalCreditor")
        if missing := [name for name in required if name not in names]:
            raise BrokenFile(f"Missing columns: {', '.join(missing)}. Columns that can be read: {', '.join(COLUMNS)}.")

    def _next_line(self) -> str:
        """Return the next line that isn't blank, or an empty text at the end."""
        for line in self._lines:
            self._header_line += 1
            if line.strip(_DELIMITERS + ' "\r\n\ufeff'):
                return line
        return ""

    def __iter__(self) -> Iterator[Row]:
        """Yield each row.

        :raises BrokenFile: if the rest isn't CSV in the file's encoding
        """
        line = self._header_line + 1
        while True:
            fault = None
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if self._next_number != line + 1:
                    raise BrokenFile(
                        f"From line {line} on this is not CSV: {error}. Look for a quotation mark that is missing or too many."
                    ) from error
                cells, fault = [], f"This line is not CSV: {error}. Check its quotation marks."
            row = [cell.strip() or None for cell in cells]
            if fault or any(row):
                yield Row(line, row, self._next_number > line + 1, fault)
            line = self._next_number

    @property
    def _next_number(self) -> int:
        return self._reader.line_num + self._header_line + 1


def _known_name(name: str) -> str | None:
    return _NAMES.get(re.sub(r"[\s_-]", "", name).casefold())


def _known(header: list[str]) -> list[str]:
    return [name for name in header if _known_name(name.strip().strip('"'))]
