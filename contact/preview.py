"""May this debtor be contacted now, by which channel, about which debt; and if not, why, and from when on?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collection.models import Debt
from contact.decisions import GateInput
from contact.engine import gate
from contact.engine.decision import Decision, Facts
from contact.engine.policies import Policy, least_sure
from debtors.channels import Channel
from debtors.models import Debtor

#: About how many open debts, the newest, a preview is made.
MOST_DEBTS = 50


@dataclass(frozen=True)
class Preview:
    """The gate's answer for an ordinary message by one channel. Nothing is recorded.

    ``debt`` None: about no debt in particular. ``next_at`` None: never, unless the facts change. ``policies``: those that were
    applied, the debtor's preferences included.
    """

    channel: Channel
    debt: Debt | None
    address: str
    facts: Facts
    decision: Decision
    next_at: datetime | None
    policies: tuple[Policy, ...]

    @property
    def confidence(self) -> str:
        """How sure the answer is: as its least sure reason, or where it is allowed, as the least sure policy (``Confidence``)."""
        return least_sure(one.confidence for one in self.decision.reasons or self.policies)


def previews(inputs: Iterable[GateInput], *, now: datetime) -> list[Preview]:
    """Preview planned contacts."""
    return [_preview(one, now) for one in inputs]


def _preview(asked: GateInput, now: datetime) -> Preview:
    decision = asked.decide(now)
    known = asked.policies.by_versioned_name | {wish.versioned_name: wish for wish in asked.facts.preferences}
    return Preview(
        channel=asked.request.channel,
        debt=asked.request.debt,
        address=asked.request.address,
        facts=asked.facts,
        decision=decision,
        next_at=gate.next_contact(asked.facts, asked.policies, now),
        policies=tuple(known[name] for name in decision.policies),
    )


def open_debts(debtor: Debtor) -> list[Debt]:
    """Return the debts that a preview is made about."""
    return list(
        Debt.objects.open().filter(debtor=debtor).select_related("debtor").order_by("-created_at", "-id")[:MOST_DEBTS]
    )
