"""The alphabet of a text message, and its parts.

A text in the GSM 7-bit alphabet (3GPP TS 23.038) has 160 characters in one part, any other text 70. Networks charge each part.
"""

# ruff: noqa: RUF001 - these characters are the subject.

import unicodedata
from dataclasses import dataclass

GSM_7, UCS_2 = "GSM-7", "UCS-2"

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: They take two places each.
_EXTENDED = frozenset("^{}\\[~]|€\f")
_SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
#: Without a shape of their own: soft hyphen, zero-width characters, marks and isolates of direction, byte order mark.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff"
#: Typographic characters with an equivalent that means the same. Letters are not among them: a name keeps its spelling.
_EQUIVALENTS = str.maketrans({
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u2028\u2029", "\n"),
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_INVISIBLE, ""),
    "‹": "<", "›": ">", "…": "...",
})  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The alphabet of a text message, and the number of parts in which networks carry and charge it."""

    alphabet: str
    segments: int


def in_cheap_alphabet(text: str) -> str:
    """Replace typographic characters if that makes the text fit the GSM 7-bit alphabet; otherwise return it as it is.

    Quotes, dashes, ellipses and unusual spaces become their plain equivalents. No letter is replaced by another.
    """
    plain = unicodedata.normalize("NFC", text).translate(_EQUIVALENTS)
    return plain if _is_cheap(plain) else text


def parts(text: str) -> Parts:
    """Return the alphabet and the number of parts of a text as it is sent. No character is divided between two parts."""
    if _is_cheap(text):
        return Parts(GSM_7, _count([2 if character in _EXTENDED else 1 for character in text], 160, 153))
    return Parts(UCS_2, _count([2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67))


def _is_cheap(text: str) -> bool:
    return all(character in _BASIC or character in _EXTENDED for character in text)


def _count(places: list[int], alone: int, joined: int) -> int:
    """Count the parts of a text by the places that each character takes: one part, or several with a header in each."""
    if sum(places) <= alone:
        return 1
    segments, free = 1, joined
    for wanted in places:
        if wanted > free:
            segments, free = segments + 1, joined
        free -= wanted
    return segments
