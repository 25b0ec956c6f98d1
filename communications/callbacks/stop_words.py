"""What a reply asks for: no more messages, messages again, or that it is not the debtor's address (``stop_words.toml``).

Debtors write in whole sentences, with typos, in their own language. A request to stop is obeyed in doubt.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

#: A request stands at the beginning of a text. More words would only cost time.
_MAX_WORDS, _MAX_CHARACTERS = 120, 2_000
#: A word of so many letters may have one wrong letter: as a word of a phrase, and as a keyword that stands for itself.
_LONG_WORD, _LONG_KEYWORD = 5, 6
_ARABIC = {
    "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
    "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER YEH}",
    "\N{ARABIC TATWEEL}": None,
}
#: Letters that people write for one another, after accents are removed.
_SAME_LETTERS = str.maketrans({"ł": "l", "ø": "o", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "ß": "ss", **_ARABIC})
_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Wish:
    """What a reply asks for. ``doubtful``: it may not mean the stop that it seems to ask for, so an agent should look."""

    stop: bool = False
    doubtful: bool = False
    start: bool = False
    wrong_person: bool = False
    help: bool = False


def read(text: str) -> Wish:
    """Return what a text asks for, without the quoted text of a mail."""
    text = text[:_MAX_CHARACTERS]
    words = _words(text)
    if not words:
        return Wish()
    whole, core = _joined(words), _joined(_core(words))
    wrong_person = _has_phrase(words, "wrong_person")
    if whole in _START:
        return Wish(start=True)
    if whole in _HELP:
        return Wish(help=True)
    if _is_keyword(whole) or _is_keyword(core) or _has_phrase(words, "phrases"):
        return Wish(stop=True, wrong_person=wrong_person)
    begins = words[0] in _WORDS["beginnings"] or _meant(words[0]) in _WORDS["beginnings"]
    alone = any(_is_keyword(_joined(_core(sentence))) for sentence in _sentences(text))
    in_capitals = bool(re.search(r"\bSTOP\b", text))
    stop = begins or alone or in_capitals
    return Wish(stop=stop, doubtful=stop, wrong_person=wrong_person)


def keyword(text: str) -> str | None:
    """Return ``stop`` or ``start`` if the text opts out or in, else None."""
    wish = read(text)
    return "stop" if wish.stop else "start" if wish.start else None


def _plain(text: str) -> str:
    """Convert to lower case without accents, in the letters by which words are compared."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_SAME_LETTERS)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", _plain(text))[:_MAX_WORDS]


def _joined(words: Iterable[str]) -> str:
    return " ".join(words)


def _core(words: list[str]) -> list[str]:
    """Return the words without the polite ones around them."""
    first, last = 0, len(words)
    while first < last and words[first] in _FILLERS:
        first += 1
    while last > first and words[last - 1] in _FILLERS:
        last -= 1
    return words[first:last]


def _sentences(text: str) -> Iterator[list[str]]:
    for sentence in re.split(r"[.!?;\n،؟]", text):
        if words := _words(sentence):
            yield words


def _is_keyword(text: str) -> bool:
    return text in _STOP or text.replace(" ", "") in _STOP or _meant(text) in _STOP


@cache
def _typos() -> dict[str, str]:
    return {typo: word for word, typos in _WORDS["typos"].items() for typo in typos}


def _meant(word: str) -> str | None:
    """Return the keyword that a misspelled word stands for."""
    if word in _typos():
        return _typos()[word]
    if " " in word or not _LONG_KEYWORD <= len(word) <= _LONGEST + 1:
        return None
    return next((known for known in _STOP if len(known) >= _LONG_KEYWORD and _differ_by_one(word, known)), None)


def _has_phrase(words: list[str], kind: str) -> bool:
    """Return whether a phrase stands in the text, each of its words perhaps with a typo, or polite words between them."""
    return _stands_in(words, kind) or _stands_in([word for word in words if word not in _FILLERS], kind)


def _stands_in(words: list[str], kind: str) -> bool:
    phrases, vocabulary = _phrases(kind)
    forms = {word: _forms(word, vocabulary) for word in set(words)}
    return any(
        len(words) - start >= len(phrase) and all(part in forms[words[start + n]] for n, part in enumerate(phrase))
        for start, word in enumerate(words)
        for form in forms[word]
        for phrase in phrases.get(form, ())
    )


@cache
def _phrases(kind: str) -> tuple[dict[str, list[tuple[str, ...]]], frozenset[str]]:
    """Return the phrases of a kind by their first word, and all words in them."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for phrase in chain(*_WORDS[kind].values()):
        parts = tuple(_words(phrase))
        by_first.setdefault(parts[0], []).append(parts)
    return by_first, frozenset(part for phrases in by_first.values() for parts in phrases for part in parts)


def _forms(word: str, vocabulary: frozenset[str]) -> set[str]:
    """Return the words of phrases that a word may stand for."""
    found = {word, _typos().get(word, word)} & vocabulary
    if _LONG_WORD <= len(word) <= _LONGEST + 1:
        found |= {known for known in vocabulary if len(known) >= _LONG_WORD and _differ_by_one(word, known)}
    return found


def _differ_by_one(first: str, second: str) -> bool:
    """Return whether one letter is wrong, missing or too much, or two neighbours are swapped."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return first == second
    start = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    rest, other = first[start:], second[start:]
    swapped = rest[:2] == other[:2][::-1] and rest[2:] == other[2:]
    return swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]


_STOP = frozenset(_joined(_words(word)) for word in chain(*_WORDS["stop"].values()))
_START = frozenset(_joined(_words(word)) for word in _WORDS["start"])
_HELP = frozenset(_joined(_words(word)) for word in _WORDS["help"])
_FILLERS = frozenset(chain(*(_words(word) for word in _WORDS["fillers"]["words"])))
_LONGEST = 20
