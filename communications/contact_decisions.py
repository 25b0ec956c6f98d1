"""Asking the gate, and keeping what it said: before each message, and for whoever asks later."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any

import orjson
from django.db import connection

from communications import contact_facts, contact_gate, contact_policies
from communications.contact_gate import Contact, Decision, Facts, Stop
from communications.contact_rules import Place, Policies, Policy, Scope
from communications.models import CommunicationLog, ContactDecision

Stage = ContactDecision.Stage


@dataclass(frozen=True)
class Asked:
    """What the gate needs for one message: its facts, and the policies of the moment at which they were fetched."""

    facts: Facts
    policies: Policies


def ask(logs: Sequence[CommunicationLog], *, now: datetime) -> list[Asked]:
    """Fetch what the gate needs for many messages (debtors, debts and templates loaded), in a fixed number of queries."""
    policies = contact_policies.current()
    return [Asked(facts, policies) for facts in contact_facts.gather(logs, policies, now=now)]


def decide(log: CommunicationLog, asked: Asked, *, at: datetime, stage: Stage) -> Decision:
    """Decide on one message and keep the decision.

    Within the transaction that acts on it. Where contacts are counted, the person is locked until that transaction ends,
    and they are counted anew: of two workers at the last slot, the second sees what the first one took. A slot is taken by
    the message that turns ``sending``, and given back when it turns anything that doesn't count.
    """
    facts = asked.facts
    if not facts.solicited and contact_gate.applying(facts, asked.policies).counted:
        if stage != Stage.ASKED:
            lock(log)
        facts = contact_facts.again(log, facts, asked.policies, now=at)
    decision = contact_gate.decide(facts, asked.policies, at)
    keep([(log, facts, decision)], at=at, stage=stage)
    return decision


def lock(log: CommunicationLog) -> None:
    """Let one worker at a time contact a person, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 12))", [f"contact {log.debtor_id}"])


# Through one parameter, however many: PostgreSQL takes 65,535 of them in a statement.
_KEEP = """
INSERT INTO contact_decision (
    log_id, debtor_id, debt_id, channel, purpose, stage, at, verdict, until, reasons, policies, facts, facts_digest
)
SELECT log_id, debtor_id, debt_id, channel, purpose, stage, at, verdict, until, reasons, policies, facts, facts_digest
FROM jsonb_to_recordset(%s::jsonb) AS kept (
    log_id uuid, debtor_id uuid, debt_id uuid, channel text, purpose text, stage text, at timestamptz, verdict text,
    until timestamptz, reasons jsonb, policies text[], facts jsonb, facts_digest text
)
"""


def keep(decided: Sequence[tuple[CommunicationLog, Facts, Decision]], *, at: datetime, stage: Stage) -> None:
    """Write decisions down, in one statement."""
    rows = [_row(log, facts, found, at, stage) for log, facts, found in decided]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [orjson.dumps(rows).decode()])


def made_again(kept: ContactDecision) -> Decision:
    """Make a decision again, from the facts that it was made by and the versions of the policies that were asked then."""
    return contact_gate.decide(
        facts_from_json(kept.facts), contact_policies.as_asked(kept.policies, at=kept.at), kept.at
    )


def _row(log: CommunicationLog, facts: Facts, decision: Decision, at: datetime, stage: Stage) -> dict[str, Any]:
    told = facts_as_json(facts)
    return {
        "log_id": log.pk,
        "debtor_id": log.debtor_id,
        "debt_id": log.debt_id,
        "channel": log.communication_type,
        "purpose": log.purpose,
        "stage": stage.value,
        "at": at,
        "verdict": decision.verdict.value,
        "until": decision.until,
        "reasons": [reason_as_json(reason) for reason in decision.reasons],
        "policies": decision.policies,
        "facts": told,
        "facts_digest": hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    }


def reason_as_json(reason: contact_gate.Reason) -> dict[str, Any]:
    """Write a reason as it is kept."""
    told = {
        "code": reason.code.value,
        "words": reason.words,
        "section": reason.section,
        "policy": reason.policy,
        "version": reason.version,
        "until": reason.until.isoformat() if reason.until else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def digest_of(address: str) -> str:
    """Return what is kept of an address: enough to see that two are the same."""
    return hashlib.sha256(address.lower().encode()).hexdigest()[:16] if address else ""


_EMPTY: tuple[Any, ...] = (None, False, (), "", frozenset())


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """Write facts so that ``facts_from_json`` gives the same decision; what is empty is left out."""
    told: dict[str, Any] = {}
    for field in fields(facts):
        value = getattr(facts, field.name)
        if value in _EMPTY:
            continue
        told[field.name] = _plain(value)
    if facts.address:
        told["address"] = digest_of(facts.address)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Contact | Stop | Place | Policy):
        plain = {f.name: _plain(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) not in _EMPTY}
        if isinstance(value, Contact):
            plain |= {"address": digest_of(value.address), "attempted": value.attempted, "connected": value.connected}
        return plain
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, bool | int | str) else str(value)


def facts_from_json(told: dict[str, Any]) -> Facts:
    """Read facts that ``facts_as_json`` wrote; addresses stay digests, which are equal where the addresses were."""
    return Facts(
        channel=told["channel"],
        address=told.get("address", ""),
        zones=frozenset(told.get("zones", ())),
        places=frozenset(Place(**where) for where in told.get("places", ())),
        solicited=told.get("solicited", False),
        suppressed=told.get("suppressed", False),
        refused=told.get("refused"),
        debt=_id(told.get("debt")),
        debt_is_closed=told.get("debt_is_closed", False),
        debt_is_disputed=told.get("debt_is_disputed", False),
        holds=tuple(_stop(stop) for stop in told.get("holds", ())),
        history=tuple(_contact(contact) for contact in told.get("history", ())),
        consented_at=_moment(told.get("consented_at")),
        wishes=tuple(_wish(wish) for wish in told.get("wishes", ())),
        asks_for_payment=told.get("asks_for_payment", False),
        notice_missing=told.get("notice_missing", False),
        is_notice=told.get("is_notice", False),
        overshadows=told.get("overshadows", False),
        notice_period_ends=_day(told.get("notice_period_ends")),
    )


def _id(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _stop(told: dict[str, Any]) -> Stop:
    return Stop(
        told["reason"],
        Scope(told["scope"]),
        date.fromisoformat(told["starts_on"]),
        _day(told.get("ends_on")),
        told.get("payment_requests_alone", False),
    )


def _contact(told: dict[str, Any]) -> Contact:
    return Contact(**{**told, "at": datetime.fromisoformat(told["at"]), "debt": _id(told.get("debt"))})


def _wish(told: dict[str, Any]) -> Policy:
    def clock(name: str) -> time | None:
        return time.fromisoformat(told[name]) if name in told else None

    return Policy(
        told["jurisdiction"],
        told["code"],
        told["section"],
        channels=frozenset(told.get("channels", ())),
        weekdays=frozenset(told.get("weekdays", ())),
        opens=clock("opens"),
        closes=clock("closes"),
    )
