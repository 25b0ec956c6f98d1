"""Strategy runs under threads: each occurrence is queued once, and runs don't overlap."""

import functools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model

from communications.models import CommunicationLog
from strategy import engine, matching, queueing, runs, slices
from strategy.models import StrategyRun, StrategyStep
from tests.deep import processes
from tests.races.threads import at_once, refusals
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

THREADS = 6
DEBTS = 20

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def without(constraint: str, *models: type[Model]) -> Iterator[None]:
    """Drop a unique constraint of the first model for a while; rows written by then are deleted after."""
    owner = models[0]
    (kept,) = [one for one in owner._meta.constraints if one.name == constraint]
    with connection.schema_editor() as editor:
        editor.remove_constraint(owner, kept)
    try:
        yield
    finally:
        for model in models:
            model._default_manager.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(owner, kept)


def race_of_queueing() -> int:
    """Queue for one rule from many threads, each of which stays in its transaction long enough to meet the others."""
    rule = makers.rule()
    for _ in range(DEBTS):
        makers.due_debt(rule)
    started = [StrategyRun.objects.create(status="done", date=TODAY) for _ in range(THREADS)]

    def queue(run: StrategyRun) -> int:
        matching.match([rule], day=TODAY)
        with transaction.atomic():
            queued = queueing.queue([rule], run, now=clock())
            time.sleep(0.1)
            return sum(queued.values())

    return sum(at_once(*[functools.partial(queue, run) for run in started]))


def test_real_runs_at_once_queue_each_occurrence_once():
    assert race_of_queueing() == DEBTS
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == DEBTS


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_unique_step_runs_at_once_queue_doubles(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queueing, "ON_CONFLICT", "")
    with without("strategy_step_queues_once", StrategyStep, CommunicationLog):
        assert race_of_queueing() > DEBTS
        assert CommunicationLog.objects.count() > DEBTS


def seen_matching(monkeypatch: pytest.MonkeyPatch, *, breaks: bool = False) -> list[int]:
    """Record which connections match; one of them breaks off if ``breaks``."""
    match = matching.match
    seen: list[int] = []

    def recorded_match(*args: Any, shard: str, **kwargs: Any) -> dict[Any, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            seen.append(cursor.fetchone()[0])
        if breaks and "<" not in shard:  # The last slice.
            raise ValueError("broken")
        return match(*args, shard=shard, **kwargs)

    monkeypatch.setattr(matching, "match", recorded_match)
    return seen


def test_two_connections_share_a_run_and_its_report(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slices, "SIZE", 10)
    rules = [makers.rule(priority=priority) for priority in (1, 2, 3)]
    for rule in rules:
        for _ in range(DEBTS):
            makers.due_debt(rule)
        for _ in range(2):
            makers.due_debt(rule, current_status="disputed")
    reported: list[tuple[int, int]] = []
    seen = seen_matching(monkeypatch)
    run = makers.run(progress=lambda *done: reported.append(done))
    assert len(set(seen)) == 2
    assert [line["rule_id"] for line in run.rules] == [str(rule.pk) for rule in rules]
    assert makers.lines(run) == {rule.name: (DEBTS + 2, DEBTS, {"disputed": 2}) for rule in rules}
    assert reported == sorted(reported)
    assert reported[-1] == (7, 7)


def test_the_messages_of_one_debtor_follow_the_order_of_the_rules(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slices, "SIZE", 5)
    first, second = makers.rule(priority=1), makers.rule(priority=2)
    for _ in range(DEBTS):
        later = makers.due_debt(second)
        makers.due_debt(first, debtor=later.debtor)
    makers.run()
    written = CommunicationLog.objects.order_by("due_at").values_list("debtor", "strategy_step__rule")
    assert len(written) == 2 * DEBTS
    for debtor in {debtor for debtor, _ in written}:
        assert [rule for of, rule in written if of == debtor] == [first.pk, second.pk]


def test_the_next_run_does_the_slice_that_failed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slices, "SIZE", 5)
    rule = makers.rule()
    for _ in range(DEBTS):
        makers.due_debt(rule)
    seen_matching(monkeypatch, breaks=True)
    with pytest.raises(ValueError, match="broken"):
        makers.run()
    broken = StrategyRun.objects.get()
    (half,) = [line["queued"] for line in broken.rules]
    assert (broken.status, half) == ("failed", StrategyStep.objects.count())
    assert 0 < half < DEBTS
    monkeypatch.undo()
    assert makers.run().rules[0]["queued"] == DEBTS - half
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == DEBTS


def race_of_plans() -> list[object]:
    return at_once(*[lambda: runs.plan(dry_run=True, by=None, now=clock())] * THREADS)


def test_one_of_several_runs_planned_at_once_is_planned():
    assert [type(refused) for refused in refusals(race_of_plans())] == [runs.RunInProgress] * (THREADS - 1)
    assert StrategyRun.objects.count() == 1


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_constraint_several_are_planned():
    with without("one_strategy_run_at_a_time", StrategyRun):
        race_of_plans()
        assert StrategyRun.objects.count() > 1


def race_of_starts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Run from many threads at once; a run lasts until all the others have tried."""
    at_work = engine.run

    def slowly(*args: Any, **kwargs: Any) -> None:
        time.sleep(0.5)
        at_work(*args, **kwargs)

    monkeypatch.setattr(engine, "run", slowly)
    return at_once(*[makers.run] * THREADS)


def test_one_of_several_runs_started_at_once_runs(monkeypatch: pytest.MonkeyPatch):
    results = race_of_starts(monkeypatch)
    assert [type(refused) for refused in refusals(results)] == [runs.RunInProgress] * (THREADS - 1)
    assert [run.status for run in StrategyRun.objects.all()] == ["done"]


@pytest.mark.deep
@pytest.mark.owner
def test_without_lock_and_constraint_several_run_at_once(monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def unlocked() -> Iterator[None]:
        yield

    monkeypatch.setattr(runs, "exclusive", unlocked)
    with without("one_strategy_run_at_a_time", StrategyRun):
        race_of_starts(monkeypatch)
        assert StrategyRun.objects.count() > 1


def test_a_segment_is_not_deleted_while_debts_move_to_it():
    from collection.models import Debt
    from collection.segments import assignment, records
    from tests import factories

    segment = factories.segment()
    debt = factories.debt()
    Debt.objects.update(segment=None)

    def assign() -> None:
        with transaction.atomic():
            assignment.assign_all(today=TODAY)
            time.sleep(0.3)

    def delete() -> None:
        time.sleep(0.1)
        records.delete(segment)

    results = at_once(assign, delete)
    assert [type(refused) for refused in refusals(results)] == [records.SegmentInUse]
    debt.refresh_from_db()
    assert debt.segment == segment


HANGING_RUN = """
import sys, time
import django
django.setup()
from strategy import slices
from tests.strategy import makers

def hang(done, total):
    print("some are done", flush=True)
    time.sleep(60)

slices.SIZE = 10
makers.run(progress=hang)
"""


@pytest.mark.deep
def test_a_run_killed_in_the_middle_is_marked_and_the_next_one_does_the_rest():
    rules = [makers.rule(priority=priority) for priority in (1, 2)]
    for rule in rules:
        for _ in range(DEBTS):
            makers.due_debt(rule)
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_RUN], env=processes.environment(), stdout=subprocess.PIPE, cwd=settings.BASE_DIR
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"some are done\n"
        with pytest.raises(runs.RunInProgress):
            makers.run()
        process.kill()
    run = _when_free()
    dead = StrategyRun.objects.exclude(pk=run.pk).get()
    done = sum(line["queued"] for line in dead.rules)
    assert dead.status == "failed"
    assert 0 < done < 2 * DEBTS
    assert sum(line["queued"] for line in run.rules) == 2 * DEBTS - done
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == 2 * DEBTS


def _when_free() -> StrategyRun:
    """Run as soon as PostgreSQL has noticed that the process is gone."""
    for _ in range(50):
        try:
            return makers.run()
        except runs.RunInProgress:
            time.sleep(0.1)
    raise AssertionError("the dead run blocks the next one")
