"""Load a creditor's placement file: each row is accepted, known already, parked, or refused with a reason.

All rows are loaded in one transaction, so an interrupted load leaves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import BinaryIO

from django.db import connection, transaction

from agents.models import Agent
from collection.placements import checks, notation, posting, staging
from collection.placements.checks import RefusedRow
from collection.placements.file import PlacementFile
from collection.placements.parking import ParkedRow
from collection.placements.posting import Decided
from collection.segments import assignment
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock

#: Called with the current step and the number of bytes read.
Progress = Callable[[str, int], None]


class ImportInProgress(DomainError):
    message = "Another placement file is being loaded. Wait until that is done."


@dataclass(frozen=True)
class Report:
    """The numbers of rows by outcome, which add up to ``rows``, the number of new debtors, and the refused and parked rows.

    ``equal``: the lines of accepted rows that equal an earlier row, with its line. ``ignored``: columns that are not read.
    """

    rows: int
    accepted: int
    known: int
    refused: int
    debtors: int
    refusals: list[RefusedRow]
    parked: list[ParkedRow]
    equal: list[tuple[int, int]]
    ignored: list[str]


@transaction.atomic
def load(
    file: BinaryIO,
    *,
    creditor: str | None = None,
    encoding: str | None = None,
    dry_run: bool = False,
    by: Agent | None,
    today: date,
    now: datetime,
    decided: Decided | None = None,
    progress: Progress | None = None,
) -> Report:
    """Place the debts of a file.

    :param creditor: the creditor of rows that name none
    :param encoding: the file's encoding if it is neither UTF-8 nor UTF-16 with a byte-order mark
    :param dry_run: roll everything back at the end
    :param decided: the debtor of the only row of the file, if a person decided that
    :raises BrokenFile: if the file as a whole can't be read
    :raises ImportInProgress: if another file is being loaded
    """
    report_progress = progress or (lambda _doing, _bytes: None)
    if not advisory_locks.try_lock(AdvisoryLock.PLACEMENTS):
        raise ImportInProgress
    source = PlacementFile(file, has_creditor=creditor is not None, encoding=encoding)
    rows = staging.stage(source, creditor=creditor, progress=lambda read: report_progress("reading", read))
    report_progress("checking", source.bytes_read)
    checks.check(today=today)
    notation.read(today=today)
    report_progress("placing", source.bytes_read)
    assignment.lock_segments()
    posted = posting.post(by_id=by.pk if by else None, decided=decided, today=today, now=now)
    refusals, parked = _refusals(), posted.parked
    if dry_run:
        parked = [replace(row, id=None) for row in parked]
        transaction.set_rollback(True)
    else:
        report_progress("committing", source.bytes_read)
    return Report(
        rows=rows,
        accepted=posted.debts,
        known=posted.known,
        refused=len({refusal.line for refusal in refusals}),
        debtors=posted.debtors,
        refusals=refusals,
        parked=parked,
        equal=posted.equal,
        ignored=source.ignored,
    )


def _refusals() -> list[RefusedRow]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT line, column_name, reason FROM placement_refusal ORDER BY line, column_name COLLATE "C" NULLS FIRST'
        )
        return [RefusedRow(*row) for row in cursor.fetchall()]
