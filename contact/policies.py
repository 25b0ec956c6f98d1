"""Contact policies: loaded from packs, edited as new versions, and handed to the gate."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Q

from agents.models import Agent, require_permission
from contact.engine import hours
from contact.engine.applicable import PolicySet
from contact.engine.policies import AGENCY, Policy
from contact.models import ContactPolicy
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, refusing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock

#: How a decision names a version of a policy, and the agency's own window.
_NAME = re.compile(r"([^/@]+)/([^@]+)@(\d{1,9})")
_AGENCY_NAME = re.compile(rf"{AGENCY}/(\d\d:\d\d)-(\d\d:\d\d)@1")
#: The fields of a version, except its number, author and time.
FIELDS = (
    "section", "source", "checked_on", "confidence", "countries", "regions", "cities", "postal_prefixes", "channels",
    "number_kinds", "debt_kinds", "debtor_kinds", "valid_from", "valid_to", "hours", "max_contacts", "max_channels", "per_days",
    "per_calendar", "scope", "counted", "unless_consented", "cooling_off_days", "call_back_days", "consent_needed",
    "consent_days", "validation_notice", "notice_days", "wait_days", "wait_from",
)  # fmt: skip


class StartsTooEarly(DomainError):
    status = 422
    code = "range"
    field = "valid_from"
    message = "A new version cannot apply before today. Choose today or a later day."


class InvalidHours(DomainError):
    status = 422
    code = "range"


class InvalidLimits(DomainError):
    status = 422
    code = "range"


class NotTheNewestVersion(DomainError):
    message = "There is a newer version of this policy. Open that one and edit it."


def current() -> PolicySet:
    """Return all policies as they are now, with the agency's own window; one small query where nothing changed."""
    version = ContactPolicy.objects.aggregate(n=Count("*"), last=Max("updated_at"))
    return _read(connection.settings_dict["NAME"], version["n"], version["last"], settings.CONTACT_WINDOW)


@lru_cache(maxsize=4)
def _read(database: str, count: int, last: Any, window: Any) -> PolicySet:
    return PolicySet([agency_window(window), *(row.value for row in ContactPolicy.objects.all())])


def agency_window(window: Any) -> Policy:
    """Return the window of the setting CONTACT_WINDOW as a policy. Its name has the hours, as settings have no versions."""
    opens, closes = window
    text = hours.write(opens, closes)
    return Policy(AGENCY, f"{opens:%H:%M}-{closes:%H:%M}", "the agency's own policy", hours=text)


def versions(names: Iterable[str]) -> dict[str, ContactPolicy]:
    """Return the versions of policies that a decision names. The agency's window and preferences have none."""
    wanted = [found.groups() for name in names if (found := _NAME.fullmatch(name))]
    some = (Q(jurisdiction=where, code=code, version=int(number)) for where, code, number in wanted)
    rows = ContactPolicy.objects.filter(reduce(or_, some, Q(pk__in=[])))
    return {f"{row.jurisdiction}/{row.code}@{row.version}": row for row in rows}


def as_applied(names: Iterable[str], *, now: datetime) -> PolicySet:
    """Return the policies that a decision names, as they applied at its time, also if they were ended later that day."""
    named = list(names)
    values = [row.value for row in versions(named).values()]
    applied = [
        replace(one, valid_to=None) if one.valid_to and one.valid_to <= agency_today(now) else one for one in values
    ]
    windows = [found.groups() for name in named if (found := _AGENCY_NAME.fullmatch(name))]
    own = [agency_window((time.fromisoformat(opens), time.fromisoformat(closes))) for opens, closes in windows]
    return PolicySet([*own, *applied])


@transaction.atomic
def amend(policy: ContactPolicy, *, by: Agent | None, today: date, **fields: Any) -> ContactPolicy:
    """Make a new version of a policy from ``valid_from`` (by default today) on; the version before it ends then.

    :raises NotTheNewestVersion: if ``policy`` isn't the newest version
    :raises StartsTooEarly: if the new version would apply before today
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "contact.change_contactpolicy")
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    newest = ContactPolicy.objects.filter(jurisdiction=policy.jurisdiction, code=policy.code).order_by("-version")[0]
    if newest.pk != policy.pk:
        raise NotTheNewestVersion
    kept = {name: getattr(policy, name) for name in FIELDS if name not in ("valid_from", "valid_to")}
    fields = kept | {"valid_from": today} | fields
    if fields["valid_from"] == policy.valid_from:
        fields["valid_from"] = max(today, policy.valid_from)
    if fields["valid_from"] < today:
        raise StartsTooEarly
    return add_version(policy.jurisdiction, policy.code, fields, version=policy.version + 1, by=by)


@transaction.atomic
def add(*, by: Agent | None, today: date, **fields: Any) -> ContactPolicy:
    """Make the first version of a policy.

    :raises StartsTooEarly: if it would apply before today
    :raises NotTheNewestVersion: if there is a policy of this name
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "contact.add_contactpolicy")
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    jurisdiction, code = fields.pop("jurisdiction"), fields.pop("code")
    if ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code).exists():
        raise NotTheNewestVersion
    if fields["valid_from"] < today:
        raise StartsTooEarly
    return add_version(jurisdiction, code, fields, version=1, by=by)


def add_version(
    jurisdiction: str, code: str, fields: dict[str, Any], *, version: int, digest: str = "", by: Agent | None = None
) -> ContactPolicy:
    """Write a version down and end the ones that it follows. ``digest`` is that of a pack's rule."""
    try:
        hours.parse(fields.get("hours") or "Mon-Sun 00:00-24:00")
    except ValueError as error:
        raise InvalidHours(str(error), field="hours") from error
    added = ContactPolicy(jurisdiction=jurisdiction, code=code, version=version, digest=digest, by=by, **fields)
    earlier = ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code)
    for row in earlier.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=added.valid_from)):
        row.valid_to = max(added.valid_from, row.valid_from)
        row.save(update_fields=["valid_to", "updated_at"])
    with refusing(_CONSTRAINTS):
        added.save(force_insert=True)
    return added


_CONSTRAINTS: dict[str, DomainError] = {
    "contact_policy_ends_after_it_starts": InvalidHours(
        "The policy ends before it starts. Choose a later end.", field="valid_to"
    ),
    "contact_policy_limits_are_positive": InvalidLimits(
        "Limits are out of range. Enter at least 1 contact, 1 to 4 channels, and periods of 1 to 366 days.",
        field="max_contacts",
    ),
    "contact_policy_limit_has_a_period": InvalidLimits(
        "A limit needs a number and a period. Enter either days or a calendar period with it.", field="per_days"
    ),
    "contact_policy_waits_from_an_event": InvalidLimits(
        "A waiting period needs its event. Choose both the days and the event, or neither.", field="wait_from"
    ),
}
