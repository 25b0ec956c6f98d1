"""The policies: read from their packs, edited as new versions, and handed to the gate."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.db.models import Count, Max, Q

from agents.models import Agent, require_permission
from communications.contact.rules import AGENCY, Policies, Policy
from communications.models import ContactPolicy
from ddc.common.errors import DomainError, refusing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock

PACKS = Path(__file__).parent / "packs"
#: How a decision names a version, and the agency's own window.
_NAME = re.compile(r"([^/@]+)/([^@]+)@(\d{1,9})")
_AGENCY_NAME = re.compile(rf"{AGENCY}/(\d\d:\d\d)-(\d\d:\d\d)@1")
#: What a pack says once for all its policies.
_COMMON = ("countries", "regions", "cities", "postal_prefixes")
#: What makes a version: everything but its own number, author and time.
FIELDS = (
    "section", "source", "countries", "regions", "cities", "postal_prefixes", "channels", "valid_from", "valid_to", "opens",
    "closes", "weekend_opens", "weekend_closes", "weekdays", "no_holidays", "most", "per_days", "scope", "counts",
    "cool_down_days", "consent_needed", "consent_days", "first_notice",
)  # fmt: skip


class StartsTooEarly(DomainError):
    """A new version counts from today on at the earliest: what was decided stays decided by what counted then."""

    status = 422
    code = "range"
    field = "valid_from"
    message = "A new version counts from today on at the earliest."


class WrongHours(DomainError):
    """A window opens before it closes, and one for weekends stands beside one for the other days."""

    status = 422
    code = "range"


class WrongLimits(DomainError):
    """A number of contacts is at least 1, and counted over 1 to 31 days; so are the days free after a talk."""

    status = 422
    code = "range"
    message = "At least 1; over 1 to 31 days, and only with a number beside it; 1 to 31 days free after a talk."


class BadPack(DomainError):
    """A pack that can't be read brings nothing in, and neither do the others beside it."""

    status = 422


class NotTheNewest(DomainError):
    """An edit starts from the newest version."""

    message = "Somebody made a newer version of this policy meanwhile; look at that one first."


@dataclass
class Loaded:
    """What a look at the packs came to."""

    added: int = 0
    kept: int = 0
    #: Rules that a person has edited here, which a pack doesn't overwrite.
    by_hand: tuple[str, ...] = ()


def current() -> Policies:
    """Return all policies as they are now, the agency's own window among them; one small query where nothing changed."""
    version = ContactPolicy.objects.aggregate(n=Count("*"), last=Max("updated_at"))
    return _read(connection.settings_dict["NAME"], version["n"], version["last"], settings.CONTACT_WINDOW)


@lru_cache(maxsize=4)
def _read(database: str, count: int, last: Any, window: Any) -> Policies:
    return Policies([agency(window), *(row.value for row in ContactPolicy.objects.all())])


def agency(window: Any) -> Policy:
    """Return the window that CONTACT_WINDOW sets, as a policy whose name tells the hours: settings have no versions."""
    opens, closes = window
    return Policy(AGENCY, f"{opens:%H:%M}-{closes:%H:%M}", "the agency's own rule", opens=opens, closes=closes)


def versions(names: Iterable[str]) -> dict[str, ContactPolicy]:
    """Return the versions that a decision names; what the agency's settings or the debtor asked has none."""
    wanted = [found.groups() for name in names if (found := _NAME.fullmatch(name))]
    some = (Q(jurisdiction=where, code=code, version=int(number)) for where, code, number in wanted)
    rows = ContactPolicy.objects.filter(reduce(or_, some, Q(pk__in=[])))
    return {f"{row.jurisdiction}/{row.code}@{row.version}": row for row in rows}


def as_asked(names: Iterable[str], *, at: datetime) -> Policies:
    """Return the policies that a decision of then names, as they counted: a version that was ended later that day, too."""
    named = list(names)
    values = [row.value for row in versions(named).values()]
    counted = [replace(one, valid_to=None) if one.valid_to and one.valid_to <= at.date() else one for one in values]
    windows = [found.groups() for name in named if (found := _AGENCY_NAME.fullmatch(name))]
    own = [agency((time.fromisoformat(opens), time.fromisoformat(closes))) for opens, closes in windows]
    return Policies([*own, *counted])


@transaction.atomic
def load(*, packs: Path = PACKS) -> Loaded:
    """Bring the packs' policies in; what is here already stays, and what a person edited is not overwritten.

    A pack's rule that changed becomes a new version, which counts from the day that the pack says.

    :raises BadPack: if one of them can't be read; nothing has changed then
    """
    loaded = Loaded()
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    newest = {(row.jurisdiction, row.code): row for row in ContactPolicy.objects.order_by("version")}
    by_hand = []
    for jurisdiction, code, fields in list(read(packs)):
        digest = hashlib.sha256(orjson.dumps([jurisdiction, code, fields], default=str)).hexdigest()
        known = newest.get((jurisdiction, code))
        if known and known.digest == digest:
            loaded.kept += 1
        elif known and not known.digest:
            by_hand.append(f"{jurisdiction}/{code}")
        else:
            _add(jurisdiction, code, fields, version=known.version + 1 if known else 1, digest=digest, by=None)
            loaded.added += 1
    loaded.by_hand = tuple(by_hand)
    return loaded


def read(packs: Path = PACKS) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Read the packs: jurisdiction, rule and fields of each policy.

    :raises BadPack: if a file is none, or says what nobody knows
    """
    for path in sorted(packs.glob("*.toml")):
        try:
            yield from _read_pack(tomllib.loads(path.read_text(encoding="utf-8")))
        except KeyError as error:
            raise BadPack(f"{path.name}: {error} is missing.") from error
        except ValidationError as error:
            told = [f"{name}: {' '.join(words)}" for name, words in error.message_dict.items()]
            raise BadPack(f"{path.name}: {'; '.join(told)}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise BadPack(f"{path.name}: {error}") from error


def _read_pack(pack: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    common = {name: pack[name] for name in _COMMON if name in pack} | {"source": pack["source"]}
    for rule in pack["policy"]:
        fields = {**common, **rule}
        code = fields.pop("code")
        if unknown := set(fields) - set(FIELDS):
            raise ValueError(f"nobody knows {', '.join(sorted(unknown))}")
        ContactPolicy(jurisdiction=pack["jurisdiction"], code=code, **fields).clean_fields(exclude=["digest"])
        yield pack["jurisdiction"], code, fields


@transaction.atomic
def amend(policy: ContactPolicy, *, by: Agent | None, today: date, **fields: Any) -> ContactPolicy:
    """Make a new version of a policy, from ``valid_from`` (today, unless it says otherwise) on; the one before ends then.

    :raises NotTheNewest: if ``policy`` isn't the newest version
    :raises StartsTooEarly: if the new one would count before today
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "communications.change_contactpolicy")
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    newest = ContactPolicy.objects.filter(jurisdiction=policy.jurisdiction, code=policy.code).order_by("-version")[0]
    if newest.pk != policy.pk:
        raise NotTheNewest
    kept = {name: getattr(policy, name) for name in FIELDS if name not in ("valid_from", "valid_to")}
    fields = kept | {"valid_from": today} | fields
    if fields["valid_from"] < today:
        fields["valid_from"] = today if fields["valid_from"] == policy.valid_from else fields["valid_from"]
        if fields["valid_from"] < today:
            raise StartsTooEarly
    return _add(policy.jurisdiction, policy.code, fields, version=policy.version + 1, digest="", by=by)


@transaction.atomic
def add(*, by: Agent | None, today: date, **fields: Any) -> ContactPolicy:
    """Make a policy that there was none of.

    :raises StartsTooEarly: if it would count before today
    :raises NotTheNewest: if there is one of this name
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "communications.add_contactpolicy")
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    jurisdiction, code = fields.pop("jurisdiction"), fields.pop("code")
    if ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code).exists():
        raise NotTheNewest
    if fields["valid_from"] < today:
        raise StartsTooEarly
    return _add(jurisdiction, code, fields, version=1, digest="", by=by)


def _add(
    jurisdiction: str, code: str, fields: dict[str, Any], *, version: int, digest: str, by: Agent | None
) -> ContactPolicy:
    if (fields.get("opens") is None) != (fields.get("closes") is None):
        raise _CONSTRAINTS["contact_policy_closes_after_it_opens"]
    if (fields.get("weekend_opens") is None) != (fields.get("weekend_closes") is None):
        raise _CONSTRAINTS["contact_policy_weekend_closes_after_it_opens"]
    added = ContactPolicy(jurisdiction=jurisdiction, code=code, version=version, digest=digest, by=by, **fields)
    earlier = ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code)
    for row in earlier.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=added.valid_from)):
        row.valid_to = max(added.valid_from, row.valid_from)
        row.save(update_fields=["valid_to", "updated_at"])
    with refusing(_CONSTRAINTS):
        added.save(force_insert=True)
    return added


_CONSTRAINTS: dict[str, DomainError] = {
    "contact_policy_closes_after_it_opens": WrongHours(
        "Opening and closing go together, and in this order.", field="closes"
    ),
    "contact_policy_weekend_closes_after_it_opens": WrongHours(
        "Both go together, in this order, and beside hours for the other days.", field="weekend_closes"
    ),
    "contact_policy_is_valid_for_some_time_or_none": WrongHours("It ends before it begins.", field="valid_to"),
    "contact_policy_limits_are_positive": WrongLimits(field="most"),
}


def load_after_migrate(*, using: str, **_: object) -> None:
    """Receive ``post_migrate`` of this app, also where it was migrated back to before there were policies."""
    if ContactPolicy._meta.db_table in connections[using].introspection.table_names():
        load()
