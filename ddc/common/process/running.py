"""Find out whether the site's processes are running: web servers, workers and beat."""

import time

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from kombu.exceptions import OperationalError

#: Beat sends a tick every five seconds (``ddc/celery.py``).
_LISTEN_SECONDS = 6.0
_PING_SECONDS = 2.0
# A session has a user; PostgreSQL's own processes have none. Others' programs may be hidden from this role.
_SESSIONS = """
SELECT coalesce(nullif(application_name, ''), 'a program') || ' of ' || usename FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL AND leader_pid IS NULL
ORDER BY 1
"""


def found() -> list[str]:
    """Return what was found running on this site's database and broker; empty if nothing was."""
    return [*_sessions(), *_workers_and_beat()]


def _sessions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS)
        return [f"connected to the database: {name}" for (name,) in cursor.fetchall()]


def _workers_and_beat() -> list[str]:
    """Ask all workers, and see whether new ticks arrive. Without a broker no worker gets a tick."""
    options = {"socket_timeout": 2, "socket_connect_timeout": 2}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **options) as broker:
            answers = current_app.control.ping(timeout=_PING_SECONDS) or []
            workers = [f"worker {name}" for answer in answers for name in answer]
            return workers or _beat(broker)
    except (redis.RedisError, OperationalError):
        return []


def _beat(broker: "redis.Redis") -> list[str]:
    before = _ticks(broker)
    ends = time.monotonic() + _LISTEN_SECONDS
    while time.monotonic() < ends:
        if _ticks(broker) > before:
            return ["beat, or another program that sends tasks to the broker"]
        time.sleep(0.2)
    return []


def _ticks(broker: "redis.Redis") -> int:
    return sum(int(broker.llen(queue)) for queue in ("ddc", "fast"))
