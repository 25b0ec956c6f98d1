"""The debtor's own settings: channels and times of contact, and no messages at all. The gate applies it at once."""

from collections.abc import Collection, Mapping
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from contact import preferences
from contact.models import ContactPreference
from ddc.common.days import agency_today
from ddc.common.errors import Invalid
from debtors import debtors
from debtors.channels import Channel
from debtors.models import Debtor
from portal import activities

_STOPPED = "Set in the portal: no messages and no calls."
_REFUSED = "Set in the portal: not by {channels}."
_TIMES = "Set in the portal: times at which I can be reached."
#: How the channels are called in the debtor's statement.
_NAMES = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "text message",
    Channel.VOICE: "automated call",
    Channel.CALL_SCRIPT: "call",
}


#: The fields of a debtor that they change without a code.
OWN_FIELDS = (
    "address_line1", "address_line2", "city", "region_state", "postal_code", "country_code", "language_preference",
)  # fmt: skip


class BothTimes(Invalid):
    code = "required"
    field = "not_after"
    message = "Enter both times, or none."


def refused_channels(debtor: Debtor) -> set[Channel]:
    """Return the channels by which the debtor wants no contact."""
    rows = _refusals(debtor)
    return {channel for channel in Channel if any(row.is_about(channel) for row in rows)}


def times(debtor: Debtor) -> ContactPreference | None:
    """Return the newest preference of times, or None."""
    return _times(debtor).first()


def shown(debtor: Debtor) -> dict[str, Any]:
    """Return the debtor's details by the names of ``change``, with the phone and the e-mail address."""
    refused, preferred = refused_channels(debtor), times(debtor)
    return {
        **{name: getattr(debtor, name) for name in ("email", "mobile_phone", *OWN_FIELDS)},
        "refused_channels": sorted(refused),
        "messages_stopped": refused == set(Channel),
        "not_before": preferred.opens if preferred else None,
        "not_after": preferred.closes if preferred else None,
        "weekdays": preferred.weekdays if preferred else [],
    }


@transaction.atomic
def change(debtor: Debtor, given: Mapping[str, Any], *, now: datetime) -> Debtor:
    """Change the details that are given, and record that the debtor did.

    :param given: some of ``OWN_FIELDS``, ``refused_channels``, ``messages_stopped``, ``not_before``, ``not_after``, ``weekdays``
    :raises DomainError: like ``debtors.amend`` and ``set_times``
    """
    own = {name: given[name] for name in OWN_FIELDS if name in given}
    if any(getattr(debtor, name) != value for name, value in own.items()):
        debtor = debtors.amend(debtor, today=agency_today(now), **own)
        activities.record_step(debtor, "details_changed", now=now)
    refused = given.get("refused_channels")
    if given.get("messages_stopped"):
        refused = list(Channel)
    elif given.get("messages_stopped") is False and refused_channels(debtor) == set(Channel):
        refused = [] if refused is None or set(refused) == set(Channel) else refused
    if refused is not None:
        refuse_channels(debtor, refused, now=now)
    if given.keys() & {"not_before", "not_after", "weekdays"}:
        before = shown(debtor)
        opens, closes, weekdays = (given.get(name, before[name]) for name in ("not_before", "not_after", "weekdays"))
        set_times(debtor, opens=opens, closes=closes, weekdays=weekdays, now=now)
    return debtor


@transaction.atomic
def refuse_channels(debtor: Debtor, channels: Collection[str], *, now: datetime) -> None:
    """Let the debtor be contacted by all channels but these; codes to sign in still go. All of them: an opt-out."""
    _lock(debtor)
    wanted = {Channel(channel) for channel in channels}
    if wanted == refused_channels(debtor):
        return
    activities.record_step(debtor, "channels_changed" if wanted != set(Channel) else "opted_out", now=now)
    for row in _refusals(debtor):
        preferences.withdraw(row, by=None, now=now)
    if wanted:
        every = wanted == set(Channel)
        names = ", ".join(_NAMES[channel] for channel in Channel if channel in wanted)
        statement = _STOPPED if every else _REFUSED.format(channels=names)
        chosen = [] if every else sorted(wanted)
        preferences.record(debtor, statement=statement, channels=chosen, no_contact=True, by=None, now=now)


@transaction.atomic
def set_times(
    debtor: Debtor, *, opens: time | None, closes: time | None, weekdays: Collection[int], now: datetime
) -> None:
    """Let the debtor be contacted only at these times, by their own clock; nothing given: at any lawful time.

    :raises BothTimes: if one of the two times is missing
    :raises InvalidHours: if they end before they start
    :raises NeverAllowed: if the law allows no contact at these times
    """
    _lock(debtor)
    if (opens is None) != (closes is None):
        raise BothTimes(field="not_before" if opens is None else "not_after")
    found = list(_times(debtor))
    for row in found:
        preferences.withdraw(row, by=None, now=now)
    days = sorted(set(weekdays)) if len(set(weekdays)) < 7 else []
    if opens or days:
        preferences.record(debtor, statement=_TIMES, opens=opens, closes=closes, weekdays=days, by=None, now=now)


def _refusals(debtor: Debtor) -> list[ContactPreference]:
    return list(ContactPreference.objects.active().filter(debtor=debtor, no_contact=True, work_address=""))


def _times(debtor: Debtor) -> QuerySet[ContactPreference]:
    rows = ContactPreference.objects.active().filter(debtor=debtor, no_contact=False, work_address="", time_zone="")
    return rows.exclude(opens=None, closes=None, weekdays=[])


def _lock(debtor: Debtor) -> None:
    """Let only one change of a debtor's settings run at a time."""
    Debtor.objects.select_for_update(no_key=True).only("pk").get(pk=debtor.pk)
