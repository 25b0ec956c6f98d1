"""E-mail addresses: their check, and the normal form by which all comparisons are made."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

from ddc.common.errors import Invalid
from ddc.common.normal_forms import visible

#: RFC 5321, section 4.5.3.1.3, for the spelling with which mail is sent.
MAX_LENGTH = 254


class InvalidEmail(Invalid):
    """The text is not an e-mail address."""

    code = "email"
    message = "This is not a valid e-mail address. Use the form name@example.com."


def normal_form(address: str) -> str:
    """Return the address in lower case, without spaces around it, and with the domain in the ASCII form that mail servers use.

    ``Zoë@Bücher.example`` and ``zoë@xn--bcher-kva.example`` have the same form.
    """
    if address.isascii():
        return address.strip().lower()
    plain = unicodedata.normalize("NFC", visible(address).strip().lower())
    local, at, domain = plain.rpartition("@")
    try:
        return f"{local}@{punycode(domain).lower()}" if at else plain
    except UnicodeError:
        return plain


def check(address: str, *, field: str) -> None:
    """Check that mail can be sent to an address; the error names ``field``.

    :raises InvalidEmail: if it is not an e-mail address
    """
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidEmail(field=field) from error
    sent_as = normal_form(address)
    if len(sent_as) > MAX_LENGTH or not sent_as.isascii():
        raise InvalidEmail(field=field)
