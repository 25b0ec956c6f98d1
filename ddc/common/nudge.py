"""Wake a worker once the transaction has committed."""

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)


def nudge(task: str, **ids: str) -> None:
    """Ask a worker to run a task soon, by its name.

    A lost nudge costs a tick of beat, never a message: so a broker that is down is noted and not waited for.
    """
    transaction.on_commit(lambda: _publish(task, ids))


def _publish(task: str, ids: dict[str, str]) -> None:
    try:
        current_app.send_task(task, kwargs=ids, retry=False, expires=60, ignore_result=True)
    except Exception as error:  # kombu, redis and the sockets below it each raise their own
        log.warning("nudge_lost", task=task, error=type(error).__name__)
