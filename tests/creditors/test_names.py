"""Which spellings are one creditor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditors.names import MAX_LENGTH, normal_form


@pytest.mark.parametrize(
    "spelling",
    [
        "Société Générale", "SOCIÉTÉ GÉNÉRALE", "Socie\u0301te\u0301 Ge\u0301ne\u0301rale", "societe generale",
        "  Société\u00a0 Générale ", "Société Générale.", "“Société Générale”", "(Société Générale)", "\uff33ociété Générale",
    ],
)  # fmt: skip
def test_case_accents_spaces_forms_and_outer_punctuation_make_no_difference(spelling: str):
    assert normal_form(spelling) == "societe generale"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Energy Ltd", "Acme Energy"), ("AT&T", "ATT"), ("A-B Bank", "AB Bank"), ("Acme 1", "Acme 2"), ("C++", "C"),
        ("かき", "がき"), ("Straße", "Strase"),
    ],
)  # fmt: skip
def test_other_differences_make_another_creditor(one: str, other: str):
    assert normal_form(one) != normal_form(other)


def test_a_name_of_punctuation_only_keeps_it():
    assert (normal_form(" ?! "), normal_form("...")) == ("?!", "...")


def test_letters_that_fold_to_several_are_one():
    assert normal_form("Straße") == normal_form("STRASSE")
    assert normal_form("İstanbul Enerji") == normal_form("istanbul enerji")


@given(st.text(min_size=1, max_size=60))
def test_a_normal_form_is_its_own_normal_form_whatever_the_case(name: str):
    form = normal_form(name)
    if len(form) < MAX_LENGTH:
        assert normal_form(form) == form


@given(st.text(min_size=1, max_size=255))
def test_a_normal_form_fits_its_column(name: str):
    assert len(normal_form(name)) <= MAX_LENGTH
