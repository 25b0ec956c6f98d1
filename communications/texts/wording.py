"""The product's own texts to debtors (``wording.toml``), in ten languages. All other texts are templates of the agency."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FALLBACK = "en"


@dataclass(frozen=True)
class Wording:
    """The texts in one language."""

    unsubscribe_line: str
    stop_line: str
    opted_out: str
    call_greeting: str
    call_repeat: str
    call_opted_out: str
    voicemail: str


WORDING = {
    language: Wording(**texts)
    for language, texts in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
}


def in_language(tag: str | None) -> tuple[Wording, str]:
    """Return the texts for a language tag such as ``fr-CA``, and the tag of their language: English if there are none."""
    language = tag or FALLBACK
    base = language.split("-")[0].lower()
    return (WORDING[base], language) if base in WORDING else (WORDING[FALLBACK], FALLBACK)
