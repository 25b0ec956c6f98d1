"""Normal forms of names and references: texts with the same form are the same name, or the same reference.

``debtors.phones.normal_form`` and ``debtors.emails.normal_form`` are those of phones and e-mail addresses. docs/identity.md lists
what is compared by which.
"""

import re
import unicodedata

from ddc.common.bounded_cache import bounded_cache

#: The greatest length of a form. Unicode expands some letters, so a form may be longer than its text.
MAX_LENGTH = 255
_ACCENTS = re.compile("[\u0300-\u036f]")
#: Soft hyphens, joiners, fillers, marks of direction, byte-order marks, and selectors of a glyph's variant.
INVISIBLE = "".join(
    chr(code)
    for first, last in (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
        (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    )
    for code in range(first, last + 1)
)  # fmt: skip
_REMOVED = dict.fromkeys([*map(ord, INVISIBLE), *range(0xE0100, 0xE01F0)])
#: Spaces other than that of keyboards.
SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
#: Letters that Unicode does not decompose. Turkish capitals of \u0131 are I, and systems without these letters drop the strokes.
_STROKES = str.maketrans({"\u0131": "i", "\u0142": "l", "\u0111": "d", "\u00f8": "o"})
# Word processors put these in the place of the characters on keyboards.
_TYPOGRAPHY = str.maketrans({
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07`\u00b4", "'"),
})  # fmt: skip


def visible(text: str) -> str:
    """Return the text without invisible characters."""
    return text if text.isascii() else text.translate(_REMOVED)


@bounded_cache(1_000, longest=MAX_LENGTH)
def name(text: str) -> str:
    """Return the form of a person's or a company's name.

    It has no case, accents, strokes through letters, repeated spaces, invisible characters, and no spaces or punctuation at its
    ends. Only accents of Latin, Greek and Cyrillic letters are dropped: marks of other scripts distinguish words.
    """
    words = " ".join(unicodedata.normalize("NFKC", _ACCENTS.sub("", _folded(text)).translate(_STROKES)).split())
    start, end = 0, len(words)
    while start < end and _is_edge(words[start]):
        start += 1
    while end > start and _is_edge(words[end - 1]):
        end -= 1
    return (words[start:end] or words)[:MAX_LENGTH]


def reference(text: str) -> str:
    """Return the form of a creditor's reference: without case, outer and repeated spaces, and invisible characters."""
    return " ".join(unicodedata.normalize("NFKC", _folded(text)).split())[:MAX_LENGTH].rstrip()


def reference_without_zeros(text: str) -> str:
    """Return the form of a reference without leading zeros, which spreadsheets drop: ``000123`` and ``123`` have the same."""
    form = reference(text)
    return form.lstrip("0 ") or form[-1:]


def _folded(text: str) -> str:
    """Return the text decomposed, without case and invisible characters, with the punctuation of keyboards."""
    decomposed = unicodedata.normalize("NFKD", visible(text).translate(_TYPOGRAPHY))
    return unicodedata.normalize("NFKD", decomposed.casefold()).translate(_TYPOGRAPHY)


def _is_edge(character: str) -> bool:
    return character.isspace() or unicodedata.category(character).startswith("P")
