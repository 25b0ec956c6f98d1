"""Runs of the strategy: one at a time, planned by people and started by a worker, or run at once.

While a run is under way its process holds an advisory lock of PostgreSQL, which ends with the process whatever ends that. So a
row that says ``running`` while nobody holds the lock is a dead run, and the next to come marks it failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta

import structlog
from django.db import DatabaseError, transaction

from agents.models import Agent
from ddc.common.errors import DomainError, refusing
from ddc.common.nudge import nudge
from ddc.common.observing import tracing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from strategy import contact_forecast, engine
from strategy.models import StrategyRun

log = structlog.get_logger(__name__)

#: A planned run that no worker took for so long is given up, so that it doesn't stand in the way for ever.
WAITS_FOR = timedelta(minutes=10)
EARLIEST = date(1900, 1, 1)

Status = StrategyRun.Status


class RunInProgress(DomainError):
    """Runs don't overlap, dry ones neither."""

    code = "runInProgress"
    message = "A strategy run is planned or under way. Wait until it is over."


class RunIsDone(DomainError):
    """The timetable's run of a day happens once."""

    message = "Today's strategy run has been made."


class NotThisDay(DomainError):
    """Nothing is sent ahead of its day; what would be can be asked of a dry run."""

    status = 422
    code = "date"
    field = "date"
    message = "A real run is for today or a past day."


@transaction.atomic
def plan(*, dry_run: bool, by: Agent | None, now: datetime, day: date | None = None) -> StrategyRun:
    """Plan a run for a day, today unless another is given, and wake a worker to start it.

    :raises RunInProgress: if one is planned or under way
    :raises NotThisDay: if a real run is wanted for a day to come
    """
    _clear_abandoned(now=now)
    run = _insert(Status.PLANNED, day=day, dry_run=dry_run, by=by, now=now)
    nudge("strategy.tasks.start_planned")
    return run


def start_planned(*, clock: engine.Clock) -> StrategyRun | None:
    """Carry out the planned run, if there is one and nobody took it yet."""
    with transaction.atomic():
        _clear_abandoned(now=clock())
    planned = StrategyRun.objects.filter(status=Status.PLANNED).first()
    if planned is None:
        return None
    try:
        with _alone():
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
    is_daily: bool = False,
    progress: engine.Progress | None = None,
) -> StrategyRun:
    """Carry out a run in this process, and return it with its report.

    :raises RunInProgress: if one is planned or under way
    :raises RunIsDone: if it is to be its day's run and that was made
    :raises NotThisDay: if a real run is wanted for a day to come
    """
    with _alone():
        with transaction.atomic():
            _clear_abandoned(now=clock())
        run = _insert(Status.RUNNING, day=day, dry_run=dry_run, by=by, now=clock(), is_daily=is_daily)
        return _carry_out(run, clock=clock, progress=progress)


def run_daily(*, clock: engine.Clock) -> StrategyRun | None:
    """Make today's run unless it was made; where another is under way, the timetable asks again."""
    today = clock().date()
    made = StrategyRun.objects.filter(is_daily=True, date=today).exclude(status__in=[Status.FAILED, Status.CANCELLED])
    if made.exists():
        return None
    try:
        return run_now(dry_run=False, by=None, clock=clock, day=today, is_daily=True)
    except (RunInProgress, RunIsDone) as refusal:
        log.info("daily_run_left_to_another", why=refusal.message)
        return None


def _insert(
    status: str, *, day: date | None, dry_run: bool, by: Agent | None, now: datetime, is_daily: bool = False
) -> StrategyRun:
    day = day or now.date()
    if day < EARLIEST:
        raise NotThisDay("There is nothing to be done for so old a day.")
    if day > now.date() and not dry_run:
        raise NotThisDay
    run = StrategyRun(
        status=status,
        date=day,
        dry_run=dry_run,
        is_daily=is_daily,
        started_by=by,
        started_at=now if status == Status.RUNNING else None,
        created_at=now,
    )
    constraints: dict[str, DomainError] = {
        "one_strategy_run_at_a_time": RunInProgress(),
        "one_daily_strategy_run_a_day": RunIsDone(),
    }
    with refusing(constraints):
        run.save(force_insert=True)
    return run


def _carry_out(run: StrategyRun, *, clock: engine.Clock, progress: engine.Progress | None) -> StrategyRun:
    try:
        with tracing.caused_by(run.request_id):
            engine.run(run, clock=clock, progress=progress)
    except BaseException as error:
        # The kind alone: a database's words can hold people's data, and the report is for all to see.
        reason = f"It broke off ({type(error).__name__}). What it had queued stays queued; the next run does the rest."
        with suppress(DatabaseError):
            _finish(run, Status.FAILED, now=clock(), reason=reason)
        raise
    _finish(run, Status.DONE, now=clock())
    run.refresh_from_db()
    contact_forecast.ask_for(run)
    return run


def _finish(run: StrategyRun, status: str, *, now: datetime, reason: str | None = None) -> None:
    running = StrategyRun.objects.filter(pk=run.pk, status=Status.RUNNING)
    running.update(status=status, finished_at=now, updated_at=now, failure_reason=reason)


def _clear_abandoned(*, now: datetime) -> None:
    """Give up what no worker took, and mark what died. Within a transaction, which the look at the lock belongs to."""
    abandoned = StrategyRun.objects.filter(status=Status.PLANNED, created_at__lt=now - WAITS_FOR)
    abandoned.update(
        status=Status.CANCELLED, finished_at=now, updated_at=now, failure_reason="No worker took it in time."
    )
    running = StrategyRun.objects.filter(status=Status.RUNNING)
    if running.exists() and advisory_locks.try_lock(AdvisoryLock.STRATEGY_RUN):
        # Asked anew under the lock: it may just have ended well.
        running.update(
            status=Status.FAILED,
            finished_at=now,
            updated_at=now,
            failure_reason="Its process died. The next run does the rest.",
        )


@contextmanager
def _alone() -> Iterator[None]:
    """Be the only run under way for as long as this lasts.

    :raises RunInProgress: if another is
    """
    with advisory_locks.session_lock(AdvisoryLock.STRATEGY_RUN) as is_held:
        if not is_held:
            raise RunInProgress
        yield
