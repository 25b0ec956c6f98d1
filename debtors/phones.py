"""Phone numbers: E.164 inside, whatever people type outside."""

import re
from functools import lru_cache

import phonenumbers

from ddc.common.errors import DomainError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_INPUT = 40


class NotAPhone(DomainError):
    """What was given is no phone number that the debtor's country knows."""

    status = 422
    code = "regex"
    field = "mobile_phone"
    message = "This must be a phone number, such as +447700900123."


def normalise(raw: str, country_code: str | None) -> str:
    """Return the number in E.164.

    What is in that form already is taken as it stands, even where no numbering plan knows it: clients rely on it.

    :raises NotAPhone: if it is in another form and not valid for the country
    """
    if _E164.fullmatch(raw):
        return raw
    if len(raw) <= _LONGEST_INPUT:
        try:
            number = phonenumbers.parse(raw, country_code)
        except phonenumbers.NumberParseException:
            pass
        else:
            if phonenumbers.is_valid_number(number) and not number.extension:
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise NotAPhone


@lru_cache(maxsize=65_536)
def is_known(phone: str) -> bool:
    """Tell whether the numbering plan knows such a number."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return False
