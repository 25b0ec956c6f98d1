"""The words by which debtors opt out of text messages, or in again (``stop_words.toml``)."""

import re
import tomllib
import unicodedata
from itertools import chain
from pathlib import Path

_MAX_WORDS = 8
_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _plain(text: str) -> str:
    """Convert to lower case without accents, with one space in place of all else between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare)[:_MAX_WORDS])


_STOP, _START = frozenset(map(_plain, chain(*_WORDS["stop"].values()))), frozenset(map(_plain, _WORDS["start"]))


def keyword(text: str) -> str | None:
    """Return ``stop`` or ``start`` if the text opts out or in, else None."""
    words = _plain(text)
    if words in _STOP or words.replace(" ", "") in _STOP or words.split(" ")[0] in _WORDS["beginnings"]:
        return "stop"
    return "start" if words in _START else None
