"""Debts of the demo that bear interest, costs and fees, one from each of four countries, with back-dated payments."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from arrangements.models import Arrangement
from collection import charges
from collection.balances import accounts, interest
from collection.claims.interest import next_half_year
from collection.models import Debt, DebtStatus, Hold, SeriesRate
from collection.tariffs import rates, schedules
from ddc.common import money
from ddc.common.days import agency_today
from ddc.demo.context import Month
from ddc.demo.portfolio import part
from payments import posting, returns

#: The debts are booked so many days before the end, back to their placement, which is so many days ago.
_DAY, _OLDEST, _YOUNGEST = 1, 110, 60
#: On which days after the placement which share of the open balance is paid.
_PAID = ((20, 0.2), (34, 0.15), (48, 0.1))


@dataclass(frozen=True)
class Story:
    """A debt of one country.

    :param rule: the cost rule, with its factor
    :param fee: a fee of the agency, with its legal basis
    :param bounces: the last payment is charged back
    :param waives: some of the interest is waived
    """

    country: str
    currency: str
    schedule: str
    rule: tuple[str, str] | None = None
    fee: tuple[str, str] | None = None
    bounces: bool = False
    waives: bool = False


STORIES = (
    Story("DE", "EUR", "DE_B2C", rule=("DE_RVG", "usual"), bounces=True),
    Story("NL", "EUR", "NL_B2C", rule=("NL_WIK", "")),
    Story("GB", "GBP", "CONTRACT_8", fee=("15.00", "Clause 9 of the credit agreement"), waives=True),
    Story("US", "USD", "CONTRACT_8", fee=("25.00", "Returned payment fee, clause 12 of the contract")),
)
#: Rates of the last half-years that the product does not ship.
_RATES = {"DE_BASE": "1.27", "NL_B2C": "4.00"}
_SOURCE = "An example of the demo. Load the published rate."


def happen(month: Month, at: datetime) -> None:
    """Book the debts, on one day of the month."""
    if month.days_left(at) != _DAY:
        return
    today = agency_today(at)
    _set_up(month, today)
    for story in STORIES:
        if debt := _debt(story, month, today):
            _book(story, debt, month, at)


def _set_up(month: Month, today: date) -> None:
    day = next_half_year(today - timedelta(days=400))
    while day <= today:
        for series, rate in _RATES.items():
            if not SeriesRate.objects.filter(series=series, valid_from=day).exists():
                rates.add(series=series, valid_from=day, rate=Decimal(rate), source=_SOURCE)
        day = next_half_year(day)
    words = {"name": "Contract: 8 % a year", "section": "The contract with the debtor", "source": "contract"}
    schedules.add(code="CONTRACT_8", fixed_percent=Decimal(8), **words, by=month.supervisor)


def _book(story: Story, debt: Debt, month: Month, at: datetime) -> None:
    today, placed = agency_today(at), debt.placement_date
    supervisor: dict[str, Any] = {"by": month.supervisor, "today": today, "posted_at": at}
    interest.set_terms(debt, schedule=story.schedule, since=placed, **supervisor)
    due = placed + timedelta(days=14)
    if story.rule:
        code, factor = story.rule
        charges.charge(debt, rule_code=code, factor=factor, value_date=due, **supervisor)
    if story.fee:
        amount, basis = story.fee
        charges.charge(debt, component="fees", amount=Decimal(amount), reason=basis, value_date=due, **supervisor)
    for days, share in _PAID:
        debt.refresh_from_db()
        paid: dict[str, Any] = {"payment_method": "direct_debit", "payment_date": placed + timedelta(days=days)}
        payment = posting.record(debt=debt, amount=part(debt, share), by=month.agent, today=today, now=at, **paid)
    if story.bounces:
        why = "The account had too little money."
        returns.charge_back(payment, now=at, reason=why, by=month.supervisor, today=today)
    if story.waives:
        owed = accounts.owed(Debt.objects.get(pk=debt.pk), today).interest
        waived = {"interest": money.rounded(owed / 2, debt.currency_code)}
        charges.waive(debt, waived, reason="Vulnerable customer, agreed on the phone.", **supervisor)


def _debt(story: Story, month: Month, today: date) -> Debt | None:
    """Return an old open debt of the country without holds, disputes and arrangements, the same each time."""
    held = Hold.objects.active_between(today, today).filter(Q(debt=OuterRef("pk")) | Q(debtor=OuterRef("debtor")))
    arranged = Arrangement.objects.filter(debtor=OuterRef("debtor"))
    found = Debt.objects.filter(
        ~Exists(held),
        ~Exists(arranged),
        current_status=DebtStatus.ACTIVE,
        disputed_amount=0,
        currency_code=story.currency,
        debtor__country_code=story.country,
        placement_date__range=(today - timedelta(days=_OLDEST), today - timedelta(days=_YOUNGEST)),
        current_balance__gte=400,
    )
    ids = list(found.order_by("external_reference").values_list("pk", flat=True))
    rng = random.Random(f"{month.seed} {story.country}")  # noqa: S311 - the same data each time, and no secret
    return Debt.objects.select_related("debtor", "creditor").get(pk=rng.choice(ids)) if ids else None
