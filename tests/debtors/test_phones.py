"""The normal form of phone numbers."""

import pytest

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
        # E.164 stays as it is, even if no numbering plan knows the number.
        ("+999010000001", None, "+999010000001"),
        ("+12025550100", None, "+12025550100"),
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
    [("+447400123456", True), ("+12065550100", True), ("+999010000001", False), ("+44740012", False), ("x", False)],
)
def test_a_number_is_known_if_a_numbering_plan_has_it(phone: str, known: bool) -> None:
    assert phones.is_known(phone) is known
