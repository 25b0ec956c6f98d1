"""May this debtor be contacted now, by which channel, about which debt; and if not, why, and when next?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collection.models import OPEN, Debt
from communications import suppressions
from communications.contact import decisions, gate
from communications.contact.gate import PASSING, Decision, Facts, Verdict
from communications.contact.rules import Policies
from communications.models import CommunicationLog
from debtors.channels import Channel
from debtors.models import Debtor

#: About how many open debts, the newest, a preview tells.
MOST_DEBTS = 50
#: How often one thing that is in the way may follow another until ``next_moment`` gives up.
_ROUNDS = 30


@dataclass(frozen=True)
class Preview:
    """What the gate would say of an ordinary message by one channel, and from when on it would let it go.

    ``debt`` None: about no debt in particular. ``next_at`` None: nothing but a change of the facts would let it go.
    """

    channel: Channel
    debt: Debt | None
    address: str
    facts: Facts
    decision: Decision
    next_at: datetime | None


def of_debtor(debtor: Debtor, *, debts: Sequence[Debt], now: datetime) -> list[Preview]:
    """Ask the gate about each channel, about no debt in particular and then about each of these, and keep nothing.

    The number of queries depends neither on the debts nor on the channels.
    """
    logs = [
        CommunicationLog(debtor=debtor, debt=debt, communication_type=channel)
        for debt in (None, *debts)
        for channel in Channel
    ]
    return [_preview(log, asked, now=now) for log, asked in zip(logs, decisions.ask(logs, now=now), strict=True)]


def open_debts(debtor: Debtor) -> list[Debt]:
    """Return the debts that a preview tells about."""
    return list(Debt.objects.filter(debtor=debtor, current_status__in=OPEN).order_by("-created_at", "-id")[:MOST_DEBTS])


def _preview(log: CommunicationLog, asked: decisions.Asked, *, now: datetime) -> Preview:
    return Preview(
        channel=Channel(log.communication_type),
        debt=log.debt,
        address=suppressions.address_of(log),
        facts=asked.facts,
        decision=gate.decide(asked.facts, asked.policies, now),
        next_at=next_moment(asked.facts, asked.policies, now),
    )


def next_moment(facts: Facts, policies: Policies, at: datetime) -> datetime | None:
    """Return the first moment from ``at`` on at which these facts let a contact go; None if they never will.

    Unlike a postponement it waits for holds that have an end, too.
    """
    for _ in range(_ROUNDS):
        decision = gate.decide(facts, policies, at)
        if decision.verdict == Verdict.ALLOW:
            return at
        if decision.until:
            at = decision.until
            continue
        ends = [reason.until for reason in decision.reasons if reason.code not in PASSING]
        known = [until for until in ends if until and until > at]
        if not known or len(known) < len(ends):
            return None
        at = max(known)
    return None
