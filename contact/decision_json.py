"""Facts and reasons as JSON, so that a recorded decision can be repeated. Empty values are left out."""

import hashlib
import uuid
from dataclasses import fields
from datetime import date, datetime, time
from typing import Any

from contact.engine.decision import Contact, ContactBlock, Facts, Reason, ReasonCode
from contact.engine.policies import Location, Policy, Scope
from debtors import emails

_FACTS = tuple(field.name for field in fields(Facts))


def reason_to_json(reason: Reason) -> dict[str, Any]:
    """Write a reason as it is recorded."""
    values = {
        "code": reason.code.value,
        "text": reason.text,
        "section": reason.section,
        "policy": reason.policy,
        "version": reason.version,
        "until": reason.until.isoformat() if reason.until else None,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def reason_from_json(values: dict[str, Any]) -> Reason:
    """Read a reason that ``reason_to_json`` wrote."""
    return Reason(**{**values, "code": ReasonCode(values["code"]), "until": _moment(values.get("until"))})


def address_digest(address: str) -> str:
    """Return what is recorded of an address: enough to see that two are the same."""
    return hashlib.sha256(emails.normalise(address).encode()).hexdigest()[:16] if address else ""


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Write facts so that ``facts_from_json`` leads to the same decision; addresses become digests."""
    values = {name: _plain(value) for name in _FACTS if (value := getattr(facts, name))}
    if facts.address:
        values["address"] = address_digest(facts.address)
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Contact | ContactBlock | Location | Policy):
        plain = {f.name: _plain(found) for f in fields(value) if (found := getattr(value, f.name))}
        if isinstance(value, Contact):
            plain |= {
                "address": address_digest(value.address), "attempted": value.attempted, "connected": value.connected
            }  # fmt: skip
        return plain
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, bool | int | str) else str(value)


def facts_from_json(values: dict[str, Any]) -> Facts:
    """Read facts that ``facts_to_json`` wrote. Addresses stay digests, which are equal where the addresses were."""
    read = {
        "address": values.get("address", ""),
        "zones": frozenset(values.get("zones", ())),
        "locations": frozenset(Location(**where) for where in values.get("locations", ())),
        "debt_id": _id(values.get("debt_id")),
        "blocks": tuple(_block(block) for block in values.get("blocks", ())),
        "history": tuple(_contact(contact) for contact in values.get("history", ())),
        "consented_at": _moment(values.get("consented_at")),
        "preferences": tuple(_preference(preference) for preference in values.get("preferences", ())),
        "validation_period_ends": _day(values.get("validation_period_ends")),
    }
    return Facts(**(values | read))


def _id(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _block(values: dict[str, Any]) -> ContactBlock:
    read = {
        "scope": Scope(values["scope"]),
        "starts_on": _day(values["starts_on"]),
        "ends_on": _day(values.get("ends_on")),
    }
    return ContactBlock(**(values | read))


def _contact(values: dict[str, Any]) -> Contact:
    return Contact(**(values | {"at": _moment(values["at"]), "debt_id": _id(values.get("debt_id"))}))


def _preference(values: dict[str, Any]) -> Policy:
    def clock(name: str) -> time | None:
        return time.fromisoformat(values[name]) if name in values else None

    return Policy(
        values["jurisdiction"],
        values["code"],
        values["section"],
        channels=frozenset(values.get("channels", ())),
        weekdays=frozenset(values.get("weekdays", ())),
        opens=clock("opens"),
        closes=clock("closes"),
    )
