"""The search for debtors in the back office: by name, e-mail address, phone or postcode, as people write and say them.

Lists of other tables search by the debtors or debts found here and in ``collection.search``, so each search reads a bounded
number of rows through an index, whatever the size of the tables.
"""

import unicodedata
import uuid
from typing import Any

from django.db import connection
from django.db.models import F, Func, Q, QuerySet, TextField

from ddc.common.normal_forms import visible
from ddc.common.text_search import escaped
from debtors import emails, phones
from debtors.channels import AddressKind
from debtors.models import ContactPoint, Debtor

#: A search finds at most so many debtors, the newest ones. A text that finds more says too little about the person.
MAX_FOUND = 1_000
_MAX_LENGTH, _MAX_WORDS = 200, 10
#: Fewer digits at the end of a phone are not characteristic.
_FEWEST_DIGITS = 3
_IN_PHONES = frozenset("+()-./")

_LOOKUP = Func(
    F("search"), F("postal_code"), F("mobile_phone"), function="debtor_lookup", output_field=TextField()
)  # The expression of the index debtor_lookup_trigrams.


def debtors(text: str) -> list[uuid.UUID]:
    """Return the ids of the newest debtors that a text describes, up to ``MAX_FOUND``.

    Each word must occur in the names, the e-mail address or the postcode, in any order; a word of one or two letters begins one
    of theirs. Case, accents, apostrophes and punctuation are ignored. A phone is found in its international and national forms
    and by its last digits, an address that a debtor had before by its complete form.
    """
    found = _by_words(text) | _by_phone(text) | Q(pk__in=_owners(text))
    return newest(Debtor.objects.alias(lookup=_LOOKUP).filter(found)) if found else []


def newest(rows: QuerySet[Any]) -> list[uuid.UUID]:
    """Return the ids of the newest rows, up to ``MAX_FOUND``."""
    return list(rows.order_by("-created_at", "-id").values_list("pk", flat=True)[:MAX_FOUND])


def folded(text: str, function: str) -> str:
    """Return a text in the form in which a database function writes what is searched."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [visible(text[:_MAX_LENGTH])])
        (form,) = cursor.fetchone()
    return str(form)


def strangers(text: str, field: str) -> Q:
    """Return the condition of records without a debtor that have exactly this address in a field."""
    return Q(**{"debtor__isnull": True, f"{field}__in": [value for _, value in _addresses(text)]})


def _by_words(text: str) -> Q:
    words = folded(text, "search_words").split()[:_MAX_WORDS]
    found = Q()
    for word in words:
        found &= Q(lookup__like=f"%{'' if len(word) > 2 else ' '}{escaped(word)}%+%")
    # As one word too: the postcode 1011AB and the name MacDonald are also written with a space.
    return found | Q(lookup__like=f"% {escaped(''.join(words))}%+%") if len(words) > 1 else found


def _by_phone(text: str) -> Q:
    """Return the condition of the phones that end with these digits; a national form has zeros before them."""
    if not all(letter in _IN_PHONES or letter.isspace() or letter.isdecimal() for letter in visible(text)):
        return Q()
    digits = "".join(str(unicodedata.decimal(letter)) for letter in visible(text) if letter.isdecimal()).lstrip("0")
    return Q(lookup__like=f"%{digits}") if len(digits) >= _FEWEST_DIGITS else Q()


def _owners(text: str) -> list[uuid.UUID]:
    """Return the debtors who have or had exactly this address."""
    found = Q()
    for kind, value in _addresses(text):
        found |= Q(kind=kind, value=value)
    points = ContactPoint.objects.filter(found, debtor__isnull=False) if found else ContactPoint.objects.none()
    return list(points.values_list("debtor", flat=True)[:MAX_FOUND])


def _addresses(text: str) -> list[tuple[AddressKind, str]]:
    """Return the forms in which contact points and messages have an address that is typed whole."""
    if "@" in text:
        return [(AddressKind.EMAIL, emails.normal_form(text))]
    try:
        number = phones.as_typed(text)
    except phones.InvalidPhone:
        return []
    return [(AddressKind.PHONE, one) for one in {number, *phones.spellings(phones.normal_form(number))}]
