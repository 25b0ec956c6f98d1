"""Run the strategy, one run at a time: planned by an agent and started by a worker, or carried out at once.

While a run is under way, its process holds an advisory lock of PostgreSQL, which ends with the process. So if a row has the
status ``running`` and the lock is free, that run died; the next run marks it as failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta

import structlog
from django.db import DatabaseError, transaction

from agents.models import Agent
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, refusing
from ddc.common.observing import tracing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process.wake import wake_worker
from strategy import contact_forecast, engine, simulation, unreached
from strategy.models import StrategyRun

log = structlog.get_logger(__name__)

#: A planned run that no worker takes in this time is cancelled, so that it does not block the next one.
PLANNED_FOR = timedelta(minutes=10)
EARLIEST = date(1900, 1, 1)

Status = StrategyRun.Status


class RunInProgress(DomainError):
    """Runs do not overlap, not even dry runs."""

    code = "runInProgress"
    message = "A strategy run is planned or under way. Wait until it is over."


class DailyRunDone(DomainError):
    """The scheduled run of a day happens once."""

    message = "Today's strategy run is done already."


class InvalidRunDate(DomainError):
    """Nothing is sent ahead of its day. A dry run shows what will be."""

    status = 422
    code = "date"
    field = "date"
    message = "A real run is for today or a past day. Choose a dry run for a future day."


class InvalidSimulation(DomainError):
    """A simulation is a dry run of some days."""

    status = 422
    code = "date"
    field = "until"
    message = f"Simulate from today or a later day up to {simulation.MOST_DAYS} days, by a dry run."


@transaction.atomic
def plan(
    *, dry_run: bool, by: Agent | None, now: datetime, day: date | None = None, until: date | None = None
) -> StrategyRun:
    """Plan a run, for today if no day is given, and wake a worker to start it.

    :param until: the last day of a simulation that begins on ``day``
    :raises RunInProgress: if a run is planned or under way
    :raises InvalidRunDate: if a real run is for a future day
    :raises InvalidSimulation: if the days of a simulation are none, past or too many, or it is not dry
    """
    _end_abandoned(now=now)
    run = _insert(Status.PLANNED, day=day, until=until, dry_run=dry_run, by=by, now=now)
    wake_worker("strategy.tasks.start_planned")
    return run


def start_planned(*, clock: engine.Clock) -> StrategyRun | None:
    """Carry out the planned run, unless there is none or another worker takes it."""
    with transaction.atomic():
        _end_abandoned(now=clock())
    planned = StrategyRun.objects.filter(status=Status.PLANNED).first()
    if planned is None:
        return None
    try:
        with exclusive():
            now = clock()
            mine = StrategyRun.objects.filter(pk=planned.pk, status=Status.PLANNED)
            if not mine.update(status=Status.RUNNING, started_at=now, updated_at=now):
                return None
            return _carry_out(planned, clock=clock, progress=None)
    except RunInProgress:
        return None


def run_now(
    *,
    dry_run: bool,
    by: Agent | None,
    clock: engine.Clock,
    day: date | None = None,
    until: date | None = None,
    is_daily: bool = False,
    progress: engine.Progress | None = None,
) -> StrategyRun:
    """Carry out a run in this process, and return it with its report.

    :raises RunInProgress: if a run is planned or under way
    :raises DailyRunDone: if it is the scheduled run of a day, and that is done
    :raises InvalidRunDate: if a real run is for a future day
    :raises InvalidSimulation: as ``plan`` does
    """
    with exclusive():
        with transaction.atomic():
            _end_abandoned(now=clock())
        run = _insert(Status.RUNNING, day=day, until=until, dry_run=dry_run, by=by, now=clock(), is_daily=is_daily)
        return _carry_out(run, clock=clock, progress=progress)


def help_with(run_id: str, *, clock: engine.Clock) -> None:
    """Process slices of a run that another process carries out, unless it is over."""
    run = StrategyRun.objects.filter(pk=run_id, status=Status.RUNNING).first()
    if run:
        with tracing.caused_by(run.request_id):
            engine.help_with(run, clock=clock)


def run_daily(*, clock: engine.Clock) -> StrategyRun | None:
    """Carry out today's scheduled run, unless it is done. If another run is under way, the next tick tries again."""
    today = agency_today(clock())
    done = StrategyRun.objects.filter(is_daily=True, date=today).exclude(status__in=[Status.FAILED, Status.CANCELLED])
    if done.exists():
        return None
    try:
        return run_now(dry_run=False, by=None, clock=clock, day=today, is_daily=True)
    except (RunInProgress, DailyRunDone) as refusal:
        log.info("daily_run_skipped", reason=refusal.message)
        return None


def _insert(
    status: str,
    *,
    day: date | None,
    until: date | None,
    dry_run: bool,
    by: Agent | None,
    now: datetime,
    is_daily: bool = False,
) -> StrategyRun:
    day = day or agency_today(now)
    if day < EARLIEST:
        raise InvalidRunDate(f"This day is too long ago. Choose one from {EARLIEST} on.")
    if day > agency_today(now) and not dry_run:
        raise InvalidRunDate
    if until and not (dry_run and agency_today(now) <= day <= until < day + timedelta(days=simulation.MOST_DAYS)):
        raise InvalidSimulation
    run = StrategyRun(
        status=status,
        date=day,
        until=until,
        dry_run=dry_run,
        is_daily=is_daily,
        started_by=by,
        started_at=now if status == Status.RUNNING else None,
        created_at=now,
    )
    constraints: dict[str, DomainError] = {
        "one_strategy_run_at_a_time": RunInProgress(),
        "one_daily_strategy_run_a_day": DailyRunDone(),
    }
    with refusing(constraints):
        run.save(force_insert=True)
    return run


def _carry_out(run: StrategyRun, *, clock: engine.Clock, progress: engine.Progress | None) -> StrategyRun:
    try:
        with tracing.caused_by(run.request_id):
            (simulation if run.until else engine).run(run, clock=clock, progress=progress)
    except BaseException as error:
        # Only the type: the text of a database error can hold personal data, and many people read the report.
        reason = (
            f"The run broke off ({type(error).__name__}). Messages queued by then stay; the next run queues the rest."
        )
        with suppress(DatabaseError):
            _finish(run, Status.FAILED, now=clock(), reason=reason)
        raise
    _finish(run, Status.DONE, now=clock())
    run.refresh_from_db()
    contact_forecast.request(run)
    if not run.dry_run:
        wake_worker(unreached.TASK)
    return run


def _finish(run: StrategyRun, status: str, *, now: datetime, reason: str | None = None) -> None:
    running = StrategyRun.objects.filter(pk=run.pk, status=Status.RUNNING)
    running.update(status=status, finished_at=now, updated_at=now, failure_reason=reason)


def _end_abandoned(*, now: datetime) -> None:
    """Cancel a planned run that no worker took, and mark one that died. The lock belongs to the caller's transaction."""
    abandoned = StrategyRun.objects.filter(status=Status.PLANNED, created_at__lt=now - PLANNED_FOR)
    abandoned.update(
        status=Status.CANCELLED, finished_at=now, updated_at=now, failure_reason="No worker started it in time."
    )
    running = StrategyRun.objects.filter(status=Status.RUNNING)
    if running.exists() and advisory_locks.try_lock(AdvisoryLock.STRATEGY_RUN):
        # The query runs again under the lock: the run may just have finished.
        running.update(
            status=Status.FAILED,
            finished_at=now,
            updated_at=now,
            failure_reason="Its process died. The next run queues the rest.",
        )


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock of the only run under way.

    :raises RunInProgress: if another process holds it
    """
    with advisory_locks.session_lock(AdvisoryLock.STRATEGY_RUN) as is_held:
        if not is_held:
            raise RunInProgress
        yield
