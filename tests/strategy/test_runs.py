"""Runs: one at a time, planned over HTTP, carried out by a worker, scheduled daily, and never stuck."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from communications.models import CommunicationLog
from ddc.common.errors import DomainError
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from strategy import queueing, runs, slices, tasks
from strategy.models import StrategyRun
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db


def test_a_planned_run_is_answered_at_once_and_carried_out_by_the_workers_tick(api, supervisor):
    planned = api.post("/strategy/runs", {"dryRun": True})
    assert planned.status_code == 202, planned.content
    run = planned.json()
    assert (run["status"], run["dryRun"], run["date"]) == ("planned", True, timezone.now().date().isoformat())
    assert (run["startedAt"], run["finishedAt"], run["rules"]) == (None, None, [])
    assert StrategyRun.objects.get().started_by == supervisor
    tasks.start_planned()
    done = api.get(f"/strategy/runs/{run['id']}").json()
    assert done["status"] == "done"
    assert done["startedAt"] <= done["finishedAt"]
    assert api.get("/strategy/runs").json()["data"] == [done]


def test_a_report_has_the_matched_queued_and_left_out_debts_of_each_rule(api):
    rule = makers.rule(name="Letter")
    makers.due_debt(rule)
    makers.due_debt(rule, current_status="disputed")
    run = makers.run(dry_run=True)
    assert api.get(f"/strategy/runs/{run.pk}").json()["rules"] == [
        {
            "ruleId": str(rule.pk), "name": "Letter", "matched": 2, "queued": 1,
            "leftOut": [{"reason": "disputed", "count": 1}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"dryRun": None}, {"dryrun": True}])
def test_a_body_that_does_not_state_whether_the_run_is_dry_is_refused(api, body):
    answer = api.post("/strategy/runs", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dryRun")
    assert not StrategyRun.objects.exists()


def test_a_run_is_for_today_by_default(api):
    run = api.post("/strategy/runs", {"dryRun": False}).json()
    assert (run["dryRun"], run["date"]) == (False, timezone.now().date().isoformat())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dryRun": "yes"}, "dryRun"),
        ({"date": "soon"}, "date"),
        ({"date": "9999-01-01"}, "date"),
        ({"date": "1066-10-14"}, "date"),
    ],
)
def test_a_wrong_value_is_refused(api, body, field):
    answer = api.post("/strategy/runs", {"dryRun": False} | body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert not StrategyRun.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 5])
def test_a_body_that_is_not_an_object_is_refused(api, body):
    assert api.post("/strategy/runs", body).status_code in (400, 422)
    assert not StrategyRun.objects.exists()


@pytest.mark.parametrize("status", ["planned", "running"])
def test_while_a_run_is_planned_or_under_way_another_is_refused_even_a_dry_one(api, status):
    StrategyRun.objects.create(status=status, date=TODAY)
    with another_session_runs():
        for dry_run in (True, False):
            assert api.post("/strategy/runs", {"dryRun": dry_run}).status_code == 409
            with pytest.raises(runs.RunInProgress):
                makers.run(dry_run=dry_run)
    assert StrategyRun.objects.count() == 1


def test_only_a_supervisor_starts_runs_even_dry_ones(api_as):
    for role in ("Agent", "Auditor"):
        api = api_as(factories.agent(role))
        assert api.post("/strategy/runs", {"dryRun": True}).status_code == 403
        assert api.get("/strategy/runs").status_code == 200
    assert not StrategyRun.objects.exists()


def test_an_unknown_run_is_not_found(api):
    assert api.get("/strategy/runs/01890000-0000-7000-8000-000000000000").status_code == 404
    assert api.get("/strategy/runs/latest").status_code == 404


def test_a_tick_without_a_planned_run_does_nothing():
    assert runs.start_planned(clock=clock) is None
    assert not StrategyRun.objects.exists()


def test_a_planned_run_is_taken_once():
    runs.plan(dry_run=True, by=None, now=clock())
    assert runs.start_planned(clock=clock)
    assert runs.start_planned(clock=clock) is None


def test_a_run_whose_process_died_does_not_block_the_next():
    dead = StrategyRun.objects.create(status="running", date=TODAY)
    assert makers.run().status == "done"
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at) == ("failed", clock())
    assert dead.failure_reason is not None
    assert "died" in dead.failure_reason


def test_a_dead_run_is_marked_by_the_next_tick_and_a_new_one_can_be_planned(api):
    dead = StrategyRun.objects.create(status="running", date=TODAY)
    assert api.post("/strategy/runs", {"dryRun": True}).status_code == 202
    dead.refresh_from_db()
    assert dead.status == "failed"
    StrategyRun.objects.filter(status="planned").delete()
    dead = StrategyRun.objects.create(status="running", date=TODAY)
    tasks.start_planned()
    dead.refresh_from_db()
    assert dead.status == "failed"


def test_a_planned_run_that_no_worker_takes_is_cancelled():
    waiting = runs.plan(dry_run=True, by=None, now=clock())
    with pytest.raises(runs.RunInProgress):
        runs.plan(dry_run=True, by=None, now=clock() + runs.PLANNED_FOR)
    later = runs.plan(dry_run=True, by=None, now=clock() + runs.PLANNED_FOR + timedelta(seconds=1))
    waiting.refresh_from_db()
    assert (waiting.status, later.status) == ("cancelled", "planned")


def test_a_run_that_breaks_off_keeps_its_slices_and_tells_no_personal_data(monkeypatch):
    rule = makers.rule()
    for _ in range(3):
        makers.due_debt(rule)
    queue = queueing.queue
    calls = []

    def breaking(rules, run, *, now):
        calls.append(rules)
        if len(calls) == 2:
            raise ValueError("John Doe's secret")
        return queue(rules, run, now=now)

    monkeypatch.setattr(queueing, "queue", breaking)
    monkeypatch.setattr(slices, "SIZE", 2)
    with pytest.raises(ValueError, match="secret"):
        makers.run()
    run = StrategyRun.objects.get()
    assert (run.status, [line["queued"] for line in run.rules]) == ("failed", [2])
    assert run.failure_reason is not None
    assert "ValueError" in run.failure_reason
    assert "John" not in run.failure_reason
    assert CommunicationLog.objects.count() == 2
    monkeypatch.undo()
    assert makers.lines(makers.run())[rule.name] == (3, 1, {"already_queued": 2})


def test_a_worker_helps_with_a_run_that_is_under_way_only(monkeypatch):
    rule = makers.rule()
    makers.due_debt(rule)
    run = StrategyRun.objects.create(status="running", date=TODAY, started_at=clock())
    slices.create(run)
    StrategyRun.objects.update(status="failed")
    runs.help_with(str(run.pk), clock=clock)
    assert not CommunicationLog.objects.exists()
    StrategyRun.objects.update(status="running")
    runs.help_with(str(run.pk), clock=clock)
    run.refresh_from_db()
    assert run.slices.filter(done_at=None).count() == 0
    assert makers.lines(run) == {rule.name: (1, 1, {})}


def test_the_daily_run_happens_once_a_day():
    run = runs.run_daily(clock=clock)
    assert run is not None
    assert run.is_daily
    assert runs.run_daily(clock=clock) is None
    assert runs.run_daily(clock=lambda: clock() + timedelta(days=1))
    assert StrategyRun.objects.count() == 2


def test_the_daily_run_happens_even_after_a_run_by_hand():
    makers.run()
    makers.run(dry_run=True)
    assert runs.run_daily(clock=clock)


def test_a_daily_run_that_failed_is_repeated():
    StrategyRun.objects.create(status="failed", date=TODAY, is_daily=True)
    run = runs.run_daily(clock=clock)
    assert run is not None
    assert run.status == "done"


def test_the_daily_run_waits_for_its_next_tick_while_another_is_under_way():
    runs.plan(dry_run=True, by=None, now=clock())
    assert runs.run_daily(clock=clock) is None
    runs.start_planned(clock=clock)
    assert runs.run_daily(clock=clock)


@pytest.mark.usefixtures("remembered_roles")
def test_the_list_of_runs_takes_as_many_queries_for_fifty_as_for_one(api):
    def run():
        StrategyRun.objects.create(status="done", date=TODAY)

    run()
    api.get("/strategy/runs?limit=100")
    with CaptureQueriesContext(connection) as one:
        api.get("/strategy/runs?limit=100")
    for _ in range(49):
        run()
    with CaptureQueriesContext(connection) as fifty:
        assert len(api.get("/strategy/runs?limit=100").json()["data"]) == 50
    assert len(fifty) == len(one)


def command(*arguments):
    out = StringIO()
    call_command("run_strategy", *arguments, stdout=out, verbosity=0)
    return out.getvalue()


def test_the_command_runs_and_prints_the_report_as_a_table():
    rule = makers.rule(name="First letter")
    makers.due_debt(rule)
    makers.due_debt(rule, current_status="disputed")
    output = command("--date", "2026-06-30", "--dry-run")
    assert "First letter" in output
    assert "1 disputed" in output
    assert "that would be queued: 1." in output
    assert not CommunicationLog.objects.exists()
    assert "messages queued: 1." in command("--date", "2026-06-30")
    assert CommunicationLog.objects.count() == 1


def test_the_command_reports_that_a_run_is_in_progress():
    StrategyRun.objects.create(status="planned", date=TODAY)
    with pytest.raises(CommandError, match="under way"):
        command()


def test_the_command_refuses_a_real_run_for_a_future_day():
    with pytest.raises(CommandError, match="today or a past day"):
        command("--date", "2999-01-01")
    assert "Dry run for 2999-01-01" in command("--date", "2999-01-01", "--dry-run")


def test_a_refused_day_names_the_field():
    with pytest.raises(DomainError) as refusal:
        runs.plan(dry_run=False, by=None, now=clock(), day=TODAY + timedelta(days=1))
    assert refusal.value.field == "date"


class another_session_runs:
    """Hold the advisory lock on another connection, as the process of a run does."""

    def __enter__(self):
        import psycopg

        parameters = connection.get_connection_params()
        wanted = {
            name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters
        }
        self.session = psycopg.connect(**wanted, autocommit=True)
        self.session.execute("SELECT pg_advisory_lock(hashtextextended('', %s))", [AdvisoryLock.STRATEGY_RUN.number])

    def __exit__(self, *_):
        self.session.close()
