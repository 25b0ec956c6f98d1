"""What stops collection in the demo: disputes at every step, and holds for every reason, through the rules."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.models import Agent
from collection import disputes
from collection.holds import holds
from collection.models import Debt, DebtStatus, Dispute, Hold
from ddc.common import money
from ddc.demo.texts import DISPUTES, HOLDS
from debtors.models import Debtor

#: How many of each, and in which country where that matters.
_HOLDS: tuple[tuple[Hold.Reason, int, str | None], ...] = (
    (Hold.Reason.MORATORIUM, 8, "GB"),
    (Hold.Reason.MENTAL_HEALTH_MORATORIUM, 3, "GB"),
    (Hold.Reason.ATTORNEY, 6, "US"),
    (Hold.Reason.CEASE, 6, None),
    (Hold.Reason.BANKRUPTCY, 4, None),
    (Hold.Reason.DECEASED, 4, None),
    (Hold.Reason.VULNERABLE, 8, None),
    (Hold.Reason.ARRANGEMENT, 8, None),
    (Hold.Reason.CLIENT_REQUEST, 6, None),
    (Hold.Reason.COMPLAINT, 7, None),
)
_OUTCOMES = ("verify", "adjust", "withdraw", "recall")


def dispute(
    dice: random.Random, debts: Sequence[Debt], *, agent: Agent, supervisor: Agent, now: datetime
) -> list[Dispute]:
    """Have debtors dispute the debts that were made up as disputed; most wait, some are decided."""
    disputed = [debt for debt in debts if debt.current_status == DebtStatus.DISPUTED]
    Debt.objects.filter(pk__in=[debt.pk for debt in disputed]).update(current_status=DebtStatus.ACTIVE)
    return [_dispute(dice, debt, agent, supervisor, now) for debt in disputed]


def _dispute(dice: random.Random, debt: Debt, agent: Agent, supervisor: Agent, now: datetime) -> Dispute:
    at = max(debt.created_at, now - timedelta(minutes=dice.randint(20, 30_000)))
    reason, evidence = dice.choice(DISPUTES)
    in_portal = dice.random() < 0.5
    third = money.rounded(debt.current_balance / 3, debt.currency_code)
    made = disputes.receive(
        debt,
        channel=Dispute.Channel.PORTAL if in_portal else dice.choice(("phone", "letter", "email")),
        reason=reason,
        evidence=evidence,
        portion=third if third and dice.random() < 0.4 else None,
        by=None if in_portal else agent,
        now=at,
    )
    if dice.random() < 0.7:
        disputes.ask_creditor(made, by=agent, now=min(now, at + timedelta(hours=4)))
        if dice.random() < 0.4:
            outcome = dice.choice(_OUTCOMES)
            more = {"balance": debt.current_balance - third} if outcome == "adjust" and third else {}
            rule = getattr(disputes, outcome if outcome != "adjust" or third else "verify")
            rule(made, answer="The creditor's letter is in the file.", by=supervisor, now=now, **more)
    return made


def hold(
    dice: random.Random, debtors: Sequence[Debtor], *, agent: Agent, supervisor: Agent, now: datetime
) -> list[Hold]:
    """Place holds on some debtors, begun up to two months ago: some due for review, some waiting for approval."""
    made = []
    for reason, count, country in _HOLDS:
        for debtor in dice.sample([one for one in debtors if country in (None, one.country_code)], count):
            at, by = now - timedelta(days=dice.randint(0, 55)), dice.choice((agent, supervisor))
            made.append(holds.place(reason=reason, debtor=debtor, source=dice.choice(HOLDS), by=by, now=at))
    return made
