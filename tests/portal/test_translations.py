"""Every text of the debtors' pages is translated, and the page takes the right language."""

from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import translation

from ddc import translations
from ddc.common import page_language
from portal.pages import legal
from tests import factories
from tests.portal.conftest import Pages


def test_no_message_is_missing_fuzzy_or_out_of_date() -> None:
    """`make messages` updates the files, and lists what is left."""
    assert translations.problems() == []
    assert len(translations.extract()) > 250


def test_a_missing_a_fuzzy_and_a_spoilt_message_are_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    translations.update()
    (german,) = tmp_path.glob("de/**/*.po")
    text = german.read_text().replace('msgid "Pay"\nmsgstr ""', '#, fuzzy\nmsgid "Pay"\nmsgstr "Zahlen"')
    german.write_text(text.replace('msgid "Until %(day)s"\nmsgstr ""', 'msgid "Until %(day)s"\nmsgstr "Bis %(tag)s"'))

    found = translations.problems()

    assert "de: fuzzy: Pay" in found
    assert "de: other placeholders: Until %(day)s" in found
    assert "de: missing: Sign in" in found
    german.write_text(german.read_text().replace('msgid "Sign in"', 'msgid "Log in"'))
    assert {"de: not in the .po file: Sign in", "de: not in the sources: Log in"} <= set(translations.problems())


@pytest.mark.parametrize(
    ("chosen", "preferred", "browser", "expected"),
    [
        ("fr", "de", "es", "fr"),
        ("xx", "de-AT", "es", "de"),
        ("", "pl", "es-MX,en;q=0.5", "es"),
        ("", None, "pl,ar;q=0.8", "ar"),
        ("", None, "", "en"),
        ("", None, "*;q=x,%%", "en"),
    ],
)
def test_the_language_is_the_chosen_the_debtors_or_the_browsers(
    chosen: str, preferred: str | None, browser: str, expected: str
) -> None:
    request = RequestFactory().get("/portal", headers={"Accept-Language": browser})
    request.COOKIES[page_language.COOKIE] = chosen

    assert page_language.of(request, preferred) == expected


@pytest.mark.django_db
def test_pages_speak_the_debtors_language_and_the_switch_changes_it(browser: Pages) -> None:
    debtor = factories.debtor(language_preference="ar", country_code="EG")
    factories.debt(debtor=debtor)
    home = browser.visit(debtor).text("/portal")
    assert '<html lang="ar" dir="rtl">' in home
    assert "حسابك" in home

    answer = browser.send("/portal/language", shown="/portal", language="de", page="/portal/pay")
    assert answer["Location"] == "/portal/pay"
    assert '<html lang="de">' in browser.text("/portal/pay")
    assert (
        browser.send("/portal/language", shown="/portal", language="de", page="//evil.example")["Location"] == "/portal"
    )
    assert Pages().get("/portal/nothing", headers={"Accept-Language": "fr"}).content.decode().count("existe pas")


def test_a_legal_text_is_marked_until_a_person_has_reviewed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "(not reviewed)" in legal.text("missed")
    name = legal.fingerprint(str(legal.TEXTS["missed"]))
    monkeypatch.setattr(legal, "reviews", lambda: {"en": {name: "A. Kanzlei, 2026-12-01"}})

    assert "(not reviewed)" not in legal.text("missed")
    with translation.override("de"):
        assert "(nicht geprüft)" in legal.text("missed")
