"""The strategy after a restore: a day that a lost database may have run is not run again."""

from datetime import timedelta

import pytest

from communications.models import CommunicationLog, DatabaseRestore
from strategy import recovery
from strategy.models import StrategyRun
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db


def restored(*, days_ago: int = 0) -> None:
    now = makers.clock()
    DatabaseRestore.objects.create(
        dump_taken_at=now - timedelta(days=9), stopped_at=now - timedelta(days=days_ago), handled_at=now
    )


def test_an_occurrence_up_to_the_crash_queues_nothing_and_a_later_one_does():
    rule = makers.rule(max_lateness_days=3)
    for late in (0, 1, 2):
        makers.due_debt(rule, late=late)
    restored(days_ago=1)

    assert makers.lines(makers.run()) == {rule.name: (3, 1, {"before_restore": 2})}
    assert CommunicationLog.objects.count() == 1
    assert makers.lines(makers.run()) == {rule.name: (3, 0, {"already_queued": 1, "before_restore": 2})}


def test_a_debt_that_was_left_out_at_the_restore_gets_nothing_later():
    rule = makers.rule()
    debt = makers.due_debt(rule, current_status="payment_plan")
    debt.current_status = "disputed"
    debt.save()
    restored()
    debt.current_status = "active"
    debt.save()
    assert makers.lines(makers.run()) == {rule.name: (1, 0, {"before_restore": 1})}


def test_what_is_due_is_counted_by_rule():
    rule = makers.rule()
    makers.due_debt(rule)
    makers.due_debt(rule)
    makers.rule(is_active=False)
    assert recovery.due(now=makers.clock()) == {rule.name: 2}
    restored()
    assert recovery.due(now=makers.clock()) == {}


def test_runs_of_the_dump_are_ended_and_finished_ones_stay():
    for status in StrategyRun.Status:
        if status != StrategyRun.Status.PLANNED:
            StrategyRun.objects.create(status=status, date=TODAY)
    now = makers.clock()

    assert recovery.end_unfinished_runs(now=now) == 1
    StrategyRun.objects.create(status=StrategyRun.Status.PLANNED, date=TODAY)
    assert recovery.end_unfinished_runs(now=now) == 1
    assert recovery.end_unfinished_runs(now=now) == 0

    ended = StrategyRun.objects.filter(failure_reason__startswith="Restored from a backup")
    assert set(ended.values_list("status", "finished_at")) == {("failed", now), ("cancelled", now)}
