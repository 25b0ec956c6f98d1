"""What must not be read in a log: addresses, phone numbers, one-time codes, tokens, and the rows that PostgreSQL quotes.

The log's own calls name ids alone. This is for words that come from elsewhere: providers, exceptions, libraries.
"""

import re
from collections.abc import MutableMapping
from functools import cache
from typing import Any

from django.conf import settings

_PARTS = (
    ("quoted", r"^(?:DETAIL|CONTEXT|LINE \d+): .*$|Failing row contains .*"),
    ("mail", r"[\w.!#$%&'*+/=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    ("token", r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bddc_[\w-]{20,}|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+"),
    ("query", r"(?<=[\w/])\?[^\s'\"<>]+"),
    # After the scheme: a password in the address of a server.
    ("password", r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]+(?=@)"),
    # Random by its looks: long, with small and capital letters and digits.
    ("random", r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}"),
    # International, or seven digits and more in a row; dates and the parts of a UUID are neither.
    (
        "phone",
        r"(?:\+|%2B)\d(?:[ ().-]{0,2}\d){6,14}|(?<![\w.-])(?!\d{4}-\d\d-\d\d\b)\d(?:[ ().-]{0,2}\d){8,14}(?![\w-])",
    ),
    ("code", r"(?<![\w-])\d{%(code)s}(?![\w-])"),
)
_SECRET_NAMES = {
    "password", "passwd", "otp", "otp_code", "otpcode", "code", "token", "access", "refresh", "authorization", "cookie",
    "secret", "mobile_phone", "mobilephone", "phone", "email", "address", "first_name", "last_name", "name", "search",
    "body", "subject", "html",
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
            event[name] = MASK if name.lower() in _SECRET_NAMES else _masked(value)
    return event


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: MASK if str(key).lower() in _SECRET_NAMES else _masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    return mask(value if isinstance(value, str) else str(value))


@cache
def _pattern(code_length: int) -> re.Pattern[str]:
    parts = (f"(?P<{name}>{part.replace('%(code)s', str(code_length))})" for name, part in _PARTS)
    return re.compile("|".join(parts), re.MULTILINE)
