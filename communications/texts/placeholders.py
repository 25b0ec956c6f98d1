"""Placeholders such as ``{{debtor_first_name}}``: an allow-list, not a template language.

Only the names in ``placeholders.toml`` are replaced, and a value that was filled in is not evaluated again. A placeholder may
give words for a missing value: ``{{debt_due_date|"as agreed"}}``. The words are plain text, and are escaped in HTML like values.
"""

import html
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agency import profile
from ddc.common.errors import DomainError

_OPENING = re.compile(r"\{\{")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*(?:\|\s*\"([^\"{}\x00-\x1f\x7f]*)\"\s*)?\}\}", re.ASCII)
_SHOWN_LENGTH = 60


@dataclass(frozen=True)
class Placeholder:
    """A name that templates may use, with its meaning, an example, and the number of characters of a long value."""

    name: str
    description: str
    example: str
    long: int


CATALOGUE = tuple(
    Placeholder(name, *entry)
    for name, entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
)
NAMES = frozenset(entry.name for entry in CATALOGUE)
EXAMPLES: Mapping[str, str] = {entry.name: entry.example for entry in CATALOGUE}


def of_agency() -> dict[str, str]:
    """Return the values of the agency's own placeholders."""
    agency = profile.current()
    return {f"agency_{part}": getattr(agency, part) for part in ("name", "address", "phone", "email")}


class BadPlaceholder(DomainError):
    """Double braces contain no known placeholder."""

    status = 422
    code = "placeholder"


def check(text: str, *, field: str) -> None:
    """Check the placeholders of a template's text. A stray ``}}`` is plain text.

    :raises BadPlaceholder: if one is unknown, malformed or not closed; the message names the first
    """
    for opening in _OPENING.finditer(text):
        match = _PLACEHOLDER.match(text, opening.start())
        if match is None:
            raise BadPlaceholder(_describe(text[opening.start() :]), field=field)
        if match[1] not in NAMES:
            raise BadPlaceholder(
                f"Unknown placeholder {{{{{match[1][:_SHOWN_LENGTH]}}}}}. Use one from the list of placeholders.",
                field=field,
            )


def _describe(rest: str) -> str:
    closing = rest.find("}}")
    if closing < 0:
        return f'The placeholder "{rest[:_SHOWN_LENGTH]}" is not closed. Add "}}}}" after its name.'
    return (
        f'"{rest[: min(closing + 2, _SHOWN_LENGTH)]}" is not a placeholder. Put only a name between the braces, or a name '
        'with words for a missing value: {{debt_due_date|"as agreed"}}.'
    )


def render(text: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Replace the placeholders by their values in one pass; ``escape`` the values in HTML.

    A placeholder without a value is replaced by the words that it gives, or by nothing; ``check`` has refused unknown names.
    """

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        found = found if found.strip() else match[2] or ""
        return html.escape(found) if escape else found

    return _PLACEHOLDER.sub(value, text)


def used(*texts: str | None) -> frozenset[str]:
    """Return the names of the placeholders in the texts."""
    return frozenset(match[1] for match in _all(texts))


def missing(values: Mapping[str, str], *texts: str | None) -> list[str]:
    """Return the names of the placeholders that have neither a value nor words in its stead, in the order of the texts."""
    found = (match[1] for match in _all(texts) if match[2] is None and not values.get(match[1], "").strip())
    return list(dict.fromkeys(found))


def _all(texts: Iterable[str | None]) -> Iterator[re.Match[str]]:
    return (match for text in texts if text for match in _PLACEHOLDER.finditer(text))
