"""After a pause a rule is due by its own policy, and never twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from collection import states
from collection.balances import ledger
from collection.models import Debt, Hold
from strategy import runs
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.strategy import makers

pytestmark = pytest.mark.django_db

PLACED = date(2026, 3, 2)


def hold(debt: Debt, first: int, last: int, **values: Any) -> Hold:
    """A hold from a day after placement to the day before another one."""
    starts_on, ends_on = PLACED + timedelta(days=first), PLACED + timedelta(days=last)
    owner = {} if "debtor" in values else {"debt": debt}
    fields = {"reason": "deferral", "starts_on": starts_on, "ends_on": ends_on} | owner
    return Hold.objects.create(**fields | values)


def queued_on(after_pause: str, *, days: int = 10, pauses: tuple[tuple[int, int], ...], own: bool = True) -> list[int]:
    """The days after placement on which a rule queues, for the pauses of its debt or of the person."""
    rule = makers.rule(days_since_placement=days, after_pause=after_pause, max_lateness_days=2)
    debt = factories.debt(segment=rule.segment, placement_date=PLACED)
    for first, last in pauses:
        hold(debt, first, last, **({} if own else {"debtor": debt.debtor}))
    found = []
    for day in range(60):
        now = datetime.combine(PLACED + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=9)
        runs.run_now(dry_run=False, by=None, clock=lambda now=now: now)
        if StrategyStep.objects.filter(debt=debt).count() > len(found):
            found.append(day)
    return found


@pytest.mark.parametrize("own", [True, False])
def test_the_clock_stands_still_during_a_pause(own):
    assert queued_on("shift", pauses=((5, 25),), own=own) == [30]


@pytest.mark.parametrize(
    ("after_pause", "pauses", "expected"),
    [
        ("shift", ((12, 25),), [10]),  # It was due before.
        ("shift", ((10, 25),), [25]),  # It was due on the first day of the pause.
        (
            "shift",
            ((2, 4), (3, 8), (14, 20)),
            [22],
        ),  # Two overlap: 6 days; then due on day 16, so the third counts too.
        ("catch_up", ((5, 25),), [25]),
        ("catch_up", ((2, 6),), [10]),
        ("skip", ((5, 25),), []),
        ("skip", ((5, 11),), [11]),  # Still within its lateness.
    ],
)
def test_what_a_rule_does_after_a_pause(after_pause, pauses, expected):
    assert queued_on(after_pause, pauses=pauses) == expected


def test_the_time_in_which_a_debt_was_closed_is_a_pause():
    rule = makers.rule(days_since_placement=10, max_lateness_days=0, after_pause="shift")
    debt = factories.debt(segment=rule.segment, placement_date=PLACED)
    supervisor = factories.agent()
    for status, day in (("written_off", 5), ("active", 25)):
        debt.refresh_from_db()
        now = datetime.combine(PLACED + timedelta(days=day), datetime.min.time(), UTC)
        with transaction.atomic():
            states.change(ledger.lock_debt(debt.pk), status, by=supervisor, today=now.date(), posted_at=now)
    for day, expected in ((29, 0), (30, 1), (31, 0)):
        now = datetime.combine(PLACED + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=9)
        run = runs.run_now(dry_run=False, by=None, clock=lambda now=now: now)
        assert run.rules[0]["queued"] == expected


def test_a_hold_that_does_not_block_the_strategy_is_no_pause():
    rule = makers.rule(days_since_placement=10, max_lateness_days=0)
    debt = factories.debt(segment=rule.segment, placement_date=PLACED)
    hold(debt, 5, 25, blocks_strategy=False)
    now = datetime(2026, 3, 12, 9, tzinfo=UTC)
    assert runs.run_now(dry_run=False, by=None, clock=lambda: now).rules[0]["queued"] == 1


def test_of_several_rules_in_one_pause_only_the_last_is_caught_up_with():
    first = makers.rule(days_since_placement=10, after_pause="catch_up")
    others = [makers.rule(segment=first.segment, days_since_placement=days) for days in (17, 24, 26)]
    debt = factories.debt(segment=first.segment, placement_date=PLACED)
    hold(debt, 5, 25)
    for day in (25, 26, 27):
        now = datetime.combine(PLACED + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=9)
        runs.run_now(dry_run=False, by=None, clock=lambda now=now: now)
        if day == 25:
            report = makers.lines(StrategyRun.objects.get())
            assert report[first.name] == (1, 0, {"superseded": 1})
            assert report[others[1].name] == (1, 1, {})
    assert set(StrategyStep.objects.values_list("rule", flat=True)) == {others[1].pk, others[2].pk}
