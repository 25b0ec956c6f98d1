"""Read JSON bodies with exact decimals, and refuse text that cannot be stored."""

import json
import re
import urllib.parse
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Half a surrogate pair in UTF-8. Django decodes it as three replacement characters.
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")


class ExactJSONParser(BaseParser):
    """JSON with exact decimals instead of floats, without ``NaN``, and of limited depth."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = json.loads(stream.read().decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        check_storable(data)
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text: it has no NUL and no lone surrogate."""
    return not _UNSTORABLE.search(text)


def has_surrogate(query: str) -> bool:
    """Return whether a query string contains half a surrogate pair."""
    return bool(_SURROGATE.search(urllib.parse.unquote_to_bytes(query.encode("latin-1", "replace"))))


def check_storable(data: object, path: tuple[str, ...] = ()) -> None:
    """Refuse text that PostgreSQL cannot store, and nesting deeper than MAX_DEPTH.

    :raises ParseError: if it is nested too deep
    :raises ValidationError: naming the path of the text
    """
    if len(path) > MAX_DEPTH:
        raise ParseError(f"The body is nested deeper than {MAX_DEPTH}.")
    if isinstance(data, str) and not is_storable(data):
        raise _unstorable(path)
    if isinstance(data, dict):
        if not all(map(is_storable, data)):
            raise _unstorable(path)
        for key, item in data.items():
            check_storable(item, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            check_storable(item, (*path, str(index)))


def _unstorable(path: tuple[str, ...]) -> ValidationError:
    detail: Any = [
        ErrorDetail("This text has characters that cannot be stored (NUL or half a surrogate pair).", "regex")
    ]
    for key in reversed(path or ("non_field_errors",)):
        detail = {key: detail}
    return ValidationError(detail)
