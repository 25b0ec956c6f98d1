"""The demo's disputes at every step and holds for every reason, through the domain functions."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.models import Agent
from collection import disputes
from collection.holds import holds
from collection.holds.reasons import POLICIES
from collection.models import Debt, DebtStatus, Dispute, Hold
from ddc.common import money
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor

_OUTCOMES = ("verify", "adjust", "withdraw", "recall")


def open_disputes(
    rng: random.Random, debts: Sequence[Debt], *, agent: Agent, supervisor: Agent, now: datetime
) -> list[Dispute]:
    """Dispute the debts that were generated as disputed; most stay open, some are decided."""
    disputed = [debt for debt in debts if debt.current_status == DebtStatus.DISPUTED]
    Debt.objects.filter(pk__in=[debt.pk for debt in disputed]).update(current_status=DebtStatus.ACTIVE)
    return [_dispute(rng, debt, agent, supervisor, now) for debt in disputed]


def _dispute(rng: random.Random, debt: Debt, agent: Agent, supervisor: Agent, now: datetime) -> Dispute:
    at = max(debt.created_at, now - timedelta(minutes=rng.randint(20, 30_000)))
    reason, evidence = rng.choice(SAMPLE["disputes"])
    in_portal = rng.random() < 0.5
    third = money.rounded(debt.current_balance / 3, debt.currency_code)
    dispute = disputes.receive(
        debt,
        channel=Dispute.Channel.PORTAL if in_portal else rng.choice(("phone", "letter", "email")),
        reason=reason,
        evidence=evidence or None,
        portion=third if third and rng.random() < 0.4 else None,
        by=None if in_portal else agent,
        now=at,
    )
    if rng.random() < 0.7:
        disputes.ask_creditor(dispute, by=agent, now=min(now, at + timedelta(hours=4)))
        if rng.random() < 0.4:
            outcome = rng.choice(_OUTCOMES)
            more = (
                {"balance": money.rounded(debt.current_balance - third, debt.currency_code)}
                if outcome == "adjust" and third
                else {}
            )
            decide = getattr(disputes, outcome if outcome != "adjust" or third else "verify")
            decide(dispute, answer="The creditor's letter is in the file.", by=supervisor, now=now, **more)
    return dispute


def open_holds(
    rng: random.Random, debtors: Sequence[Debtor], *, agent: Agent, supervisor: Agent, now: datetime
) -> list[Hold]:
    """Open holds on some debtors, up to two months ago: some are due for review, some wait for approval."""
    opened = []
    for row in SAMPLE["holds"]:
        reason = Hold.Reason(row["reason"])
        nations = POLICIES[reason].nations
        possible = [debtor for debtor in debtors if row.get("country") in (None, debtor.country_code)]
        if nations:
            possible = [debtor for debtor in possible if holds.lives_in(debtor, nations)]
        for debtor in rng.sample(possible, row["count"]):
            at, by = now - timedelta(days=rng.randint(0, 55)), rng.choice((agent, supervisor))
            source = rng.choice(SAMPLE["hold_sources"])
            opened.append(holds.open_hold(reason=reason, debtor=debtor, source=source, by=by, now=at))
    return opened
