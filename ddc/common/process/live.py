"""What tasks do at this moment: their progress and their last ticks, in Valkey, because their transactions are not committed yet.

All of it is for people to look at. Without Valkey a page shows none of it, and no task fails.
"""

import time
from contextlib import suppress
from functools import lru_cache

import redis
from django.conf import settings

_TIMEOUT_SECONDS = 0.5
_PROGRESS_SECONDS = 3_600
#: A task reports its progress at most so often.
_PAUSE_SECONDS = 0.5
_TICKS = "ddc:ticks"


class Progress:
    """The progress of one job, by its id."""

    def __init__(self, job: object) -> None:
        self.key = f"ddc:progress:{job}"
        self._reported_at = 0.0

    def report(self, text: str) -> None:
        """Show a text such as "reading, 40 %" to those who watch the job; called as often as the job likes."""
        now = time.monotonic()
        if now - self._reported_at >= _PAUSE_SECONDS:
            self._reported_at = now
            with suppress(redis.RedisError, OSError):
                _valkey(settings.REDIS_URL).set(self.key, text, ex=_PROGRESS_SECONDS)

    def read(self) -> str:
        """Return the last text, empty if there is none."""
        try:
            found = _valkey(settings.REDIS_URL).get(self.key)
        except (redis.RedisError, OSError):
            return ""
        return found.decode() if isinstance(found, bytes) else ""


def tick(task: str) -> None:
    """Record that a worker has just ended a task."""
    with suppress(redis.RedisError, OSError):
        _valkey(settings.REDIS_URL).hset(_TICKS, task, str(time.time()))


def last_ticks() -> dict[str, float]:
    """Return when each task ended last, as seconds since 1970; empty without Valkey."""
    try:
        found = dict(_valkey(settings.REDIS_URL).hgetall(_TICKS))
    except (redis.RedisError, OSError):
        return {}
    return {name.decode() if isinstance(name, bytes) else name: float(moment) for name, moment in found.items()}


@lru_cache(maxsize=1)
def _valkey(url: str) -> redis.Redis:
    """Return this process's connections to Valkey."""
    client: redis.Redis = redis.Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return client
