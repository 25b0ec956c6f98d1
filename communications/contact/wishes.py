"""What debtors tell us of when, where and how they may be reached. The gate obeys it from the next message on."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import available_timezones

from django.db import transaction

from agents.models import Agent, require_permission
from communications.models import ContactWish
from ddc.common.errors import DomainError
from debtors import emails, phones
from debtors.models import Debtor

_LENGTH = 500


class WishForNothing(DomainError):
    """A wish names something that the gate can obey."""

    status = 422
    code = "required"
    message = "Say what they want: no contact, an employer's address, hours, days, or where they are."


class WrongHours(DomainError):
    """The hours that suit them begin before they end, on one day."""

    status = 422
    code = "range"
    field = "closes"
    message = "These hours end before they begin."


class NoSuchZone(DomainError):
    """Where they are is told as a zone of the IANA time zone database."""

    status = 422
    code = "enum"
    field = "time_zone"
    message = "This is no time zone, such as America/Phoenix."


class AlreadyWithdrawn(DomainError):
    """A wish is withdrawn once."""

    message = "This was withdrawn before."


@transaction.atomic
def note(
    debtor: Debtor,
    *,
    told: str,
    by: Agent | None,
    now: datetime,
    channels: Sequence[str] = (),
    no_contact: bool = False,
    work_address: str = "",
    opens: time | None = None,
    closes: time | None = None,
    weekdays: Sequence[int] = (),
    time_zone: str = "",
) -> ContactWish:
    """Note what a debtor told us. ``told`` is in their words; the rest is what the gate obeys; no channels means all.

    :raises WishForNothing: if there is nothing in it that the gate could obey
    :raises WrongHours: if the hours are the wrong way round
    :raises NoSuchZone: if ``time_zone`` is none
    :raises InvalidPhone: if the employer's address is neither mail nor phone
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "communications.add_contactwish")
    if not (no_contact or work_address.strip() or opens or closes or weekdays or time_zone):
        raise WishForNothing
    if opens and closes and opens >= closes:
        raise WrongHours
    if time_zone and time_zone not in available_timezones():
        raise NoSuchZone
    return ContactWish.objects.create(
        debtor=debtor,
        told=told.strip()[:_LENGTH],
        channels=list(channels),
        no_contact=no_contact,
        work_address=_as_kept(work_address, debtor),
        opens=opens,
        closes=closes,
        weekdays=sorted(weekdays),
        time_zone=time_zone,
        by=by,
        created_at=now,
    )


def withdraw(wish: ContactWish, *, by: Agent | None, now: datetime) -> ContactWish:
    """End a wish at the debtor's word; it stays to be seen.

    :raises AlreadyWithdrawn: if somebody was first
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "communications.change_contactwish")
    standing = ContactWish.objects.filter(pk=wish.pk, ended_at__isnull=True)
    if not standing.update(ended_at=now, updated_at=now):
        raise AlreadyWithdrawn
    wish.refresh_from_db()
    return wish


def _as_kept(address: str, debtor: Debtor) -> str:
    """Return an address as messages have it: a phone in E.164, where it is one."""
    address = address.strip()
    if not address or "@" in address:
        return emails.normalise(address)
    try:
        return phones.normalise(address, debtor.country_code)
    except phones.InvalidPhone as refusal:
        raise phones.InvalidPhone(
            "This is neither an e-mail address nor a phone number.", field="work_address"
        ) from refusal
