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
    """The debtor has neither a first name, nor a last name, nor a legal entity."""

    field = "first_name"
    message = "The debtor has no name. Enter firstName or lastName, or legalEntity."


class EmailRequired(Missing):
    """The debtor has no e-mail address, and did not come by a placement file without one."""

    field = "email"
    message = "The debtor has no e-mail address. Enter one."


class InvalidBirthDate(Invalid):
    """The date of birth is not in the past, or so early that it is likely a typing error."""

    code = "date"
    field = "dob"
    message = "The date of birth is not in the past. Enter an earlier date."


class HasDebts(DomainError):
    """A debtor with debts, messages, holds or notes cannot be deleted."""

    message = "This debtor has debts, messages, holds or notes, so it cannot be deleted."


_CONSTRAINTS: dict[str, DomainError] = {
    "debtor_email_is_unique": Duplicate("Another debtor has this e-mail address.", field="email"),
    "debtor_mobile_phone_is_unique": Duplicate("Another debtor has this phone.", field="mobile_phone"),
}


def create(*, today: date, by_file: bool = False, **fields: Any) -> Debtor:
    """Create a debtor. One of a placement file (``by_file``) may have no e-mail address.

    :raises EmailRequired: if another one has none
    :raises Duplicate: if another debtor has the e-mail address or the phone, in any spelling
    :raises InvalidEmail: if mail cannot be sent to the e-mail address
    :raises NameRequired: if it has no name
    :raises InvalidBirthDate: if the date of birth is not in the past, or before 1900
    :raises InvalidPhone: if the phone is not valid in the debtor's country
    """
    debtor = Debtor(**fields)
    if not (debtor.email or by_file):
        raise EmailRequired
    _check(debtor, today=today)
    return _write(debtor)


@transaction.atomic
def amend(debtor: Debtor, *, today: date, **fields: Any) -> Debtor:
    """Change some fields. A new phone or e-mail address revokes all tokens: whoever had the old one may have signed in by it.

    :raises DomainError: like ``create``
    """
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor.pk)
    before, had_email = _normal_addresses(debtor), bool(debtor.email)
    for name, value in fields.items():
        setattr(debtor, name, value)
    if had_email and not debtor.email:
        raise EmailRequired
    _check(debtor, today=today)
    if _normal_addresses(debtor) != before:
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

    :raises HasDebts: if there are debts, messages, holds, notes or follow-ups
    """
    with deleting(HasDebts):
        debtor.contact_points.filter(messages_suppressed=False, calls_suppressed=False).delete()
        Debtor.objects.filter(pk=debtor.pk).delete()


def _check(debtor: Debtor, *, today: date) -> None:
    if debtor.mobile_phone:
        debtor.mobile_phone = phones.normalise(debtor.mobile_phone, debtor.country_code)
    if debtor.email:
        emails.check(debtor.email, field="email")
    if not debtor.name:
        raise NameRequired
    if debtor.dob:
        _check_birth(debtor.dob, today=today)


def _normal_addresses(debtor: Debtor) -> tuple[str, str]:
    return phones.normal_form(debtor.mobile_phone or ""), emails.normal_form(debtor.email or "")


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
