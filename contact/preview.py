"""May this debtor be contacted now, by which channel, about which debt; and if not, why, and from when on?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collection.models import Debt
from contact.decisions import GateInput
from contact.engine import gate
from contact.engine.decision import Decision, Facts
from debtors.channels import Channel
from debtors.models import Debtor

#: About how many open debts, the newest, a preview is made.
MOST_DEBTS = 50


@dataclass(frozen=True)
class Preview:
    """The gate's answer for an ordinary message by one channel. Nothing is recorded.

    ``debt`` None: about no debt in particular. ``next_at`` None: never, unless the facts change.
    """

    channel: Channel
    debt: Debt | None
    address: str
    facts: Facts
    decision: Decision
    next_at: datetime | None


def previews(inputs: Iterable[GateInput], *, now: datetime) -> list[Preview]:
    """Preview planned contacts."""
    return [
        Preview(
            channel=one.request.channel,
            debt=one.request.debt,
            address=one.request.address,
            facts=one.facts,
            decision=one.decide(now),
            next_at=gate.next_contact(one.facts, one.policies, now),
        )
        for one in inputs
    ]


def open_debts(debtor: Debtor) -> list[Debt]:
    """Return the debts that a preview is made about."""
    return list(
        Debt.objects.open().filter(debtor=debtor).select_related("debtor").order_by("-created_at", "-id")[:MOST_DEBTS]
    )
