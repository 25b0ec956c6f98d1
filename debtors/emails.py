"""Normal form of e-mail addresses, for comparisons, contact points and suppression."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ddc.common.errors import Invalid


class InvalidEmail(Invalid):
    """The text is not an e-mail address."""

    code = "email"
    message = "This is not a valid e-mail address. Use the form name@example.com."


def normalise(address: str) -> str:
    """Return the address in lower case, without surrounding spaces."""
    return address.strip().lower()


def normalised_sql(column: str) -> str:
    """Return the SQL of the same form of a column."""
    return f"lower(btrim({column}))"


def check(address: str, *, field: str) -> None:
    """Check the form of an address; the error names ``field``.

    :raises InvalidEmail: if it is not an e-mail address
    """
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidEmail(field=field) from error
