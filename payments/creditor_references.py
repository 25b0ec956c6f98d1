"""Creditor references (ISO 11649) of debts: ``RF``, two check digits and a number, by which a transfer is recognized.

The check digits (modulo 97, as of an IBAN) find each single wrong character and each two that were swapped. So a reference with
right ones, in whatever text, books money to its debt.
"""

import re
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q

from collection.models import Debt
from payments.models import CreditorReference

#: Our references begin so; the number has ten digits.
PREFIX, _DIGITS = "DDC", 10
#: Without spaces and line breaks, in small letters, with 0 for O: banks and people write references in many ways.
_WRITTEN = re.compile(rf"rf([0-9]{{2}}){PREFIX.lower()}([0-9]{{{_DIGITS}}})")


def remainder(text: str) -> int:
    """Return an IBAN or a creditor reference modulo 97, its first four characters last and letters as 10 to 35; 1 is right."""
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97


def is_valid(reference: str) -> bool:
    """Return whether a text is a creditor reference with right check digits, without spaces and in capitals."""
    return bool(re.fullmatch(r"RF[0-9]{2}[A-Z0-9]{1,21}", reference)) and remainder(reference) == 1


def with_check_digits(body: str) -> str:
    """Return the reference of up to 21 letters and digits: ``DDC0001234567`` is ``RF29DDC0001234567``."""
    return f"RF{98 - remainder(f'RF00{body}'):02}{body}"


def of(debts: Collection[Debt]) -> dict[UUID, str]:
    """Return the reference of each debt; a debt gets its number when it is first asked for."""
    rows = CreditorReference.objects.filter(debt__in=debts)
    found = dict(rows.values_list("debt", "pk"))
    if missing := [CreditorReference(debt=debt) for debt in debts if debt.pk not in found]:
        CreditorReference.objects.bulk_create(missing, ignore_conflicts=True)
        found = dict(rows.values_list("debt", "pk"))
    return {debt: with_check_digits(f"{PREFIX}{number:0{_DIGITS}}") for debt, number in found.items()}


def spaced(reference: str) -> str:
    """Write a reference in groups of four, as it is printed."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def debts_named_in(text: str) -> Q:
    """Return the condition of the debts with references in the text of a transfer."""
    return Q(creditor_reference__pk__in=list(_numbers(text)))


def are_in(text: str) -> bool:
    """Return whether the text of a transfer has a reference of ours."""
    return any(True for _ in _numbers(text))


def _numbers(text: str) -> Iterable[int]:
    compact = re.sub(r"[\W_]", "", text.casefold()).replace("o", "0")
    for check, number in _WRITTEN.findall(compact):
        if is_valid(f"RF{check}{PREFIX}{number}"):
            yield int(number)
