"""What must not be read in a log: addresses, phone numbers, one-time codes, tokens, and the rows that PostgreSQL quotes.

The log's own calls name ids alone. This is for words that come from elsewhere: providers, exceptions, libraries.
"""

import re
from collections.abc import MutableMapping
from functools import cache
from typing import Any

from django.conf import settings

#: A proxy's id of a request: a whole text of that form, which ``tracing`` asks about, may be one.
_PROXYS_ID = r"[0-9a-f]{32}"
_PARTS = (
    ("quoted", r"^(?:DETAIL|CONTEXT|LINE \d+): .*$|Failing row contains .*"),
    ("mail", r"[\w.!#$%&'*+/=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    ("token", r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bddc_[\w-]{20,}|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+"),
    ("query", r"(?<=[\w/])\?[^\s'\"<>]+"),
    # After the scheme: a password in the address of a server.
    ("password", r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]+(?=@)"),
    # Random by its looks: long, with small and capital letters and digits.
    ("random", r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}"),
    # Random as well, and no id of ours: those have hyphens.
    ("hex", rf"(?<![A-Za-z0-9])(?!\A{_PROXYS_ID}\Z)[0-9a-f]{{32,}}(?![A-Za-z0-9])"),
    # International, or seven digits and more in a row; dates and the parts of a UUID are neither.
    (
        "phone",
        r"(?:\+|%2B)\d(?:[ ().-]{0,2}\d){6,14}|(?<![\w.-])(?!\d{4}-\d\d-\d\d\b)\d(?:[ ().-]{0,2}\d){8,14}(?![\w-])",
    ),
    ("code", r"(?<![\w-])\d{%(code)s}(?![\w-])"),
)
#: Without what joins the words, for the API's names are camelCase and the columns' are not.
_SECRET_NAMES = {
    "password", "passwd", "otp", "otpcode", "code", "token", "access", "refresh", "authorization", "cookie", "secret",
    "mobilephone", "phone", "email", "address", "addressline1", "addressline2", "city", "postalcode", "dob", "firstname",
    "lastname", "name", "search", "body", "subject", "html",
}  # fmt: skip
#: Written by our own code or the log itself.
_PLAIN = frozenset({"timestamp", "level", "logger", "method", "path", "request_id", "status", "ms", "agent"})
MASK = "•••"


def mask(text: str) -> str:
    """Return the text without what a log must not show."""
    return _pattern(settings.OTP_LENGTH).sub(lambda found: f"[{found.lastgroup}]", text)


def processor(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask a log entry: by the name of a value, and in every text."""
    for name, value in event.items():
        if name not in _PLAIN:
            event[name] = MASK if _is_secret(name) else _masked(value)
    return event


def _is_secret(name: Any) -> bool:
    return str(name).lower().replace("_", "").replace("-", "") in _SECRET_NAMES


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key) else _masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    text = value if isinstance(value, str) else str(value)
    return MASK if re.fullmatch(_PROXYS_ID, text) else mask(text)


@cache
def _pattern(code_length: int) -> re.Pattern[str]:
    parts = (f"(?P<{name}>{part.replace('%(code)s', str(code_length))})" for name, part in _PARTS)
    return re.compile("|".join(parts), re.MULTILINE)
