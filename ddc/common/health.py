"""Whether the parts that we need answer."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong

import psycopg
import redis
from django.conf import settings

from ddc.common.postgresql import outage

#: For all parts together; who asks is promised an answer within three seconds, and may have stood behind another request.
PATIENCE_SECONDS = 1.5


def check() -> dict[str, str]:
    """Ask all parts at the same time; ``"ok"``, or what is wrong, within PATIENCE_SECONDS even where a part hangs."""
    asked = {name: part.ask() for name, part in PARTS.items()}
    ends = time.monotonic() + PATIENCE_SECONDS
    return {name: _found(answer, ends - time.monotonic()) for name, answer in asked.items()}


def _found(answer: "Future[None]", patience: float) -> str:
    try:
        answer.result(timeout=max(patience, 0))
    except (TookTooLong, TimeoutError):
        return "no answer"
    except (psycopg.Error, redis.RedisError, OSError) as error:
        return f"unreachable ({type(error).__name__})"
    return "ok"


class Part:
    """Something that we need. While one question hangs, no second one is asked: threads don't pile up."""

    def __init__(self, question: Callable[[], None]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._asked: Future[None] | None = None

    def ask(self) -> "Future[None]":
        """Ask in a thread of its own; where a question is open already, that one will do."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                threading.Thread(target=self._answer, args=(self._asked,), name="health", daemon=True).start()
            return self._asked

    def _answer(self, answer: "Future[None]") -> None:
        try:
            self._question()
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)


def _database() -> None:
    options = settings.DATABASES["default"]
    if outage.hangs(options["HOST"], options["PORT"]):
        raise TimeoutError
    # A connection of its own: the request's may be what hangs.
    with psycopg.connect(
        host=options["HOST"] or None,
        port=options["PORT"] or None,
        user=options["USER"] or None,
        password=options["PASSWORD"] or None,
        dbname=options["NAME"],
        connect_timeout=2,
        options="-c statement_timeout=1000",
    ) as connection:
        connection.execute("SELECT 1")


def _broker() -> None:
    patience = {"socket_timeout": 1, "socket_connect_timeout": 1}
    with redis.Redis.from_url(settings.REDIS_URL, **patience) as client:
        client.ping()


PARTS = {"database": Part(_database), "broker": Part(_broker)}
