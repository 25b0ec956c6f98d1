"""Inboxes of events that providers report: an event is stored before it is answered, and a worker processes it, once.

A handler that fails is run again, later and later, and its work is rolled back each time. An event that fails each time stays in
the back office until an agent retries or closes it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.process.wake import wake_worker

#: How long a worker may process one event before another worker tries.
LEASE = timedelta(seconds=60)
#: The pauses between the tries. After the last of them the event has failed.
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
#: How long a task works before it leaves the rest to the next one.
TIME_BUDGET = timedelta(seconds=20)
_ERROR_LENGTH, _RESULT_LENGTH = 500, 100

# One at a time: an event that kills its worker uses up no tries of other events.
_CLAIM = """
UPDATE {table} SET due_at = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM {table}
    WHERE processed_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id
"""


class NotFailed(DomainError):
    """Only a failed event is retried or closed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"This {name} has not failed. It may have been retried or closed already.")


@dataclass(frozen=True)
class EventInbox:
    """The inbox of one table.

    The table has ``due_at``, ``attempts``, ``processed_at``, ``failed_at``, ``result``, ``error`` and ``request_id``.

    :ivar task: the task in which a worker processes it
    :ivar name: what agents call an event of it
    """

    model: type[Model]
    task: str
    name: str

    def process(
        self, one: Callable[..., str], *, clock: Callable[[], datetime], time_budget: timedelta | None
    ) -> Counter[str]:
        """Process due events one by one until none is left or the time is over. Any number of workers may do so at once.

        :param one: called with the row and ``now``; processes it in one transaction, and returns what came of it
        """
        results: Counter[str] = Counter()
        ends = clock() + time_budget if time_budget else None
        while row := self._claim(now=clock()):
            with tracing.caused_by(row.request_id):
                results[one(row, now=clock())] += 1
            if ends and clock() >= ends:
                wake_worker(self.task)
                break
        return results

    def _claim(self, *, now: datetime) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM.format(table=self.model._meta.db_table), {"now": now, "until": now + LEASE})
            found = cursor.fetchone()
        return self.model._default_manager.get(pk=found[0]) if found else None

    def of_this_try(self, row: Any) -> QuerySet[Any]:
        """Return the claimed row, unless another worker has claimed it since; to be locked or updated."""
        return self.model._default_manager.filter(pk=row.pk, attempts=row.attempts, processed_at__isnull=True)

    def put_off(self, row: Any, error: str, *, now: datetime) -> str:
        """Try again later, or let the event fail; in a transaction of its own."""
        error = error.replace("\x00", "")[:_ERROR_LENGTH]
        if row.attempts > len(BACKOFF):
            self.of_this_try(row).update(failed_at=now, due_at=None, error=error)
            return "failed"
        self.of_this_try(row).update(due_at=now + BACKOFF[row.attempts - 1], error=error)
        return "put_off"

    def retry(self, row: Any, *, by: object, now: datetime) -> None:
        """Process a failed event again.

        :raises NotFailed: if it has not failed, or was retried or closed already
        """
        self._failed(row, failed_at=None, attempts=0, due_at=now, result=f"Retried by {by}"[:_RESULT_LENGTH])
        wake_worker(self.task)

    def close(self, row: Any, *, by: object, now: datetime) -> None:
        """Take a failed event off the worklist without any effect.

        :raises NotFailed: if it has not failed, or was retried or closed already
        """
        self._failed(row, failed_at=None, processed_at=now, result=f"Closed by {by}"[:_RESULT_LENGTH])

    def _failed(self, row: Any, **changes: object) -> None:
        if not self.model._default_manager.filter(pk=row.pk, failed_at__isnull=False).update(**changes):
            raise NotFailed(self.name)
