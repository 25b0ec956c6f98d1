"""Find, create, amend and delete creditors. Spellings with the same normal form are one creditor."""

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction

from creditors.models import Creditor, CreditorName
from ddc.common import normal_forms
from ddc.common.errors import DomainError, Duplicate, deleting, refusing


class CreditorInUse(DomainError):
    message = "This creditor has debts and can't be deleted."


_CONSTRAINTS: dict[str, DomainError] = {
    "creditor_code_is_unique": Duplicate("Another creditor has this code.", field="code"),
    "creditor_name_is_unique": Duplicate("Another creditor has this name or alias.", field="name"),
}
# Locked against deletion until the caller's debt is committed.
_FIND = """
    SELECT creditor.* FROM creditor JOIN creditor_name ON creditor_name.creditor_id = creditor.id
    WHERE creditor_name.normal_form = %s FOR KEY SHARE OF creditor
"""


def find(name: str) -> Creditor | None:
    """Return the creditor with this name or alias, or None."""
    return Creditor.objects.filter(names__normal_form=normal_forms.name(name)).first()


def find_or_create(name: str) -> Creditor:
    """Return the creditor with this name or alias. Create it if there is none.

    If two transactions create the same creditor at once, the second waits, fails on the unique normal form and finds the first's.
    """
    while True:
        for creditor in Creditor.objects.raw(_FIND, [normal_forms.name(name)]):
            return creditor
        try:
            return create(name=name)
        except Duplicate:
            continue


@transaction.atomic
def create(*, name: str, aliases: Iterable[str] = (), **fields: Any) -> Creditor:
    """Create a creditor.

    :raises Duplicate: if another creditor has the code, the name or an alias
    """
    return _save(Creditor(name=name, **fields), [name, *aliases])


@transaction.atomic
def amend(creditor: Creditor, *, aliases: Iterable[str] | None = None, **fields: Any) -> Creditor:
    """Change some fields. A former name stays as an alias, because files will go on using it.

    :raises Duplicate: if another creditor has the code, the name or an alias
    """
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor.pk)
    others = [creditor.name, *(creditor.aliases if aliases is None else aliases)]
    for field, value in fields.items():
        setattr(creditor, field, value)
    return _save(creditor, [creditor.name, *others])


@transaction.atomic
def delete(creditor: Creditor) -> None:
    """Delete a creditor without debts.

    :raises CreditorInUse: if it has debts
    """
    with deleting(CreditorInUse):
        creditor.delete()


def _save(creditor: Creditor, names: Iterable[str]) -> Creditor:
    """Write a creditor and all its names. The first spelling of each normal form is kept."""
    forms: dict[str, str] = {}
    for name in names:
        forms.setdefault(normal_forms.name(name), name)
    with refusing(_CONSTRAINTS):
        creditor.save()
        creditor.names.all().delete()
        CreditorName.objects.bulk_create(
            CreditorName(creditor=creditor, name=name, normal_form=form) for form, name in forms.items()
        )
    return creditor


def debt_kinds(creditors: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the kind of debts of those creditors for which it is known."""
    known = Creditor.objects.filter(pk__in=creditors).exclude(debt_kind="").order_by()
    return dict(known.values_list("pk", "debt_kind"))
