"""Decode a placement file into lines: UTF-8, UTF-16 with its byte-order mark, or an encoding that the caller names."""

import codecs
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from ddc.common.errors import Invalid

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: How files that are no CSV begin, whatever their name ends in.
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook (xlsx) or another ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)"),
    (b"%PDF", "a PDF file"),
)


class BrokenFile(Invalid):
    """The file as a whole can't be read; no row was loaded."""

    code = "file"


class Lines:
    """The decoded lines of a file, with their ends. ``bytes_read`` grows while they are read."""

    def __init__(self, file: BinaryIO, *, encoding: str | None = None) -> None:
        """Find the encoding.

        :param encoding: a codec's name; by default the one of the byte-order mark, else UTF-8
        :raises BrokenFile: if this is a workbook or a PDF file
        """
        self.bytes_read = 0
        start = file.readline()
        self._raw_lines = chain([start], file)
        if other := next((name for begin, name in _OTHER_FILES if start.startswith(begin)), None):
            raise BrokenFile(f"This is {other}, not CSV. Save it in Excel as “CSV UTF-8”.")
        marked = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
        self.encoding = marked or encoding or "utf-8"

    def __iter__(self) -> Iterator[str]:
        """Yield the lines.

        :raises BrokenFile: if a line has another encoding or a NUL character
        """
        return self._wide_lines() if self.encoding.startswith("utf-16") else self._byte_lines()

    def _byte_lines(self) -> Iterator[str]:
        for number, raw in enumerate(self._raw_lines, start=1):
            self.bytes_read += len(raw)
            if b"\x00" in raw:
                why = ", as in UTF-16 without a byte-order mark" if number == 1 else ""
                raise BrokenFile(f"Line {number} has a NUL character{why}. Save the file as “CSV UTF-8”.")
            try:
                yield raw.decode(self.encoding if number == 1 else self.encoding.removesuffix("-sig"))
            except UnicodeDecodeError as error:
                raise self._misread(f"Line {number}") from error

    def _wide_lines(self) -> Iterator[str]:
        decoder, begun, number = codecs.getincrementaldecoder(self.encoding)(), "", 0
        for raw in chain(self._raw_lines, [b""]):
            self.bytes_read += len(raw)
            try:
                begun += decoder.decode(raw, final=not raw)
            except UnicodeError as error:
                raise self._misread(f"Line {number + 1}") from error
            *lines, begun = begun.split("\n")
            if not raw and begun:
                lines.append(begun)
            for line in lines:
                number += 1
                if "\x00" in line:
                    raise BrokenFile(f"Line {number} has a NUL character. Save the file as “CSV UTF-8”.")
                yield line + "\n"

    def _misread(self, subject: str) -> BrokenFile:
        name = self.encoding.removesuffix("-sig").upper()
        return BrokenFile(
            f"{subject} is not {name}. Save the file as “CSV UTF-8”, or name its encoding (--encoding windows-1252)."
        )
