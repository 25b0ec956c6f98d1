"""Ask the gate about planned contacts, and record what it decided."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from contact import facts, policies
from contact.decision_json import facts_from_json, facts_to_json
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact, Decision, Facts, Verdict
from contact.facts import ContactRequest
from contact.models import ContactDecision, Purpose
from ddc.common import dataclass_json

Stage = ContactDecision.Stage


@dataclass(frozen=True)
class GateInput:
    """A planned contact with its facts, and the policies at the moment when they were fetched."""

    request: ContactRequest
    facts: Facts
    policies: PolicySet
    at: datetime

    def decide(self, now: datetime) -> Decision:
        return gate.decide(self.facts, self.policies, now)


def inputs(requests: Sequence[ContactRequest], policy_set: PolicySet, *, now: datetime) -> list[GateInput]:
    """Fetch the facts about many requests, in a fixed number of queries."""
    gathered = facts.gather(requests, now=now)
    return [GateInput(request, its, policy_set, now) for request, its in zip(requests, gathered, strict=True)]


class TakenSlots:
    """Contacts that were just allowed. Each counts for the requests after it, as it will once it is made."""

    def __init__(self) -> None:
        self._contacts: defaultdict[object, list[Contact]] = defaultdict(list)

    def decide(self, asked: GateInput, *, now: datetime) -> tuple[GateInput, Decision]:
        """Decide on a request after those before it, and take its slot if it is allowed."""
        request, known = asked.request, asked.facts
        if request.purpose != Purpose.COLLECTION:
            return asked, asked.decide(now)
        owners: set[object] = {request.debtor.pk if request.debtor else None}
        if asked.policies.count_by_address:
            owners.add(known.address)
        taken = {id(contact): contact for owner in owners for contact in self._contacts[owner]}
        asked = replace(asked, facts=replace(known, history=(*known.history, *taken.values()))) if taken else asked
        decision = asked.decide(now)
        if decision.verdict == Verdict.ALLOW:
            contact = Contact(now, known.channel, known.debt_id, known.address, creditor_id=known.creditor_id)
            for owner in owners:
                self._contacts[owner].append(contact)
        return asked, decision


# One parameter for all rows: PostgreSQL takes at most 65,535 parameters in a statement.
_RECORD = """
INSERT INTO contact_decision (
    message_id, debtor_id, debt_id, channel, purpose, stage, at, verdict, until, reasons, policies, facts, facts_digest
)
SELECT message_id, debtor_id, debt_id, channel, purpose, stage, at, verdict, until, reasons, policies, facts, facts_digest
FROM jsonb_to_recordset(%s::jsonb) AS decided (
    message_id uuid, debtor_id uuid, debt_id uuid, channel text, purpose text, stage text, at timestamptz, verdict text,
    until timestamptz, reasons jsonb, policies text[], facts jsonb, facts_digest text
)
"""


def record(decided: Sequence[tuple[GateInput, Decision]], *, stage: Stage, now: datetime) -> None:
    """Record decisions in one statement."""
    if decided:
        rows = [_row(asked, decision, stage, now) for asked, decision in decided]
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, [orjson.dumps(rows).decode()])


def repeat(recorded: ContactDecision) -> Decision:
    """Decide again from the recorded facts, under the versions of the policies that were applied then."""
    versions = policies.as_applied(recorded.policies, now=recorded.at)
    return gate.decide(facts_from_json(recorded.facts), versions, recorded.at)


def _row(asked: GateInput, decision: Decision, stage: Stage, now: datetime) -> dict[str, Any]:
    request, known = asked.request, facts_to_json(asked.facts)
    return {
        "message_id": request.message_id,
        "debtor_id": request.debtor.pk if request.debtor else None,
        "debt_id": request.debt.pk if request.debt else None,
        "channel": request.channel,
        "purpose": request.purpose.value,
        "stage": stage.value,
        "at": now,
        "verdict": decision.verdict.value,
        "until": decision.until,
        "reasons": [dataclass_json.write(reason) for reason in decision.reasons],
        "policies": decision.policies,
        "facts": known,
        "facts_digest": hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    }
