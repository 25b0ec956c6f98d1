"""The state of the parts that the site needs."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as ResultTimeout
from typing import Any

import psycopg
import redis
import structlog
from django.conf import settings
from django.db import connections

from ddc.common.postgresql import outage, timeouts

log = structlog.get_logger(__name__)

#: For all parts together. The contract promises an answer within 3 seconds, and the request may have waited behind another one.
CHECK_TIMEOUT = 1.5
#: For all details together; they are read last, over the connection of the check.
_DETAILS_TIMEOUT = 0.5

#: Reads a detail by one statement, over a connection that has just answered.
Detail = Callable[["psycopg.Connection[tuple[Any, ...]]"], list[str]]
DETAILS: dict[str, Detail] = {}


def detail(name: str) -> Callable[[Detail], Detail]:
    """Register a detail that an app adds to the health report. A detail that fails leaves the report "ok"."""

    def register(read: Detail) -> Detail:
        DETAILS[name] = read
        return read

    return register


def check() -> tuple[dict[str, str], dict[str, list[str]]]:
    """Check all parts at once; return each state, "ok" or what is wrong, and the details.

    It takes at most ``CHECK_TIMEOUT``, even where a part hangs. The details are empty where the database does not answer.
    """
    results = {name: part.start() for name, part in PARTS.items()}
    deadline = time.monotonic() + CHECK_TIMEOUT
    states = {name: _state(result, deadline - time.monotonic()) for name, result in results.items()}
    details = results["database"].result() if states["database"] == "ok" else {}
    return states, {name: details.get(name, []) for name in DETAILS}


def _state(result: "Future[Any]", timeout: float) -> str:
    try:
        result.result(timeout=max(timeout, 0))
    except (ResultTimeout, TimeoutError):
        return "no answer"
    except (psycopg.Error, redis.RedisError, OSError) as error:
        return f"unreachable ({type(error).__name__})"
    return "ok"


class Part:
    """A part that the site needs. While its check hangs, no second one starts, so threads do not pile up."""

    def __init__(self, check: Callable[[], Any]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._result: Future[Any] | None = None

    def start(self) -> "Future[Any]":
        """Start the check in a thread of its own, or return the result of the one that still runs."""
        with self._lock:
            if self._result is None or self._result.done():
                self._result = Future()
                threading.Thread(target=self._run, args=(self._result,), name="health", daemon=True).start()
            return self._result

    def _run(self, result: "Future[Any]") -> None:
        try:
            found = self._check()
        except Exception as error:
            result.set_exception(error)
        else:
            result.set_result(found)


def _check_database() -> dict[str, list[str]]:
    database = settings.DATABASES["default"]
    if outage.is_hanging(database["HOST"], database["PORT"]):
        raise TimeoutError
    # A connection of its own, because the request's may hang; TLS and the URL's other options are the same.
    options = connections["default"].get_connection_params()
    options |= {"connect_timeout": 2, "options": f"{options['options']} -c statement_timeout=1000"}
    with psycopg.connect(**options) as connection:
        connection.execute("SELECT 1")
        return _read_details(connection)


def _read_details(connection: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, list[str]]:
    """Read the details, without those that fail; each gets half of the time that is left, so that none takes all of it."""
    deadline = time.monotonic() + _DETAILS_TIMEOUT
    details = {}
    for name, read in DETAILS.items():
        try:
            with connection.transaction():
                timeouts.limit_until(timeouts.halfway_to(deadline), connection)
                details[name] = read(connection)
        except Exception as error:  # A detail never makes the site unhealthy.
            log.warning("health_detail_failed", detail=name, error=type(error).__name__)
    return details


def _check_broker() -> None:
    options = {"socket_timeout": 1, "socket_connect_timeout": 1}
    with redis.Redis.from_url(settings.REDIS_URL, **options) as client:
        client.ping()


PARTS = {"database": Part(_check_database), "broker": Part(_check_broker)}
