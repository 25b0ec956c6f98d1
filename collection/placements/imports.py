"""Import a placement file that was uploaded: a worker checks it by a dry run, a person confirms, a worker loads it.

A worker holds an advisory lock while it works. A file that is being worked on while the lock is free belongs to a worker that
died: its transaction was rolled back, so it starts again.
"""

import io
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from agents.models import Agent, require_permission
from collection.models import PlacementImport
from collection.placements import loading
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Invalid
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process.live import Progress
from ddc.common.process.wake import wake_worker

PERMISSION = "collections.import_placements"
#: A file of this size has about 100,000 rows, and is loaded within a minute.
MAX_BYTES = 20_000_000
#: Personal data of a file that nobody confirms is deleted after this time.
KEPT_FOR = timedelta(days=7)
TASK = "collection.tasks.import_placements"

Status = PlacementImport.Status
_OPEN = {Status.CHECKING: Status.CHECKED, Status.LOADING: Status.LOADED}


class InvalidFile(Invalid):
    """The file is empty or too large."""

    field = "placement_file"


class NotWaiting(DomainError):
    """The file does not wait for a confirmation any more."""

    message = "This file does not wait for confirmation. Upload it again to import it again."


@transaction.atomic
def upload(content: bytes, *, name: str, creditor: str, encoding: str, by: Agent | None) -> PlacementImport:
    """Keep a file, and wake a worker to check it.

    :raises InvalidFile: if it is empty or too large
    """
    require_permission(by, PERMISSION)
    if not content:
        raise InvalidFile("The file is empty.", code="required")
    if len(content) > MAX_BYTES:
        raise InvalidFile(
            f"The file has more than {MAX_BYTES // 1_000_000} MB. Split it, or load it by manage.py import_placements.",
            code="range",
        )
    kept = PlacementImport.objects.create(
        file=content, size=len(content), file_name=name[-200:], creditor=creditor, encoding=encoding, uploaded_by=by
    )
    wake_worker(TASK)
    return kept


@transaction.atomic
def confirm(kept: PlacementImport, *, by: Agent | None, now: datetime) -> None:
    """Have a checked file loaded.

    :raises NotWaiting: if it was confirmed, loaded or discarded before
    """
    _leave(Status.CHECKED, kept, by=by, now=now, status=Status.LOADING, started_at=None, confirmed_by=by)
    wake_worker(TASK)


@transaction.atomic
def discard(kept: PlacementImport, *, by: Agent | None, now: datetime) -> None:
    """Delete a checked file.

    :raises NotWaiting: if it was confirmed, loaded or discarded before
    """
    _leave(Status.CHECKED, kept, by=by, now=now, status=Status.DISCARDED, file=None, refusals=[])


def _leave(waits: Status, kept: PlacementImport, *, by: Agent | None, now: datetime, **changes: Any) -> None:
    require_permission(by, PERMISSION)
    waiting = PlacementImport.objects.filter(pk=kept.pk, status=waits)
    if not waiting.update(**changes, updated_at=now):
        raise NotWaiting
    kept.refresh_from_db()


def work(*, clock: Callable[[], datetime]) -> int:
    """Check and load the files that wait, the oldest first; return their number. Another worker may do so already."""
    done = 0
    with advisory_locks.session_lock(AdvisoryLock.PLACEMENT_IMPORT) as is_mine:
        while is_mine and (kept := PlacementImport.objects.filter(status__in=_OPEN).order_by("created_at").first()):
            if not _work_on(kept, now=clock()):
                break
            done += 1
    return done


def _work_on(kept: PlacementImport, *, now: datetime) -> bool:
    """Check or load a file; return False if another placement file is being loaded, so that it has to wait."""
    PlacementImport.objects.filter(pk=kept.pk).update(started_at=now, updated_at=now)
    step, progress = Status(kept.status), Progress(kept.pk)
    content = bytes(kept.file or b"")

    def show(doing: str, read: int) -> None:
        progress.report(f"{doing}, {read * 100 // max(len(content), 1)} % of the file" if doing == "reading" else doing)

    try:
        report = loading.load(
            io.BytesIO(content),
            creditor=kept.creditor or None,
            encoding=kept.encoding or None,
            dry_run=step == Status.CHECKING,
            by=kept.confirmed_by,
            today=agency_today(now),
            now=now,
            progress=show,
        )
    except loading.ImportInProgress:
        return False
    except DomainError as refusal:
        _end(kept, Status.FAILED, now=now, error=f"{refusal.message} Nothing was written.", file=None)
    except DatabaseError as error:
        text = f"The database failed ({type(error).__name__}). Nothing was written. Upload the file again."
        _end(kept, Status.FAILED, now=now, error=text, file=None)
    else:
        _end(kept, _OPEN[step], now=now, **_written(report), **({} if step == Status.CHECKING else {"file": None}))
    return True


def _written(report: loading.Report) -> dict[str, Any]:
    numbers = {name: getattr(report, name) for name in ("rows", "accepted", "known", "refused", "debtors", "ignored")}
    parked = [asdict(row) | {"id": str(row.id) if row.id else None} for row in report.parked]
    return {"report": numbers | {"parked": parked}, "refusals": [asdict(refusal) for refusal in report.refusals]}


def _end(kept: PlacementImport, status: Status, *, now: datetime, **changes: Any) -> None:
    PlacementImport.objects.filter(pk=kept.pk).update(status=status, finished_at=now, updated_at=now, **changes)


def delete_unconfirmed(*, now: datetime) -> int:
    """Delete the contents of files that nobody confirmed; return their number."""
    old = PlacementImport.objects.filter(status=Status.CHECKED, created_at__lt=now - KEPT_FOR)
    return old.update(status=Status.DISCARDED, file=None, refusals=[], updated_at=now)
