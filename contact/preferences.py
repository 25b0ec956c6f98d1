"""Record and withdraw contact preferences. The gate applies them from the next message on."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import available_timezones

from django.db import transaction

from agents.models import Agent, require_permission
from contact import facts, policies
from contact.engine.windows import ContactWindows
from contact.models import ContactPreference
from ddc.common.errors import DomainError
from debtors import emails, phones
from debtors.channels import Channel
from debtors.models import Debtor

_LENGTH = 500


class PreferenceMissing(DomainError):
    status = 422
    code = "required"
    message = "No preference was given. Enter no contact, an employer's address, hours, days or a time zone."


class InvalidHours(DomainError):
    status = 422
    code = "range"
    field = "closes"
    message = "These hours end before they start. Enter the earlier time first."


class UnknownTimeZone(DomainError):
    status = 422
    code = "enum"
    field = "time_zone"


class NeverAllowed(DomainError):
    status = 422
    code = "range"
    field = "opens"
    message = "The law allows no contact at these times where the debtor may be. Ask for times within the lawful hours."


class AlreadyWithdrawn(DomainError):
    message = "This preference was withdrawn before."


@transaction.atomic
def record(
    debtor: Debtor,
    *,
    statement: str,
    by: Agent | None,
    now: datetime,
    channels: Sequence[str] = (),
    no_contact: bool = False,
    work_address: str = "",
    opens: time | None = None,
    closes: time | None = None,
    weekdays: Sequence[int] = (),
    time_zone: str = "",
) -> ContactPreference:
    """Record a debtor's preference. ``statement`` is in the debtor's words; no channels means all of them.

    :raises PreferenceMissing: if it has nothing that the gate could apply
    :raises InvalidHours: if the hours end before they start
    :raises NeverAllowed: if no channel could be used at these times
    :raises UnknownTimeZone: if ``time_zone`` is not an IANA name
    :raises InvalidPhone: if the employer's address is neither e-mail nor phone
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "contact.add_contactpreference")
    if not (no_contact or work_address.strip() or opens or closes or weekdays or time_zone):
        raise PreferenceMissing
    if opens and closes and opens >= closes:
        raise InvalidHours
    if time_zone and time_zone not in available_timezones():
        raise UnknownTimeZone(f"Unknown time zone “{time_zone}”. Use an IANA name such as America/Phoenix.")
    preference = ContactPreference(
        debtor=debtor,
        statement=statement.strip()[:_LENGTH],
        channels=list(channels),
        no_contact=no_contact,
        work_address=_normalize(work_address, debtor),
        opens=opens,
        closes=closes,
        weekdays=sorted(weekdays),
        time_zone=time_zone,
        by=by,
        created_at=now,
    )
    if preference.has_times and not _could_work(preference, now=now):
        raise NeverAllowed
    preference.save(force_insert=True)
    return preference


def _could_work(preference: ContactPreference, *, now: datetime) -> bool:
    """Check whether hours of law and the debtor's preferences leave a moment for any of the channels, where they are known."""
    debtor, policy_set = preference.debtor, policies.current()
    preferences = [*ContactPreference.objects.active().filter(debtor=debtor), preference]
    zones, locations = facts.zones(debtor, preferences), facts.locations(debtor)
    if not zones:
        return True
    for channel in filter(preference.is_about, Channel):
        preferred = [row.value for row in preferences if row.has_times and row.is_about(channel)]
        lawful = policy_set.applicable(locations, channel, facts.subject(debtor, "", channel)).windows.policies
        if ContactWindows((*lawful, *preferred), locations).next_open_time(now, zones):
            return True
    return False


def withdraw(preference: ContactPreference, *, by: Agent | None, now: datetime) -> ContactPreference:
    """End a preference at the debtor's request. It remains visible.

    :raises AlreadyWithdrawn: if it was withdrawn before
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "contact.change_contactpreference")
    active = ContactPreference.objects.active().filter(pk=preference.pk)
    if not active.update(withdrawn_at=now, updated_at=now):
        raise AlreadyWithdrawn
    preference.refresh_from_db()
    return preference


def _normalize(address: str, debtor: Debtor) -> str:
    """Return an e-mail address in lower case, or a phone in E.164."""
    address = address.strip()
    if not address or "@" in address:
        return emails.normal_form(address)
    try:
        return phones.normalise(address, debtor.country_code)
    except phones.InvalidPhone as refusal:
        text = f"“{address}” is neither an e-mail address nor a phone number. Enter one of the two."
        raise phones.InvalidPhone(text, field="work_address") from refusal
