"""The facts of a decision as they are recorded, so that it can be repeated: without addresses."""

import hashlib
from dataclasses import replace
from typing import Any

from contact.engine.decision import Facts
from ddc.common import dataclass_json
from debtors import contact_points


def address_digest(address: str) -> str:
    """Return what is recorded of an address: enough to see that two are the same."""
    return hashlib.sha256(contact_points.normal_form(address).encode()).hexdigest()[:16] if address else ""


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Write facts so that ``facts_from_json`` leads to the same decision; addresses become digests."""
    history = tuple(replace(contact, address=address_digest(contact.address)) for contact in facts.history)
    values: dict[str, Any] = dataclass_json.write(
        replace(facts, address=address_digest(facts.address), history=history)
    )
    return values


def facts_from_json(values: dict[str, Any]) -> Facts:
    """Read facts that ``facts_to_json`` wrote. Addresses stay digests, which are equal where the addresses were."""
    return dataclass_json.read(Facts, values)
