"""Phone numbers: read in any form, and compared by the numbering plan."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from debtors import phones


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+447400123456", None, "+447400123456"),
        ("07400 123456", "GB", "+447400123456"),
        ("+44 (0)7400 123456", None, "+447400123456"),
        ("+44 7400-123-456", "US", "+447400123456"),
        ("(206) 555-0100", "US", "+12065550100"),
        ("1-206-555-0100", "CA", "+12065550100"),
        ("001 206 555 0100", "DE", "+12065550100"),
        ("030 123456", "DE", "+4930123456"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("(11) 96123-4567", "BR", "+5511961234567"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("03-1234-5678", "JP", "+81312345678"),
        ("٠٧٤٠٠١٢٣٤٥٦", "GB", "+447400123456"),
        (" +447400123456\n", None, "+447400123456"),
        # Pasted from mails, web pages and PDFs.
        ("\u202a+447400123456\u202c", None, "+447400123456"),
        ("+44\u00ad7400\u200b123456\ufe0d", None, "+447400123456"),
        ("07400\ufe0d 123456", "GB", "+447400123456"),
        # E.164 stays as it is, even if no numbering plan knows the number.
        ("+999010000001", None, "+999010000001"),
        ("+12025550100", None, "+12025550100"),
        ("+22507123456", None, "+22507123456"),
    ],
)
def test_any_form_becomes_e164(text: str, country: str | None, number: str) -> None:
    assert phones.normalise(text, country) == number
    assert phones.normalise(number, country) == number, "the normal form is stable"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("", "GB"),
        ("call me", "GB"),
        ("12", "GB"),
        ("07400 123456", None),
        ("07400 123456", "XX"),
        ("(206) 555-0100 ext. 12", "US"),
        ("+44 7400 12345", None),
        ("+1234", None),
        ("+0447400123456", None),
        ("+4474001234567890", None),
        ("07400 123456" + " " * 40, "GB"),
    ],
)
def test_other_texts_are_refused_at_the_field(text: str, country: str | None) -> None:
    with pytest.raises(phones.InvalidPhone) as refusal:
        phones.normalise(text, country, field="number")
    assert (refusal.value.field, refusal.value.status, refusal.value.code) == ("number", 422, "regex")


@pytest.mark.parametrize(
    ("phone", "known"),
    [
        ("+447400123456", True),
        ("+12065550100", True),
        ("+5491123456789", True),
        ("+390612345678", True),
        ("+999010000001", False),
        ("+44740012", False),
        ("x", False),
        # Known to the plan, but not in this spelling.
        ("+4407400123456", False),
        ("+4901761234567", False),
        ("+5215512345678", False),
        ("+54111523456789", False),
        ("+22507123456", False),  # Ivory Coast's eight digits of before 2021.
    ],
)
def test_a_number_is_known_if_a_numbering_plan_has_it(phone: str, known: bool) -> None:
    assert phones.is_known(phone) is known


#: Lists of spellings of one number.
SPELLINGS = [
    ("+525512345678", "+5215512345678", "+52015512345678", "+520445512345678", "+520455512345678"),
    ("+541123456789", "+5491123456789", "+54111523456789", "+5401123456789", "+54011 15 2345 6789"),
    ("+5511981234567", "+551181234567", "+55011981234567"),
    ("+447400123456", "+4407400123456", "+44007400123456", "+44\u200b7400123456\ufe0d", " +447400123456 "),
    ("+491761234567", "+4901761234567"),
    ("+390612345678",),  # Italy's zero belongs to the number.
    ("+36701234567", "+3606701234567"),
    ("+79161234567", "+789161234567"),
    ("+551131234567",),  # A landline of São Paulo: it has eight digits today.
    ("+1234567890",), ("+999010000001",), ("AGENCY",), ("12345",),
]  # fmt: skip


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda some: some[0])
def test_spellings_of_one_number_have_one_normal_form(spellings: tuple[str, ...]) -> None:
    assert {phones.normal_form(spelling) for spelling in spellings} == {spellings[0]}


def test_no_two_numbers_have_one_normal_form() -> None:
    assert len({phones.normal_form(some[0]) for some in SPELLINGS}) == len(SPELLINGS)


@pytest.mark.parametrize(
    ("phone", "dialled"),
    [
        ("+4407400123456", "+447400123456"), ("+5215512345678", "+525512345678"), ("+551181234567", "+5511981234567"),
        # In Argentina calls and texts need different spellings, so the one that was given is dialled.
        ("+5491123456789", "+5491123456789"), ("+541123456789", "+541123456789"), ("+1234567890", "+1234567890"),
    ],
)  # fmt: skip
def test_a_former_or_wrong_spelling_is_not_dialled(phone: str, dialled: str) -> None:
    assert phones.dialled(phone) == dialled


E164 = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z") | st.builds(
    "+{}{}".format,
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    st.from_regex(r"\A0?[0-9]{6,11}\Z"),
)


@given(E164)
@example("+550118123456789")
def test_a_normal_form_is_its_own_and_may_be_stored(phone: str) -> None:
    form = phones.normal_form(phone)
    assert phones.normal_form(form) == form
    assert phones.normal_form(phones.dialled(phone)) == form
    assert len(form) <= 17


@given(E164)
def test_what_the_plan_knows_is_dialled_as_it_is_spelled(phone: str) -> None:
    if phones.is_known(phone):
        assert phones.dialled(phone) == phone
