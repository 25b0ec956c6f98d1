"""Mask what a log must not show: addresses, phone numbers, one-time codes, tokens, and rows that PostgreSQL quotes.

Our own log calls contain only ids. Masking is for text from providers, exceptions and libraries. A stranger can choose that text
and its length, so it is shortened first, and no pattern costs more than linear time.
"""

import re
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings

#: A request id of a proxy. ``tracing`` accepts a text that has entirely this form.
_PROXYS_ID = r"[0-9a-f]{32}"
_PARTS = (
    ("quoted", r"^(?:DETAIL|CONTEXT|LINE \d+): .*$|Failing row contains .*"),
    ("mail", r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    ("token", r"\beyJ[\w.-]+|\bddc_[\w-]{20,}|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+"),
    ("query", r"(?<=[\w/])\?[^\s'\"<>]+"),
    # After the scheme: the user and the password in a server's URL.
    ("password", r"(?<=://)[^\s/@'\"]+(?=@)"),
    # Looks random: long, with lower-case and upper-case letters and digits.
    ("random", r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}"),
    # Also random, and not one of our ids, which have hyphens.
    ("hex", rf"(?<![A-Za-z0-9])(?!\A{_PROXYS_ID}\Z)[0-9a-f]{{32,}}(?![A-Za-z0-9])"),
    # International, or seven or more digits in a row, unless they are a date or part of a UUID.
    (
        "phone",
        r"(?:\+|%2B)\d(?:[ ().-]{0,2}\d){6,14}|(?<![\w.-])(?!\d{4}-\d\d-\d\d\b)\d(?:[ ().-]{0,2}\d){8,14}(?![\w-])",
    ),
)
_PATTERN = re.compile("|".join(f"(?P<{name}>{part})" for name, part in _PARTS), re.MULTILINE)
#: Without underscores, because the API's names are camelCase and those of columns are not.
_SECRET_NAMES = {
    "password", "passwd", "otp", "otpcode", "code", "token", "access", "refresh", "authorization", "cookie", "secret",
    "mobilephone", "phone", "email", "address", "addressline1", "addressline2", "city", "postalcode", "dob", "firstname",
    "lastname", "name", "search", "body", "subject", "html",
}  # fmt: skip
#: Fields that our code or structlog itself writes.
_PLAIN = frozenset({"timestamp", "level", "logger", "method", "path", "request_id", "status", "ms", "agent"})
MASK = "•••"
#: The characters of a long text that a log shows: of its beginning, and of its end, where a traceback has the error.
_SHOWN_START, _SHOWN_END = 2_000, 4_000
_CUT = " … [shortened] … "


def mask(text: str) -> str:
    """Return the text, shortened, with the parts masked that a log must not show."""
    masked = _PATTERN.sub(lambda found: f"[{found.lastgroup}]", _shortened(text))
    return re.sub(rf"(?<![\w-])\d{{{settings.OTP_LENGTH}}}(?![\w-])", "[code]", masked)


def processor(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask a log entry: values by their names, and parts of every text."""
    for name, value in event.items():
        if name not in _PLAIN:
            event[name] = MASK if _is_secret(name) else _masked(value)
    return event


def _shortened(text: str) -> str:
    """Leave out the middle of a long text, cut so that no part of a masked address, number or quoted row remains.

    The start ends at a space and before a phone number; the end starts with a line.
    """
    if len(text) <= _SHOWN_START + _SHOWN_END:
        return text
    start, _, _ = text[:_SHOWN_START].rpartition(" ")
    _, _, end = text[-_SHOWN_END:].partition("\n")
    return start.rstrip("+0123456789 ().-") + _CUT + end


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
