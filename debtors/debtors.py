"""Debtors as records: enter, amend, delete."""

from datetime import date
from typing import Any

from django.db import connection, models, transaction

from ddc.common.errors import DomainError, Duplicate, refusing
from debtors import phones
from debtors.models import Debtor


class Nameless(DomainError):
    """A debtor is a person with both names, or a company."""

    status = 422
    code = "required"
    message = "A debtor needs firstName and lastName, or legalEntity."

    def __init__(self, *, first_name: str | None) -> None:
        super().__init__(field="last_name" if first_name else "first_name")


class BornInTheFuture(DomainError):
    """A date of birth lies in the past."""

    status = 422
    code = "date"
    field = "dob"
    message = "The date of birth must lie in the past."


class HasDebts(DomainError):
    """A debtor with debts, or with a history of messages or holds, stays."""

    message = "This debtor has debts, messages or holds and can't be deleted."


_CONSTRAINTS: dict[str, DomainError] = {
    "debtor_email_is_unique": Duplicate("Another debtor has this e-mail address.", field="email"),
    "debtor_mobile_phone_is_unique": Duplicate("Another debtor has this phone.", field="mobile_phone"),
}


def enter(*, today: date, **fields: Any) -> Debtor:
    """Enter a debtor.

    :raises Duplicate: if the e-mail address (whatever its case) or the phone is another's
    :raises Nameless: if it is neither a person nor a company
    :raises BornInTheFuture: if the date of birth isn't past
    :raises NotAPhone: if the phone is not one, in the debtor's country
    """
    return _save(Debtor(**fields), today=today)


@transaction.atomic
def amend(debtor: Debtor, *, today: date, **fields: Any) -> Debtor:
    """Change some fields. Another phone ends every token that the debtor holds.

    :raises DomainError: as ``enter`` does
    """
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor.pk)
    phone_before = debtor.mobile_phone
    for name, value in fields.items():
        setattr(debtor, name, value)
    _check(debtor, today=today)
    if debtor.mobile_phone != phone_before:
        debtor.token_version += 1
    return _write(debtor)


@transaction.atomic
def delete(debtor: Debtor) -> None:
    """Delete a debtor who has no debts. Of their addresses those stay that must not be used any more.

    :raises HasDebts: if there are debts, messages or holds
    """
    debtor.contact_points.filter(messages_stopped=False, calls_stopped=False).delete()
    try:
        debtor.delete()
        # Django defers its foreign keys to COMMIT; a row that was added meanwhile has to speak up now.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (models.ProtectedError, models.RestrictedError) as error:
        raise HasDebts from error


def _save(debtor: Debtor, *, today: date) -> Debtor:
    _check(debtor, today=today)
    return _write(debtor)


def _check(debtor: Debtor, *, today: date) -> None:
    if debtor.mobile_phone:
        debtor.mobile_phone = phones.normalise(debtor.mobile_phone, debtor.country_code)
    if not (debtor.legal_entity or (debtor.first_name and debtor.last_name)):
        raise Nameless(first_name=debtor.first_name)
    if debtor.dob and debtor.dob >= today:
        raise BornInTheFuture


def _write(debtor: Debtor) -> Debtor:
    with refusing(_CONSTRAINTS):
        debtor.save()
    return debtor
