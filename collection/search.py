"""The search of the back office for debtors and debts, which every list of their records uses."""

import uuid

from django.db.models import F, Func, Q, TextField

from collection.models import Debt
from ddc.common.text_search import escaped
from debtors import search

#: The expression of the index debt_lookup_trigrams.
_LOOKUP = Func(F("external_reference"), function="search_compact", output_field=TextField())


def debtors(text: str) -> list[uuid.UUID]:
    """Return the debtors that a text describes, and those of debts with it in their reference.

    See ``debtors.search``.
    """
    owners = Debt.objects.filter(pk__in=debts_by_reference(text)).values_list("debtor", flat=True)
    return list({*search.debtors(text), *owners})


def debts(text: str) -> list[uuid.UUID]:
    """Return the debts with a text in their reference, and those of the debtors that it describes.

    The newest ``MAX_FOUND`` of either. Case, accents, spaces and punctuation in the reference are ignored; a text of one or two
    letters begins it.
    """
    return list({*debts_by_reference(text), *search.newest(Debt.objects.filter(debtor__in=search.debtors(text)))})


def of_debtor_or_address(text: str, field: str = "address") -> Q:
    """Return the condition of messages and other records of a debtor, and of those from a stranger's address."""
    return Q(debtor__in=debtors(text)) | search.strangers(text, field)


def debts_by_reference(text: str) -> list[uuid.UUID]:
    """Return the debts with a text in their reference, those that have it whole first."""
    part = search.folded(text, "search_compact")
    if not part:
        return []
    rows = Debt.objects.alias(lookup=_LOOKUP)
    exact = search.newest(rows.filter(lookup__like=escaped(part)))
    return exact + search.newest(rows.filter(lookup__like=f"{'%' if len(part) > 2 else ''}{escaped(part)}%"))
