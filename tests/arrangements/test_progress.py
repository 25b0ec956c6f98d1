"""An arrangement is kept, broken and reinstated as the ledger says: worked figures of tolerance, settlements and bounces."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
import time_machine

from arrangements import assessment, progress
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from collection.balances import accounts
from collection.models import Debt, Hold, InterestSchedule, LedgerEntry
from payments import posting
from tests import factories
from tests.arrangements.conftest import START, events, follow, noon, pay

pytestmark = pytest.mark.django_db

Agree = Callable[..., Arrangement]
APRIL = date(2027, 4, 1)


def policy(**fields: object) -> ArrangementPolicy:
    return ArrangementPolicy.objects.create(currency_code="GBP", version=1, **fields)


def debt(balance: str = "300.00") -> Debt:
    return factories.debt(currency_code="GBP", original_balance=D(balance), current_balance=D(balance))


@pytest.fixture
def plan(agree: Agree) -> Arrangement:
    """100 on 1 February, 1 March and 1 April, with 5 days of grace and a tolerance of the higher of 1.00 and 1 %."""
    policy(grace_days=5, tolerance_amount=D(1), tolerance_percent=D(1))
    owed = debt()
    arrangement = agree(owed, number=3)
    pay(owed, "99.20", date(2027, 2, 4))
    pay(owed, "150.00", date(2027, 3, 1))
    return arrangement


def owed(arrangement: Arrangement) -> Debt:
    return Debt.objects.get(arrangement_parts__arrangement=arrangement)


def test_a_tolerated_shortfall_is_carried_to_the_next_instalment(plan: Arrangement) -> None:
    steps = assessment.steps([plan.pk], day=date(2027, 3, 10))[plan.pk]
    assert [(step.paid, step.is_missed) for step in steps] == [(D(100), False), (D(100), False), (D("49.20"), False)]


def test_an_instalment_is_missed_at_the_end_of_its_last_day_of_grace(plan: Arrangement) -> None:
    assert follow(plan, date(2027, 4, 6)).status == "active"
    assert follow(plan, date(2027, 4, 7)).status == "broken"
    assert plan.broken_on == date(2027, 4, 7)
    assert assessment.steps([plan.pk], day=date(2027, 4, 7))[plan.pk][2].open == D("50.80")
    assert owed(plan).current_status == "active"


def test_a_payment_with_an_earlier_value_date_reinstates_by_itself(plan: Arrangement) -> None:
    follow(plan, date(2027, 4, 7))
    pay(owed(plan), "50.80", date(2027, 4, 6), booked=date(2027, 4, 9))
    assert follow(plan, date(2027, 4, 9)).status == "kept"
    assert events(plan) == ["proposed", "accepted", "broken", "reinstated", "kept"]


def test_a_payment_a_day_too_late_does_not(plan: Arrangement) -> None:
    follow(plan, date(2027, 4, 7))
    pay(owed(plan), "50.00", date(2027, 4, 7), booked=date(2027, 4, 9))
    assert follow(plan, date(2027, 4, 9)).status == "broken"


def test_nothing_reinstates_itself_after_the_days_for_it(agree: Agree) -> None:
    policy(grace_days=0, self_reinstate_days=2)
    due = debt()
    arrangement = agree(due, number=3)
    follow(arrangement, date(2027, 2, 2))
    pay(due, "100.00", date(2027, 2, 1), booked=date(2027, 2, 5))
    assert follow(arrangement, date(2027, 2, 5)).status == "broken"


def test_two_missed_instalments_break_a_plan_where_one_is_forgiven(agree: Agree) -> None:
    policy(grace_days=0, missed_to_break=2)
    arrangement = agree(debt(), number=3)
    assert follow(arrangement, date(2027, 2, 2)).status == "active"
    assert follow(arrangement, date(2027, 3, 2)).status == "broken"


def test_an_active_plan_gives_its_status_and_its_hold(agree: Agree) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    due.refresh_from_db()
    assert due.current_status == "payment_plan"
    assert Hold.objects.not_ended().filter(debt=due, reason="arrangement").count() == 1
    pay(due, "300.00", START)
    assert follow(arrangement, START).status == "kept"
    assert not Hold.objects.not_ended().filter(debt=due).exists()
    due.refresh_from_db()
    assert due.current_status == "paid"


def test_a_broken_settlement_voids_the_discount_and_claws_nothing_back(agree: Agree) -> None:
    policy(grace_days=0, min_settlement_percent=D(50))
    due = debt("1234.56")
    arrangement = agree(due, kind=Kind.SETTLEMENT, percent=D(40), number=2)
    assert (arrangement.total, arrangement.discount) == (D("740.74"), D("493.82"))
    pay(due, "370.37", date(2027, 2, 1))
    assert follow(arrangement, date(2027, 3, 2)).status == "broken"
    due.refresh_from_db()
    assert due.current_balance == D("864.19")
    pay(due, "370.37", date(2027, 3, 2))
    due.refresh_from_db()
    assert (due.current_balance, due.current_status) == (D("493.82"), "active")


def test_a_kept_settlement_is_one_write_off_of_the_discount(agree: Agree) -> None:
    policy(min_settlement_percent=D(50))
    due = debt("1234.56")
    arrangement = agree(due, kind=Kind.SETTLEMENT, percent=D(40), number=2)
    pay(due, "370.37", date(2027, 2, 1))
    pay(due, "370.37", date(2027, 3, 1))
    assert follow(arrangement, date(2027, 3, 1)).status == "kept"
    due.refresh_from_db()
    assert (due.current_balance, due.current_status) == (0, "settled")
    entry = LedgerEntry.objects.get(debt=due, kind="write_off")
    assert (entry.amount, entry.cause["arrangementId"]) == (D("-493.82"), str(arrangement.pk))


def test_a_settlement_waits_until_its_payment_has_cleared(agree: Agree) -> None:
    policy(min_settlement_percent=D(50), clearing_days=5)
    due = debt("100.00")
    arrangement = agree(due, kind=Kind.SETTLEMENT, percent=D(40), number=1)
    pay(due, "60.00", date(2027, 2, 1))
    assert follow(arrangement, date(2027, 2, 5)).status == "active"
    assert follow(arrangement, date(2027, 2, 6)).status == "kept"


def test_a_bounce_after_a_plan_was_kept_breaks_it(agree: Agree) -> None:
    policy(grace_days=0)
    due = debt()
    arrangement = agree(due, number=1)
    payment = pay(due, "300.00", date(2027, 2, 1))
    assert follow(arrangement, date(2027, 2, 1)).status == "kept"
    posting.void(payment, by=None, today=date(2027, 2, 9))
    assert follow(arrangement, date(2027, 2, 9)).status == "broken"
    assert events(arrangement)[-1] == "reopened"


def test_a_payment_is_followed_after_its_commit(
    agree: Agree, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    with time_machine.travel(noon(START), tick=False), django_capture_on_commit_callbacks(execute=True):
        pay(due, "300.00", START)
    arrangement.refresh_from_db()
    assert arrangement.status == "kept"


def test_a_tick_follows_the_days_of_all_arrangements(agree: Agree) -> None:
    policy(grace_days=0)
    one, other = agree(debt(), number=3), agree(debt(), number=3, first=date(2027, 5, 3))
    assert progress.follow_days(now=noon(date(2027, 2, 2))) == 1
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.status, other.status) == ("broken", "active")
    assert progress.follow_days(now=noon(date(2027, 2, 2))) == 0


def test_the_debtors_last_midnight_decides(agree: Agree) -> None:
    policy(grace_days=0)
    person = factories.debtor(country_code="US", region_state="NY", city="New York", postal_code="10001")
    arrangement = agree(
        factories.debt(debtor=person, currency_code="GBP", original_balance=D(300), current_balance=D(300))
    )
    before = noon(date(2027, 2, 2)).replace(hour=4, minute=59)  # 23:59 on 1 February in New York
    assert progress.follow_days(now=before) == 0
    assert progress.follow_days(now=before.replace(hour=5, minute=0)) == 1
    arrangement.refresh_from_db()
    assert arrangement.status == "broken"


@pytest.fixture
def bearing() -> Debt:
    """1,000.00 with interest of 1.00 a day for ten days before the start."""
    law = InterestSchedule.objects.create(code="X", name="x", section="x", source="x", fixed_percent=D("36.5"))
    found = debt("1000.00")
    Debt.objects.filter(pk=found.pk).update(interest_schedule=law, interest_from=START - timedelta(days=10))
    return found


def payoff(of: Debt, day: date) -> D:
    return accounts.payoff(Debt.objects.get(pk=of.pk), day).amount


def test_an_arrangement_counts_the_interest_until_its_proposal(agree: Agree, bearing: Debt) -> None:
    found = agree(bearing, number=2)
    assert (found.total, found.parts.get().balance_at_start) == (1010, 1010)
    assert payoff(bearing, date(2027, 2, 4)) == 1041


def test_frozen_interest_is_owed_only_if_the_arrangement_breaks(agree: Agree, bearing: Debt) -> None:
    policy(interest="frozen")
    arrangement = agree(bearing, number=2)
    pay(bearing, "10.00", date(2027, 2, 1))
    assert payoff(bearing, date(2027, 2, 4)) == 1000
    assert follow(arrangement, date(2027, 3, 20)).status == "broken"
    # 38 days on 1,000.00 until the payment, which then covers interest too, and 47 days since.
    assert payoff(bearing, date(2027, 3, 20)) == 1075
