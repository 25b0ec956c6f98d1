"""Whether the parts that we need answer."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

import psycopg
import redis
import structlog
from django.conf import settings
from django.db import connections

from ddc.common.postgresql import outage, patience

log = structlog.get_logger(__name__)

#: For all parts together; who asks is promised an answer within three seconds, and may have stood behind another request.
PATIENCE_SECONDS = 1.5
#: For all notes together, which are the last that is asked of the database.
_NOTES_SECONDS = 0.5


#: What is told besides, whatever it is, and who knows it: by one statement over a connection that proved to be alive.
Note = Callable[["psycopg.Connection[tuple[Any, ...]]"], list[str]]
_notes: dict[str, Note] = {}


def note(name: str) -> Callable[[Note], Note]:
    """Have something of an app above told along with its name; it never makes the site unwell."""

    def register(ask: Note) -> Note:
        _notes[name] = ask
        return ask

    return register


def check() -> tuple[dict[str, str], dict[str, list[str]]]:
    """Ask all parts at the same time; ``"ok"``, or what is wrong, within PATIENCE_SECONDS even where a part hangs.

    Returns the notes as well, empty ones where the database doesn't answer.
    """
    asked = {name: part.ask() for name, part in PARTS.items()}
    ends = time.monotonic() + PATIENCE_SECONDS
    found = {name: _found(answer, ends - time.monotonic()) for name, answer in asked.items()}
    database = asked["database"]
    noted = database.result() if found["database"] == "ok" else {}
    return found, {name: noted.get(name, []) for name in _notes}


def _found(answer: "Future[Any]", patience: float) -> str:
    try:
        answer.result(timeout=max(patience, 0))
    except (TookTooLong, TimeoutError):
        return "no answer"
    except (psycopg.Error, redis.RedisError, OSError) as error:
        return f"unreachable ({type(error).__name__})"
    return "ok"


class Part:
    """Something that we need. While one question hangs, no second one is asked: threads don't pile up."""

    def __init__(self, question: Callable[[], Any]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._asked: Future[Any] | None = None

    def ask(self) -> "Future[Any]":
        """Ask in a thread of its own; where a question is open already, that one will do."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                threading.Thread(target=self._answer, args=(self._asked,), name="health", daemon=True).start()
            return self._asked

    def _answer(self, answer: "Future[Any]") -> None:
        try:
            told = self._question()
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(told)


def _database() -> dict[str, list[str]]:
    options = settings.DATABASES["default"]
    if outage.hangs(options["HOST"], options["PORT"]):
        raise TimeoutError
    # A connection of its own: the request's may be what hangs. All else is as theirs, TLS and what the URL asks for besides.
    asked = connections["default"].get_connection_params()
    asked |= {"connect_timeout": 2, "options": f"{asked['options']} -c statement_timeout=1000"}
    with psycopg.connect(**asked) as connection:
        connection.execute("SELECT 1")
        return _noted(connection)


def _noted(connection: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, list[str]]:
    """Ask for the notes, without those that fail; each may take half of what time is left, so one that hangs costs no other."""
    ends = time.monotonic() + _NOTES_SECONDS
    noted = {}
    for name, ask in _notes.items():
        try:
            with connection.transaction():
                patience.wait_until(patience.half_way_to(ends), connection)
                noted[name] = ask(connection)
        except Exception as error:  # Whatever it is: a note never makes the site unwell.
            log.warning("note_failed", note=name, error=type(error).__name__)
    return noted


def _broker() -> None:
    patience = {"socket_timeout": 1, "socket_connect_timeout": 1}
    with redis.Redis.from_url(settings.REDIS_URL, **patience) as client:
        client.ping()


PARTS = {"database": Part(_database), "broker": Part(_broker)}
