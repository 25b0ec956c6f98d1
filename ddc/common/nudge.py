"""Wake a worker once the transaction has committed."""

import atexit
import os
import threading
import time

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)

#: How long to leave a broker alone that didn't take a nudge.
PAUSE_SECONDS = 1.0
#: What a process that ends still takes for saying what it has to say.
_FAREWELL_SECONDS = 2.0


def nudge(task: str, **ids: str) -> None:
    """Ask a worker to run a task soon, by its name.

    A lost nudge costs a tick of beat, never a message: so nobody waits for the broker.
    """
    transaction.on_commit(lambda: messenger().take(task, ids))


class _Messenger:
    """A thread that talks to the broker, so that whoever asks never waits for it. The same nudge twice is one."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._waiting: dict[tuple[str, tuple[tuple[str, str], ...]], None] = {}
        self._changed = threading.Condition()
        self._busy = self._failing = False
        threading.Thread(target=self._work, name="nudge", daemon=True).start()

    def take(self, task: str, ids: dict[str, str]) -> None:
        with self._changed:
            self._waiting[task, tuple(sorted(ids.items()))] = None
            self._changed.notify_all()

    def finish(self, seconds: float) -> bool:
        """Wait until everything is said, so long at most."""
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
        except Exception as error:  # kombu, redis and the sockets below it each raise their own
            if not self._failing:
                log.warning("broker_unreachable", task=task, error=type(error).__name__)
            self._failing = True
            return False
        if self._failing:
            log.warning("broker_reachable_again")
        self._failing = False
        return True


_made: list[_Messenger] = []
_making = threading.Lock()


def messenger() -> _Messenger:
    """Return this process's messenger; a thread doesn't survive a fork."""
    with _making:
        if not _made or _made[0].pid != os.getpid():
            _made[:] = [_Messenger()]
        return _made[0]


@atexit.register
def _say_the_rest() -> None:
    if _made and _made[0].pid == os.getpid():
        _made[0].finish(_FAREWELL_SECONDS)
