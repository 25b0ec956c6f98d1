"""The normal form of a creditor's name, by which spellings of one creditor are recognised."""

import re
import unicodedata

from ddc.common.bounded_cache import bounded_cache

#: The length of the column for normal forms. Unicode expands some letters, so a form may be longer than its name.
MAX_LENGTH = 255
_ACCENTS = re.compile("[\u0300-\u036f]")


@bounded_cache(1_000, longest=MAX_LENGTH)
def normal_form(name: str) -> str:
    """Return a name without case, accents, repeated spaces, and spaces or punctuation at its ends.

    Only accents of Latin, Greek and Cyrillic letters are dropped: marks of other scripts distinguish words.
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold()))
    words = " ".join(unicodedata.normalize("NFKC", plain).split())
    start, end = 0, len(words)
    while start < end and _is_edge(words[start]):
        start += 1
    while end > start and _is_edge(words[end - 1]):
        end -= 1
    return (words[start:end] or words)[:MAX_LENGTH]


def _is_edge(character: str) -> bool:
    return character.isspace() or unicodedata.category(character).startswith("P")
