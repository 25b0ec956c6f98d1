"""Which spellings are one name, and which are one reference."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddc.common import normal_forms

#: Marks of direction, a soft hyphen, a space without width, a byte order mark, a selector of a variant as PDFs have it.
INVISIBLE = "\u202a\u202c\u00ad\u200b\ufeff\ufe0d\u2060\u034f"
TEXTS = st.text(min_size=1, max_size=60) | st.text(
    "aAéÉßŒﬁ 01\u00a0\u2003'\u2019\u2010-.(" + INVISIBLE, min_size=1, max_size=60
)


@pytest.mark.parametrize(
    "spelling",
    [
        "Société Générale", "SOCIÉTÉ GÉNÉRALE", "Socie\u0301te\u0301 Ge\u0301ne\u0301rale", "societe generale",
        "  Société\u00a0 Générale ", "Société Générale.", "“Société Générale”", "(Société Générale)", "\uff33ociété Générale",
        f"Soci{INVISIBLE}été Générale\u200b",
    ],
)  # fmt: skip
def test_case_accents_spaces_forms_and_outer_punctuation_make_no_other_name(spelling: str):
    assert normal_forms.name(spelling) == "societe generale"


@pytest.mark.parametrize(
    ("one", "other"), [("O'Brien", "O\u2019Brien"), ("Jean-Luc", "Jean\u2010Luc"), ("Ann\u00a0Lee", "ann  lee")]
)
def test_the_punctuation_of_word_processors_is_that_of_keyboards(one: str, other: str):
    assert normal_forms.name(one) == normal_forms.name(other)
    assert normal_forms.reference(one) == normal_forms.reference(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Energy Ltd", "Acme Energy"), ("AT&T", "ATT"), ("A-B Bank", "AB Bank"), ("Acme 1", "Acme 2"), ("C++", "C"),
        ("かき", "がき"), ("Straße", "Strase"),
    ],
)  # fmt: skip
def test_other_differences_make_another_name(one: str, other: str):
    assert normal_forms.name(one) != normal_forms.name(other)


def test_a_name_of_punctuation_only_keeps_it():
    assert (normal_forms.name(" ?! "), normal_forms.name("...")) == ("?!", "...")


def test_letters_that_fold_to_several_are_one():
    assert normal_forms.name("Straße") == normal_forms.name("STRASSE")
    assert normal_forms.name("İstanbul Enerji") == normal_forms.name("istanbul enerji")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I\u015f\u0131k Bankas\u0131", "IŞIK BANKASI"),
        ("Łukasz", "LUKASZ"),
        ("Đorđe Ilić", "Dorde Ilic"),
        ("Sørensen", "SØRENSEN"),
    ],
)
def test_capitals_without_a_dot_and_letters_without_their_stroke_make_no_other_name(one: str, other: str):
    assert normal_forms.name(one) == normal_forms.name(other)
    assert normal_forms.name(one).isascii()


@pytest.mark.parametrize(
    "spelling", ["INV-1 É", "inv-1 é", " INV-1\u00a0 É ", "INV-1 E\u0301", "\uff29NV\u20131 É", "INV\u200b-1 É\ufe0d"]
)
def test_case_spaces_and_forms_make_no_other_reference(spelling: str):
    assert normal_forms.reference(spelling) == "inv-1 é"


@pytest.mark.parametrize(("one", "other"), [("A-1", "A1"), ("A 1", "A1"), ("(1)", "1"), ("É1", "E1"), ("01", "1")])
def test_other_differences_make_another_reference(one: str, other: str):
    assert normal_forms.reference(one) != normal_forms.reference(other)


def test_leading_zeros_are_left_out_to_find_what_a_spreadsheet_changed():
    forms = {normal_forms.reference_without_zeros(text) for text in ("000123", "123", " 0123 ")}
    assert forms == {"123"}
    assert normal_forms.reference_without_zeros("000") == normal_forms.reference_without_zeros("0") == "0"
    assert normal_forms.reference_without_zeros("1020") == "1020"
    assert normal_forms.reference_without_zeros("\u200b") == ""


@pytest.mark.parametrize("form", [normal_forms.name, normal_forms.reference, normal_forms.reference_without_zeros])
@given(text=TEXTS)
def test_a_form_is_its_own_form(form, text: str):
    found = form(text)
    assert form(found) == found


@pytest.mark.parametrize("form", [normal_forms.name, normal_forms.reference])
@given(text=TEXTS, at=st.integers(0, 60), invisible=st.sampled_from(INVISIBLE))
def test_neither_the_unicode_form_nor_spaces_nor_invisible_characters_change_a_form(
    form, text: str, at: int, invisible: str
):
    expected = form(text)
    for changed in (
        unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), f" {text}\u00a0",
        text[:at] + invisible + text[at:], text.replace(" ", "\u2003 "),
    ):  # fmt: skip
        assert form(changed) == expected, changed


@pytest.mark.parametrize("form", [normal_forms.name, normal_forms.reference])
@given(text=st.text(min_size=1, max_size=255))
def test_a_form_fits_its_column(form, text: str):
    assert len(form(text)) <= normal_forms.MAX_LENGTH
