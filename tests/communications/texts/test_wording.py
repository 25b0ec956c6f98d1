"""The product's own texts: every language has every text, with the same placeholders."""

import re
from dataclasses import asdict

import pytest

from communications.texts import placeholders, wording
from communications.texts.wording import WORDING

LANGUAGES = ("ar", "de", "en", "es", "fr", "he", "it", "nl", "pl", "pt")


def test_there_are_ten_languages():
    assert tuple(sorted(WORDING)) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_placeholders(language):
    for name, text in asdict(WORDING[language]).items():
        english = getattr(WORDING["en"], name)
        assert text.strip()
        assert sorted(re.findall(r"\{+\w+\}+", text)) == sorted(re.findall(r"\{+\w+\}+", english)), name
        assert (text == english) == (language == "en"), name
        placeholders.check(text, field=name)


@pytest.mark.parametrize(
    ("tag", "language"), [("de", "de"), ("fr-CA", "fr-CA"), ("DE-at", "DE-at"), ("sv", "en"), ("", "en"), (None, "en")]
)
def test_a_language_without_texts_gets_english(tag, language):
    found, found_language = wording.in_language(tag)
    assert found_language == language
    assert found == WORDING[language.split("-")[0].lower()]
