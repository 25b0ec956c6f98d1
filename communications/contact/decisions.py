"""Asking the gate, and keeping what it said: before each message, and for whoever asks later."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time
from typing import Any

import orjson
from django.db import connection

from communications.contact import circumstances, gate, policy_book
from communications.contact.gate import Contact, Decision, Facts, Stop, Verdict
from communications.contact.rules import Place, Policies, Policy, Rules, Scope
from communications.models import CommunicationLog, ContactDecision
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from debtors import emails

Stage = ContactDecision.Stage


@dataclass(frozen=True)
class Asked:
    """What the gate needs for one message: its facts, and the policies of the moment ``at`` which they were fetched."""

    facts: Facts
    policies: Policies
    at: datetime


def ask(logs: Sequence[CommunicationLog], *, now: datetime) -> list[Asked]:
    """Fetch what the gate needs for many messages (debtors, debts and templates loaded), in a fixed number of queries."""
    policies = policy_book.current()
    rules = circumstances.rules_of(logs, policies)
    return [Asked(facts, policies, now) for facts in circumstances.gather(logs, rules, now=now)]


def answer(log: CommunicationLog, *, at: datetime, stage: Stage = Stage.ASKED) -> Decision:
    """Tell whoever wants to make a contact now what the gate says of it, and keep that.

    A message is asked about again when it is sent. Who acts on the answer at once holds the person's lock.
    """
    (asked,) = ask([log], now=at)
    decision = gate.decide(asked.facts, asked.policies, at)
    keep([(log, asked.facts, decision)], at=at, stage=stage)
    return decision


def decide_all(logs: Sequence[CommunicationLog], *, at: datetime) -> list[tuple[Asked, Decision]]:
    """Decide on messages that this very transaction has claimed, and keep the decisions; a fixed number of queries.

    Where contacts are counted, the persons are locked until the transaction ends, before anything is counted. From then on
    a claimed message counts itself, as one that is sent does: of two workers at the last slot, the second sees what the
    first one took. A slot is given back when its message turns anything that doesn't count.
    """
    policies = policy_book.current()
    rules = circumstances.rules_of(logs, policies)
    counting = {pk: found for pk, found in rules.items() if found.counted}
    lock([log for log in logs if log.pk in counting])
    taken: dict[object, list[Contact]] = {}
    decided = []
    for log, facts in zip(logs, circumstances.gather(logs, rules, now=at), strict=True):
        if log.pk in counting and (others := _taken_by(log, facts, counting[log.pk], taken)):
            facts = replace(facts, history=(*facts.history, *others))
        decision = gate.decide(facts, policies, at)
        if decision.verdict == Verdict.ALLOW and not facts.solicited:
            contact = Contact(at=at, channel=facts.channel, debt=facts.debt, address=facts.address)
            for whose in (log.debtor_id, facts.address):
                taken.setdefault(whose, []).append(contact)
        decided.append((Asked(facts, policies, at), decision))
    keep(
        [(log, asked.facts, found) for log, (asked, found) in zip(logs, decided, strict=True)],
        at=at,
        stage=Stage.SENDING,
    )
    return decided


def _taken_by(
    log: CommunicationLog, facts: Facts, rules: Rules, taken: Mapping[object, list[Contact]]
) -> list[Contact]:
    """Return the slots that messages of the same batch have taken."""
    of_person = taken.get(log.debtor_id, [])
    if not any(policy.scope == Scope.ADDRESS for policy in rules.caps):
        return of_person
    return [*of_person, *(one for one in taken.get(facts.address, []) if not any(one is other for other in of_person))]


def lock(logs: Iterable[CommunicationLog]) -> None:
    """Let one worker at a time contact these persons, until the transaction ends; in one order, so that no two block."""
    people = {str(log.debtor_id) for log in logs}
    if people:
        advisory_locks.lock(AdvisoryLock.CONTACT, *people)


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
    if decided:
        rows = [_row(log, facts, found, at, stage) for log, facts, found in decided]
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [orjson.dumps(rows).decode()])


def made_again(kept: ContactDecision) -> Decision:
    """Make a decision again, from the facts that it was made by and the versions of the policies that were asked then."""
    return gate.decide(facts_from_json(kept.facts), policy_book.as_asked(kept.policies, at=kept.at), kept.at)


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


def reason_as_json(reason: gate.Reason) -> dict[str, Any]:
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


def reason_from_json(told: dict[str, Any]) -> gate.Reason:
    """Read a reason that ``reason_as_json`` wrote."""
    return gate.Reason(
        gate.Code(told["code"]),
        told["words"],
        section=told.get("section", ""),
        policy=told.get("policy", ""),
        version=told.get("version"),
        until=_moment(told.get("until")),
    )


def digest_of(address: str) -> str:
    """Return what is kept of an address: enough to see that two are the same."""
    return hashlib.sha256(emails.normalise(address).encode()).hexdigest()[:16] if address else ""


_FACTS = tuple(field.name for field in fields(Facts))


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """Write facts so that ``facts_from_json`` gives the same decision; what is empty is left out."""
    told = {name: _plain(value) for name in _FACTS if (value := getattr(facts, name))}
    if facts.address:
        told["address"] = digest_of(facts.address)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Contact | Stop | Place | Policy):
        plain = {f.name: _plain(found) for f in fields(value) if (found := getattr(value, f.name))}
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
        at_work=told.get("at_work", False),
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
