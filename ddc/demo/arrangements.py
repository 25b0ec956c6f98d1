"""The demo's arrangements, one in each state: proposed, agreed, paid or not paid on the days of the month."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q

from agents.models import Agent
from arrangements import decisions, offers, policies, progress, proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from arrangements.schedules import BusinessDays, Frequency
from collection.models import Debt, DebtStatus, Hold
from ddc.common import money
from ddc.common.days import agency_today, begun
from ddc.demo.context import Month
from ddc.demo.sample import SAMPLE
from debtors import calendars
from payments import posting


@dataclass(frozen=True)
class Story:
    """An arrangement of the month. Its note names it; days count back from the end of the month.

    :param first: how many days after ``day`` the first instalment is due
    :param paid: on which days what share of the total is paid
    :param ends: the day and the name of the decision that ends it
    """

    note: str
    day: int
    kind: Kind = Kind.PLAN
    first: int = 1
    number: int = 1
    frequency: Frequency = Frequency.WEEKLY
    percent: Decimal | None = None
    is_accepted: bool = True
    paid: dict[int, Decimal] = field(default_factory=dict)
    ends: tuple[int, str] | None = None


_ALL, _HALF, _THIRD = Decimal(1), Decimal("0.5"), Decimal("0.34")
_FIFTH = Decimal(20)
#: So much is owed at least, in one of these currencies, that every instalment is allowed.
_LEAST, _CURRENCIES = 250, ("GBP", "USD", "EUR")
STORIES = (
    Story("Paid by the week, all of it.", 25, number=3, paid={24: _THIRD, 17: _THIRD, 10: _ALL}),
    Story("Wages come on Fridays.", 22, number=8, paid={21: Decimal("0.125"), 14: Decimal("0.125"), 7: Decimal("0.125")}),
    Story("Starts a new job, wants to pay monthly.", 6, number=6, frequency=Frequency.MONTHLY, first=5),
    Story("Pays with the next wages.", 8, Kind.PROMISE, paid={7: _ALL}),
    Story("Promised by phone, nothing came.", 5, Kind.PROMISE),
    Story("Was in hospital; the first instalment was missed.", 8, number=4, ends=(1, "reinstate")),
    Story("A relative helps to pay it off.", 8, Kind.SETTLEMENT, percent=_FIFTH, paid={6: _ALL}),
    Story("Paid half of what we agreed.", 8, Kind.SETTLEMENT, percent=_FIFTH, paid={6: _HALF}),
    Story("Wanted to think about it.", 8, number=3, first=6, is_accepted=False),
    Story("Asked for the offer in writing.", 1, number=4, first=10, frequency=Frequency.MONTHLY, is_accepted=False),
    Story("Found it too much.", 5, number=2, first=7, is_accepted=False, ends=(3, "decline")),
    Story("Moves abroad, pays at once instead.", 8, number=5, first=9, ends=(2, "cancel")),
    Story("Cannot pay more than half.", 2, Kind.SETTLEMENT, percent=Decimal(50), first=10, is_accepted=False),
    Story("Lives on benefits, needs two years.", 1, number=24, frequency=Frequency.MONTHLY, first=10, is_accepted=False),
)  # fmt: skip
_REASONS = {
    "reinstate": "Showed a doctor's note.",
    "decline": "More than they can pay.",
    "cancel": "Paid in another way.",
}


def publish(*, by: Agent, now: datetime) -> None:
    """Publish the agency's policy in each currency of the sample."""
    for currency, least in SAMPLE["arrangements"]["min_instalment"].items():
        values = {**SAMPLE["arrangements"]["policy"], "min_instalment": Decimal(least)}
        policies.publish(ArrangementPolicy(currency_code=currency, **values), by=by, now=now)


def happen(month: Month, at: datetime) -> None:
    """Propose, accept, pay and end the arrangements of a day, and follow those that the day changes."""
    left = month.days_left(at)
    for story in STORIES:
        if story.day == left:
            _propose(story, month, at)
        elif made := Arrangement.objects.filter(note=story.note).select_related("debtor", "creditor").first():
            _continue(story, made, left, month, at)
    progress.follow_days(now=at)
    offers.expire(now=at)


def _propose(story: Story, month: Month, at: datetime) -> None:
    debt = _debt(story, month, at)
    if debt is None:
        return
    first = calendars.today(debt.debtor, at=at) + timedelta(days=story.first)
    made = proposals.propose(
        story.kind,
        debtor=debt.debtor,
        debt_ids=[debt.pk],
        schedule=Schedule(first, story.number, frequency=story.frequency, business_days=BusinessDays.AS_IS),
        percent=story.percent,
        by=month.agent,
        source=Arrangement.Source.AGENT,
        note=story.note,
        now=at,
    )
    if story.is_accepted:
        decisions.accept(made, by=month.agent, now=at)


def _continue(story: Story, made: Arrangement, left: int, month: Month, at: datetime) -> None:
    if left in story.paid:
        debt = Debt.objects.get(arrangement_parts__arrangement=made)
        amount = min(money.rounded(made.total * story.paid[left], made.currency_code), debt.current_balance)
        posting.record(
            debt=debt,
            amount=money.rounded(amount, debt.currency_code),
            payment_method="bank_transfer",
            by=month.agent,
            today=agency_today(at),
            begun=begun(at),
            now=at,
        )
        progress.follow([made.pk], now=at)
    if story.ends and story.ends[0] == left:
        decide = getattr(decisions, story.ends[1])
        by = month.supervisor if story.ends[1] == "reinstate" else month.agent
        decide(made, by=by, reason=_REASONS[story.ends[1]], now=at)


def _debt(story: Story, month: Month, at: datetime) -> Debt | None:
    """Return an open debt of a person without holds and other arrangements, the same each time."""
    today = agency_today(at)
    held = Hold.objects.active_between(today, today).filter(Q(debt=OuterRef("pk")) | Q(debtor=OuterRef("debtor")))
    arranged = Arrangement.objects.filter(debtor=OuterRef("debtor"))
    found = Debt.objects.filter(
        ~Exists(held), ~Exists(arranged), current_status=DebtStatus.ACTIVE, disputed_amount=0,
        currency_code__in=_CURRENCIES, current_balance__gte=_LEAST,
    )  # fmt: skip
    planned = {payment.debt.pk for day in month.portfolio.planned.values() for payment in day}
    ids = [pk for pk in found.order_by("external_reference").values_list("pk", flat=True) if pk not in planned]
    rng = random.Random(f"{month.seed} {story.note}")  # noqa: S311 - the same data each time, and no secret
    return Debt.objects.select_related("debtor", "creditor").get(pk=rng.choice(ids)) if ids else None
