"""CSV files that people open in a spreadsheet: streamed, and with no cell that a spreadsheet would run as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

#: Rows that are written to the client together.
_BLOCK = 200
#: By a cell's first character a spreadsheet takes its text for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARK = "\ufeff"  # Without it Excel reads UTF-8 as the encoding of the country.


def cell(value: Any) -> str:
    """Return a value as a cell. A text that begins like a formula gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    text = str(value)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


class _Lines:
    """A file for ``csv.writer`` that hands over what was written."""

    def __init__(self) -> None:
        self.written: list[str] = [_MARK]

    def write(self, text: str) -> None:
        self.written.append(text)

    def take(self) -> bytes:
        text, self.written = "".join(self.written), []
        return text.encode()


def stream(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield a CSV file in blocks, in UTF-8 with a byte-order mark; no more than a block of rows is in memory."""
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(map(cell, headers))
    for number, row in enumerate(rows, 1):
        writer.writerow(map(cell, row))
        if number % _BLOCK == 0:
            yield lines.take()
    yield lines.take()


def download(name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return the answer that downloads a CSV file.

    :param name: the file's name without its extension; other characters than letters, digits and hyphens become hyphens
    """
    file_name = re.sub(r"[^a-z0-9]{1,99}", "-", name.lower(), flags=re.ASCII).strip("-") or "list"
    response = StreamingHttpResponse(stream(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}.csv"'
    return response
