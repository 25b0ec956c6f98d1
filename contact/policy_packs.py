"""Contact policies of the shipped packs (``packs/*.toml``)."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import connections, transaction

from contact import policies
from contact.models import ContactPolicy
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock

PACKS = Path(__file__).parent / "packs"
#: Fields that a pack may give once for all its policies.
_COMMON = ("countries", "regions", "cities", "postal_prefixes", "source", "checked_on", "confidence")


class InvalidPack(DomainError):
    status = 422


@dataclass
class Loaded:
    """The result of loading packs. ``edited`` are policies with a version made by hand, which packs do not overwrite."""

    added: int = 0
    unchanged: int = 0
    edited: tuple[str, ...] = ()


@transaction.atomic
def load(*, packs: Path = PACKS) -> Loaded:
    """Load the packs' policies. A changed rule gives a new version from the pack's ``valid_from`` on; edits stay.

    :raises InvalidPack: if one of them can't be read; nothing has changed then
    """
    loaded, edited = Loaded(), []
    advisory_locks.lock(AdvisoryLock.CONTACT_POLICIES)
    newest = {(row.jurisdiction, row.code): row for row in ContactPolicy.objects.order_by("version")}
    for jurisdiction, code, fields in list(read(packs)):
        digest = hashlib.sha256(orjson.dumps([jurisdiction, code, fields], default=str)).hexdigest()
        known = newest.get((jurisdiction, code))
        if known and known.digest == digest:
            loaded.unchanged += 1
        elif known and not known.digest:
            edited.append(f"{jurisdiction}/{code}")
        else:
            version = known.version + 1 if known else 1
            policies.add_version(jurisdiction, code, fields, version=version, digest=digest)
            loaded.added += 1
    loaded.edited = tuple(edited)
    return loaded


def load_after_migrate(*, using: str, **_: object) -> None:
    """Receive ``post_migrate`` of this app, also of a migration back to before there were policies."""
    if ContactPolicy._meta.db_table in connections[using].introspection.table_names():
        load()


def read(packs: Path = PACKS) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield jurisdiction, code and fields of each policy in the packs.

    :raises InvalidPack: if a file is not a pack or has unknown fields
    """
    for path in sorted(packs.glob("*.toml")):
        try:
            yield from _read_pack(tomllib.loads(path.read_text(encoding="utf-8")))
        except KeyError as error:
            raise InvalidPack(f"{path.name}: {error} is missing.") from error
        except ValidationError as error:
            problems = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
            raise InvalidPack(f"{path.name}: {'; '.join(problems)}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidPack(f"{path.name}: {error}") from error


def _read_pack(pack: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    common = {name: pack[name] for name in _COMMON if name in pack}
    for rule in pack["policy"]:
        fields = {**common, **rule}
        code = fields.pop("code")
        if missing := [name for name in ("section", "source", "checked_on", "confidence") if not fields.get(name)]:
            raise ValueError(f"{code}: {', '.join(missing)} is missing")
        if unknown := set(fields) - set(policies.FIELDS):
            raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
        ContactPolicy(jurisdiction=pack["jurisdiction"], code=code, **fields).clean_fields(exclude=["digest"])
        yield pack["jurisdiction"], code, fields
