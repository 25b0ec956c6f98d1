"""Check the whole database in a worker: an app registers a check in its ``system_checks.py``, agents start it on the health page.

A worker holds an advisory lock while it checks. A check that is under way while the lock is free belongs to a worker that died.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog
from django.db import DatabaseError
from django.utils.module_loading import autodiscover_modules

from audit.models import SystemCheck
from ddc.common.errors import DomainError, refusing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process.live import Progress
from ddc.common.process.wake import wake_worker

log = structlog.get_logger(__name__)

PERMISSION = "audit.run_systemcheck"
TASK = "audit.tasks.run_system_checks"
#: So many differences are kept with the result.
MAX_KEPT = 100
Status = SystemCheck.Status
#: Yields the id and the problem of each row that differs; it is given the function that shows its progress.
Search = Callable[[Callable[[str], None]], Iterable[tuple[str, str]]]


@dataclass(frozen=True)
class Check:
    """A check by its title, and what it compares."""

    title: str
    about: str
    search: Search


_CHECKS: dict[str, Check] = {}


class UnknownCheck(DomainError):
    """There is no check of this name."""

    status = 422
    message = "There is no such check."


class CheckInProgress(DomainError):
    """The same check waits for a worker or is under way."""

    message = "This check is under way already. Wait for its result."


def register(kind: str, *, title: str, about: str) -> Callable[[Search], Search]:
    """Register a check of the database."""

    def add(search: Search) -> Search:
        _CHECKS[kind] = Check(title, about, search)
        return search

    return add


def known() -> dict[str, Check]:
    """Return all checks by name."""
    autodiscover_modules("system_checks")
    return _CHECKS


def ask(kind: str, *, agent_name: str) -> SystemCheck:
    """Have a worker carry out a check.

    :raises CheckInProgress: if the same check waits or is under way
    """
    if kind not in known():
        raise UnknownCheck
    with refusing({"one_system_check_at_a_time": CheckInProgress()}):
        check = SystemCheck.objects.create(kind=kind, agent_name=agent_name)
    wake_worker(TASK)
    return check


def work(*, clock: Callable[[], datetime]) -> int:
    """Carry out the checks that were asked for, the oldest first; return their number. Another worker may do so already."""
    done = 0
    waiting = SystemCheck.objects.filter(status__in=(Status.PLANNED, Status.RUNNING)).order_by("pk")
    with advisory_locks.session_lock(AdvisoryLock.SYSTEM_CHECK) as is_mine:
        while is_mine and (check := waiting.first()):
            _carry_out(check, clock=clock)
            done += 1
    return done


def _carry_out(check: SystemCheck, *, clock: Callable[[], datetime]) -> None:
    row = SystemCheck.objects.filter(pk=check.pk)
    row.update(status=Status.RUNNING, started_at=clock())
    try:
        found = iter(known()[check.kind].search(Progress(check.pk).report))
        findings = list(islice(found, MAX_KEPT))
        count = len(findings) + sum(1 for _ in found)
    except (DatabaseError, KeyError) as error:
        log.warning("system_check_failed", kind=check.kind, error=type(error).__name__)
        row.update(status=Status.FAILED, finished_at=clock(), error=f"The check failed ({type(error).__name__}).")
    else:
        row.update(status=Status.DONE, finished_at=clock(), found=count, findings=findings)
