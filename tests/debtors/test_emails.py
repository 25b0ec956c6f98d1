"""The normal form of e-mail addresses, in Python and in SQL."""

import pytest
from django.db import connection

from debtors import emails

ADDRESSES = ["zoe@example.com", "  Zoe@Example.COM ", "ZOË@EXAMPLE.COM", "ÉLODIE@exämple.com", "", "   "]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_python_and_sql_have_the_same_form(address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {emails.normalised_sql('%s::text')}", [address])
        assert cursor.fetchone() == (emails.normalise(address),)
    assert emails.normalise(emails.normalise(address)) == emails.normalise(address)


@pytest.mark.parametrize("address", ["zoe@example.com", "zoe+debts@mail.example.co.uk"])
def test_an_address_passes(address: str) -> None:
    emails.check(address, field="value")


@pytest.mark.parametrize(
    "address", ["", "zoe", "zoe@", "@example.com", "zoe@example", "zoe@@example.com", "a b@example.com"]
)
def test_another_text_is_refused_at_the_field(address: str) -> None:
    with pytest.raises(emails.InvalidEmail) as refusal:
        emails.check(address, field="value")
    assert refusal.value.field == "value"
