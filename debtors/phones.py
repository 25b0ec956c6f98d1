"""Normal form of phone numbers: E.164, from any form that people enter."""

import re

import phonenumbers
from django.conf import settings

from ddc.common.bounded_cache import bounded_cache
from ddc.common.errors import Invalid

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MAX_INPUT_LENGTH = 40


class InvalidPhone(Invalid):
    """The text is not a phone number of the debtor's country."""

    code = "regex"
    message = "This is not a valid phone number. Use the international form, such as +447700900123."


def normalise(text: str, country_code: str | None, *, field: str = "mobile_phone") -> str:
    """Return the number in E.164.

    A number in that form is accepted unchanged, even if no numbering plan knows it, because clients rely on it. The error names
    ``field``.

    :raises InvalidPhone: if it is in another form and not valid for the country
    """
    if _E164.fullmatch(text):
        return text
    if len(text) <= _MAX_INPUT_LENGTH:
        number = _parse(text, country_code)
        if number and phonenumbers.is_valid_number(number) and not number.extension:
            return _e164(number)
    raise InvalidPhone(field=field)


def as_typed(text: str, *, field: str = "mobile_phone") -> str:
    """Return the number in E.164 that a person typed to sign in: ``+44 7400 …``, ``0044…``, ``44…``, or ``07400 …``.

    A national number is one of the agency's own country. A number with the right length for its country is accepted even if
    the numbering plan does not know it, because the only use of the result is to look for a debtor who has it.

    :raises InvalidPhone: if it cannot be a phone number
    """
    text = text.strip()
    if _E164.fullmatch(text):
        return text
    if len(text) <= _MAX_INPUT_LENGTH:
        international = "+" + text[2:] if text.startswith("00") else text
        digits = "+" + text.lstrip("+")
        forms = [(international, None)] if international.startswith("+") else []
        national = [] if forms else [(text, _agency_country())]
        for is_right, tried in (
            (phonenumbers.is_valid_number, [*forms, *national, (digits, None)]),
            (phonenumbers.is_possible_number, [*forms, *national]),
        ):
            for form, country in tried:
                if (number := _parse(form, country)) and is_right(number) and not number.extension:
                    return _e164(number)
    raise InvalidPhone(field=field)


def _agency_country() -> str | None:
    """Return the country of the agency's phone; None if that is not given in the international form."""
    for phone in (settings.AGENCY_PHONE, settings.TWILIO_FROM_NUMBER):
        if number := _parse(phone, None):
            return phonenumbers.region_code_for_number(number)
    return None


def _parse(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def canonical(phone: str) -> str:
    """Return the numbering plan's spelling of a number in E.164, such as +447400123456 for +4407400123456.

    Limits count and sign-ins compare by it. A number that no plan can parse is returned unchanged.
    """
    number = _parse(phone, None)
    return _e164(number) if number else phone


@bounded_cache(65_536, longest=_MAX_INPUT_LENGTH)
def is_known(phone: str) -> bool:
    """Return whether a numbering plan knows the number."""
    number = _parse(phone, None)
    return number is not None and phonenumbers.is_valid_number(number)
