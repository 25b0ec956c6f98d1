"""Wake a worker once the transaction has committed."""

import atexit
import os
import threading
import time

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)

#: Pause after the broker refused a task.
PAUSE_SECONDS = 1.0
#: How long a process that ends waits for its tasks to be published.
DRAIN_TIMEOUT = 2.0


def wake_worker(task: str, **ids: str) -> None:
    """Enqueue a task, by its name, once the transaction has committed.

    The caller does not wait for the broker. A lost task costs one tick of beat, because the work itself is in the database.
    """
    transaction.on_commit(lambda: _publisher().enqueue(task, ids))


class Publisher:
    """A thread that publishes tasks to the broker. Equal tasks that wait are published once."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._waiting: dict[tuple[str, tuple[tuple[str, str], ...]], None] = {}
        self._changed = threading.Condition()
        self._busy = self._failing = False
        threading.Thread(target=self._work, name="wake", daemon=True).start()

    def enqueue(self, task: str, ids: dict[str, str]) -> None:
        """Publish a task soon."""
        with self._changed:
            self._waiting[task, tuple(sorted(ids.items()))] = None
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until every task is published; return False if that takes longer than this."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                key = next(iter(self._waiting))
                del self._waiting[key]
                self._busy = True
            if not self._publish(key[0], dict(key[1])):
                with self._changed:
                    self._waiting.setdefault(key)
                time.sleep(PAUSE_SECONDS)

    def _publish(self, task: str, ids: dict[str, str]) -> bool:
        try:
            current_app.send_task(task, kwargs=ids, retry=False, expires=60, ignore_result=True)
        except Exception as error:  # kombu, redis and sockets each raise their own exceptions.
            if not self._failing:
                log.warning("broker_unreachable", task=task, error=type(error).__name__)
            self._failing = True
            return False
        if self._failing:
            log.warning("broker_reachable_again")
        self._failing = False
        return True


_publishers: list[Publisher] = []
_creating = threading.Lock()


def _publisher() -> Publisher:
    """Return this process's publisher; a thread does not survive a fork."""
    with _creating:
        if not _publishers or _publishers[0].pid != os.getpid():
            _publishers[:] = [Publisher()]
        return _publishers[0]


@atexit.register
def _drain() -> None:
    if _publishers and _publishers[0].pid == os.getpid():
        _publishers[0].drain(DRAIN_TIMEOUT)
