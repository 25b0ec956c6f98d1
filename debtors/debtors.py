"""Create, change and delete debtors."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from agents.models import Agent, require_permission
from ddc.common.days import plausible
from ddc.common.errors import DomainError, Duplicate, Invalid, Missing, deleting, refusing
from debtors import emails, phones
from debtors.models import Debtor


class NameRequired(Missing):
    """The debtor has neither both names nor a legal entity."""

    message = "The debtor has no name. Enter firstName and lastName, or legalEntity."

    def __init__(self, *, first_name: str | None) -> None:
        super().__init__(field="last_name" if first_name else "first_name")


class InvalidBirthDate(Invalid):
    """The date of birth is not in the past, or so early that it is likely a typing error."""

    code = "date"
    field = "dob"
    message = "The date of birth is not in the past. Enter an earlier date."


class HasDebts(DomainError):
    """A debtor with debts, messages or holds cannot be deleted."""

    message = "This debtor has debts, messages or holds, so it cannot be deleted."


_CONSTRAINTS: dict[str, DomainError] = {
    "debtor_email_is_unique": Duplicate("Another debtor has this e-mail address.", field="email"),
    "debtor_mobile_phone_is_unique": Duplicate("Another debtor has this phone.", field="mobile_phone"),
}


def create(*, today: date, **fields: Any) -> Debtor:
    """Create a debtor.

    :raises Duplicate: if another debtor has the e-mail address, in any case, or the phone
    :raises NameRequired: if it has neither both names nor a legal entity
    :raises InvalidBirthDate: if the date of birth is not in the past, or before 1900
    :raises InvalidPhone: if the phone is not valid in the debtor's country
    """
    debtor = Debtor(**fields)
    _check(debtor, today=today)
    return _write(debtor)


@transaction.atomic
def amend(debtor: Debtor, *, today: date, **fields: Any) -> Debtor:
    """Change some fields. A new phone or e-mail address revokes all tokens: whoever had the old one may have signed in by it.

    :raises DomainError: like ``create``
    """
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor.pk)
    before = debtor.mobile_phone, emails.normal_form(debtor.email)
    for name, value in fields.items():
        setattr(debtor, name, value)
    _check(debtor, today=today)
    if (debtor.mobile_phone, emails.normal_form(debtor.email)) != before:
        debtor.token_version += 1
    return _write(debtor)


def sign_out_everywhere(debtor: Debtor, *, by: Agent | None, now: datetime) -> None:
    """End every token of the debtor, in the portal and over the API.

    :raises Forbidden: if the agent may not change debtors
    """
    require_permission(by, "debtors.change_debtor")
    Debtor.objects.filter(pk=debtor.pk).update(token_version=F("token_version") + 1, updated_at=now)


def delete(debtor: Debtor) -> None:
    """Delete a debtor without debts. Contact points with a suppression stay.

    :raises HasDebts: if there are debts, messages or holds
    """
    with deleting(HasDebts):
        debtor.contact_points.filter(messages_suppressed=False, calls_suppressed=False).delete()
        Debtor.objects.filter(pk=debtor.pk).delete()


def _check(debtor: Debtor, *, today: date) -> None:
    if debtor.mobile_phone:
        debtor.mobile_phone = phones.normalise(debtor.mobile_phone, debtor.country_code)
    if not (debtor.legal_entity or (debtor.first_name and debtor.last_name)):
        raise NameRequired(first_name=debtor.first_name)
    if debtor.dob:
        _check_birth(debtor.dob, today=today)


def _check_birth(dob: date, *, today: date) -> None:
    if dob >= today:
        raise InvalidBirthDate
    bounds = plausible("dob", today=today)
    if dob < bounds.first:
        raise InvalidBirthDate(bounds.message)


def _write(debtor: Debtor) -> Debtor:
    with refusing(_CONSTRAINTS):
        debtor.save()
    return debtor
