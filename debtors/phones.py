"""Phone numbers: read in any form that people enter, and compared by the numbering plan.

A number in E.164 is stored and shown as it was given. ``normal_form`` is what all comparisons use, ``dialled`` what messages are
sent to.
"""

import re

import phonenumbers
from django.conf import settings

from agency import profile
from ddc.common.bounded_cache import bounded_cache
from ddc.common.errors import Invalid
from ddc.common.normal_forms import visible

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MAX_INPUT_LENGTH = 40
# Former spellings that the plans do not know any more, by country code, and the number that they stand for: Mexico's prefixes of
# mobiles and long distance, and Brazil's mobiles without the ninth digit. The result must be in the plan, and the spelling not.
_FORMER = {
    "52": (re.compile(r"(?:0?1|04[45])([0-9]{10})", re.ASCII), r"\1"),
    "55": (re.compile(r"([0-9]{2})([6-9][0-9]{7})", re.ASCII), r"\g<1>9\2"),
}
#: A country's trunk prefix may have been left in more than once.
_TRUNK_PREFIXES = 3
# Argentina's numbers of mobiles and landlines are taken from one series. The 9 is for calls from abroad; text messages lack it.
_ARGENTINE_MOBILE = re.compile(r"\+549([0-9]{10})", re.ASCII)


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
    text = visible(text)
    if _E164.fullmatch(text):
        return text
    if len(text) <= _MAX_INPUT_LENGTH:
        number = _parse(text, country_code)
        if number and phonenumbers.is_valid_number(number) and not number.extension:
            return _e164(number)
    raise InvalidPhone(field=field)


def as_typed(text: str, *, region: str | None = None, field: str = "mobile_phone") -> str:
    """Return the number in E.164 that a person typed to sign in: ``+44 7400 …``, ``0044…``, ``44…``, or ``07400 …``.

    A national number is one of ``region``, the country of the person's browser, or else of the agency's own country.
    A number with the right length for its country is accepted even if the numbering plan does not know it, because the only
    use of the result is to look for a debtor who has it.

    :raises InvalidPhone: if it cannot be a phone number
    """
    text = visible(text).strip()
    if _E164.fullmatch(text):
        return text
    if len(text) <= _MAX_INPUT_LENGTH:
        international = "+" + text[2:] if text.startswith("00") else text
        digits = "+" + text.lstrip("+")
        forms = [(international, None)] if international.startswith("+") else []
        national = [] if forms else [(text, country) for country in (region, _agency_country()) if country]
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
    for phone in (profile.current().phone, settings.TWILIO_FROM_NUMBER):
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


@bounded_cache(65_536, longest=_MAX_INPUT_LENGTH)
def dialled(phone: str) -> str:
    """Return the number in E.164 as the numbering plan spells it, such as +447400123456 for +4407400123456.

    A text that no plan can parse is returned without invisible characters and spaces around it.
    """
    spelled = visible(phone).strip()
    for _ in range(_TRUNK_PREFIXES):
        number = _parse(spelled, None)
        if number is None or _e164(number) == spelled:
            break
        spelled = _e164(number)
    return _present(spelled, str(number.country_code)) if number else spelled


def _present(phone: str, country_code: str) -> str:
    """Return what the number is today, if the plan knows it only by a former spelling."""
    pattern, replacement = _FORMER.get(country_code, (None, ""))
    former = pattern.fullmatch(phone, len(country_code) + 1) if pattern else None
    if former is None or is_known(phone):
        return phone
    present = f"+{country_code}{former.expand(replacement)}"
    return present if is_known(present) else phone


def normal_form(phone: str) -> str:
    """Return what the spellings of one number in E.164 have in common. It is for comparisons, and not always for dialling."""
    plan = dialled(phone)
    return f"+54{mobile[1]}" if (mobile := _ARGENTINE_MOBILE.fullmatch(plan)) else plan


def spellings(normal: str) -> list[str]:
    """Return the spellings in which ``dialled`` returns a number, by its normal form."""
    return [normal, f"+549{normal[3:]}"] if normal.startswith("+54") else [normal]


@bounded_cache(65_536, longest=_MAX_INPUT_LENGTH)
def is_known(phone: str) -> bool:
    """Return whether a numbering plan knows the number as it is spelled."""
    number = _parse(phone, None)
    return number is not None and phonenumbers.is_valid_number(number) and _e164(number) == phone
