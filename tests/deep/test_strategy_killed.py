"""Five killed runs, late, repeated and shared by two processes leave the steps of one undisturbed run."""

import subprocess
from datetime import timedelta
from typing import Any

import pytest

from communications.models import CommunicationLog
from strategy import runs
from strategy.models import StrategyRun, StrategyStep
from tests.deep import processes
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.deep]

DEBTS, KILLS = 60, 5
_SETUP = """
import sys, time
import django
django.setup()
from strategy import engine, runs, slices
from strategy.models import StrategyRun
from tests.strategy import makers
slices.SIZE = 10
engine.CONNECTIONS = 1
"""
RUN = f"""{_SETUP}
def tell(done, total):
    print("done", done, flush=True)
    time.sleep(0.3)
while True:
    try:
        makers.run(progress=tell)
        break
    except runs.RunInProgress:
        time.sleep(0.1)  # PostgreSQL has not noticed yet that the killed one is gone.
"""
HELP = f"""{_SETUP}
while not (run := StrategyRun.objects.filter(status="running", slices__isnull=False).first()):
    time.sleep(0.01)
runs.help_with(str(run.pk), clock=makers.clock)
"""


def start(program: str) -> "subprocess.Popen[str]":
    return processes.start("-c", program, stdout=subprocess.PIPE)


def rows() -> list[tuple[Any, ...]]:
    return sorted(StrategyStep.objects.values_list("rule", "debt", "anchor", "occurrence"), key=str)


def test_killed_late_repeated_and_shared_runs_leave_the_steps_of_one():
    made = [makers.rule(priority=priority, days_since_placement=7 * priority) for priority in (1, 2, 3)]
    expected = []
    for number in range(DEBTS):
        rule = made[number % 3]
        debt = makers.due_debt(rule, late=number % 3)  # Up to two days late.
        day = TODAY - timedelta(days=number % 3)
        expected.append((rule.pk, debt.pk, debt.pk, day))
    for _ in range(KILLS):
        with start(RUN) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("done")
            process.kill()
    assert 0 < StrategyStep.objects.count() < DEBTS
    with start(HELP) as helper, start(RUN) as process:
        assert process.wait(60) == 0
        assert helper.wait(60) == 0
    assert StrategyRun.objects.filter(status="failed").count() == KILLS
    runs.run_now(dry_run=False, by=None, clock=clock)
    assert rows() == sorted(expected, key=str)
    assert CommunicationLog.objects.count() == DEBTS
