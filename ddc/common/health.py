"""Whether the parts that we need answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

import psycopg
import redis
from django.conf import settings

PATIENCE_SECONDS = 2.0
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


def check() -> dict[str, str]:
    """Ask each part at the same time; ``"ok"``, or what is wrong, within about two seconds even where a part hangs."""
    asked = {name: _pool.submit(ask) for name, ask in PARTS.items()}
    found = {}
    for name, answer in asked.items():
        try:
            answer.result(timeout=PATIENCE_SECONDS)
            found[name] = "ok"
        except TookTooLong:
            found[name] = "no answer"
        except (psycopg.Error, redis.RedisError, OSError) as error:
            found[name] = f"unreachable ({type(error).__name__})"
    return found


def _database() -> None:
    # A connection of its own: the request's may be what hangs.
    options = settings.DATABASES["default"]
    with psycopg.connect(
        host=options["HOST"] or None,
        port=options["PORT"] or None,
        user=options["USER"] or None,
        password=options["PASSWORD"] or None,
        dbname=options["NAME"],
        connect_timeout=2,
        options="-c statement_timeout=1500",
    ) as connection:
        connection.execute("SELECT 1")


def _broker() -> None:
    patience = {"socket_timeout": 1.5, "socket_connect_timeout": 1.5}
    with redis.Redis.from_url(settings.REDIS_URL, **patience) as client:
        client.ping()


PARTS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker}
