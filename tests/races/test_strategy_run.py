"""Strategy runs under threads: each occurrence is queued once, and runs don't overlap."""

import functools
import os
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
from strategy import engine, firing, runs, weighing
from strategy.models import StrategyRun, StrategyStep
from tests.races.threads import at_once, refusals
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

THREADS = 6
DEBTS = 20

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def without(constraint: str, *models: type[Model]) -> Iterator[None]:
    """Take a unique constraint of the first model away for a while; what came to be meanwhile is deleted after."""
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


def race_of_firing() -> int:
    """Fire one rule from many threads, each of which stays in its transaction long enough to meet the others."""
    rule = makers.rule()
    for _ in range(DEBTS):
        makers.due_debt(rule)
    started = [StrategyRun.objects.create(status="done", date=TODAY) for _ in range(THREADS)]

    def fire(run: StrategyRun) -> int:
        weighing.weigh([rule], day=TODAY)
        with transaction.atomic():
            queued = firing.fire([rule], run, now=clock())
            time.sleep(0.1)
            return sum(queued.values())

    return sum(at_once(*[functools.partial(fire, run) for run in started]))


def test_real_runs_at_once_queue_each_occurrence_once():
    assert race_of_firing() == DEBTS
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == DEBTS


@pytest.mark.deep
def test_without_the_unique_step_runs_at_once_queue_doubles(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(firing, "ON_CONFLICT", "")
    with without("strategy_step_fires_once", StrategyStep, CommunicationLog):
        assert race_of_firing() > DEBTS
        assert CommunicationLog.objects.count() > DEBTS


def race_of_plans() -> list[object]:
    return at_once(*[lambda: runs.plan(dry_run=True, by=None, now=clock())] * THREADS)


def test_of_runs_wanted_at_once_one_is_planned():
    assert [type(refused) for refused in refusals(race_of_plans())] == [runs.RunInProgress] * (THREADS - 1)
    assert StrategyRun.objects.count() == 1


@pytest.mark.deep
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


def test_of_runs_started_at_once_one_runs(monkeypatch: pytest.MonkeyPatch):
    results = race_of_starts(monkeypatch)
    assert [type(refused) for refused in refusals(results)] == [runs.RunInProgress] * (THREADS - 1)
    assert [run.status for run in StrategyRun.objects.all()] == ["done"]


@pytest.mark.deep
def test_without_lock_and_constraint_several_run_at_once(monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def unlocked() -> Iterator[None]:
        yield

    monkeypatch.setattr(runs, "_alone", unlocked)
    with without("one_strategy_run_at_a_time", StrategyRun):
        race_of_starts(monkeypatch)
        assert StrategyRun.objects.count() > 1


def test_a_segment_that_debts_come_into_at_that_moment_is_not_deleted():
    from collection import segmentation, segments
    from collection.models import Debt
    from tests import factories

    segment = factories.segment()
    debt = factories.debt()
    Debt.objects.update(segment=None)

    def assign() -> None:
        with transaction.atomic():
            segmentation.assign_all(today=TODAY)
            time.sleep(0.3)

    def delete() -> None:
        time.sleep(0.1)
        segments.delete(segment)

    results = at_once(assign, delete)
    assert [type(refused) for refused in refusals(results)] == [segments.SegmentInUse]
    debt.refresh_from_db()
    assert debt.segment == segment


HANGING_RUN = """
import sys, time
import django
django.setup()
from strategy import engine
from tests.strategy import makers

def hang(done, total):
    print("one rule is done", flush=True)
    time.sleep(60)

engine.AT_ONCE = 1
makers.run(progress=hang)
"""


@pytest.mark.deep
def test_a_run_killed_in_the_middle_is_marked_and_the_next_one_does_the_rest():
    rules = [makers.rule(priority=priority) for priority in (1, 2)]
    for rule in rules:
        makers.due_debt(rule)
    database = connection.settings_dict
    address = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{address}/{database['NAME']}",
        "DJANGO_SETTINGS_MODULE": "ddc.settings",
    }
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_RUN], env=environment, stdout=subprocess.PIPE, cwd=settings.BASE_DIR
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"one rule is done\n"
        with pytest.raises(runs.RunInProgress):
            makers.run()
        process.kill()
    run = _when_free()
    assert [line["queued"] for line in run.rules] == [0, 1]
    dead = StrategyRun.objects.exclude(pk=run.pk).get()
    assert (dead.status, len(dead.rules)) == ("failed", 1)
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == 2


def _when_free() -> StrategyRun:
    """Run once PostgreSQL has noticed that the process is gone."""
    for _ in range(50):
        try:
            return makers.run()
        except runs.RunInProgress:
            time.sleep(0.1)
    raise AssertionError("the dead run stands in the way")
