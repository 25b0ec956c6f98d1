"""The tables with a change log (``audit_event``), and the actor to whom a change is attributed.

An app records a table by one line in its list of triggers: ``*recorded("debtor", person="id")``. The trigger function takes the
actor from the setting ``ddc.actor`` of the transaction. ``announce``, which every connection calls for each statement, sets it
before the first write to such a table, so that other transactions cost nothing more.
"""

import functools
import getpass
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
import structlog
from django.db import transaction

from ddc.common.bounded_cache import bounded_cache
from ddc.common.postgresql import triggers
from ddc.common.postgresql.triggers import Trigger

_FUNCTION = "record_changes"
#: Longer statements have lists of values; they are looked at each time.
_CACHED_LENGTH = 4096
_WRITTEN_TABLE = re.compile(r'\b(?:INTO|UPDATE|DELETE FROM) (?:public\.)?"?(\w{1,63})')
_SET = "SELECT set_config('ddc.actor', %s, true)"


def recorded(
    table: str,
    *,
    person: str = "",
    key: str = "id",
    hidden: tuple[str, ...] = (),
    insert_when: str = "",
    why: str = "Every change of personal data leaves who, when, before and after.",
) -> list[Trigger]:
    """Return the triggers that record every changed row of a table.

    ``person`` is the column with the debtor's id, empty where no row is about a debtor; ``key`` is the primary key. ``hidden``
    columns are never recorded: secrets, and what is computed from others; ``updated_at`` is always hidden. New rows are recorded
    under the condition ``insert_when``.
    """
    arguments = [key, person, *hidden, "updated_at"]
    kinds = (
        ("insert", "AFTER INSERT", "NEW TABLE AS inserted", insert_when),
        ("update", "AFTER UPDATE", "OLD TABLE AS before NEW TABLE AS updated", ""),
        ("delete", "AFTER DELETE", "OLD TABLE AS deleted", ""),
    )
    return [
        Trigger(
            name=f"{table}_{kind}_is_recorded",
            table=table,
            event=event,
            rows=rows,
            each="STATEMENT",
            when=when,
            function=_FUNCTION,
            arguments=arguments,
            why=why,
        )
        for kind, event, rows, when in kinds
    ]


@functools.cache
def tables() -> frozenset[str]:
    """Return the tables with a change log."""
    lists = triggers.every_list()
    return frozenset(trigger.table for each in lists for trigger in each.triggers if trigger.function == _FUNCTION)


@dataclass(frozen=True)
class Actor:
    """Who changes data, as ``audit_event`` has it: see ``AuditEvent.ActorKind`` and ``Source``."""

    kind: str
    source: str
    id: str | None = None
    name: str | None = None


def of_command(arguments: Sequence[str]) -> Actor:
    """Return the actor of a ``manage.py`` command: its name, and the user of the operating system."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown user"
    return Actor("system", "command", name=f"{arguments[1] if len(arguments) > 1 else 'help'} ({user})")


_current: ContextVar[Callable[[], Actor] | None] = ContextVar("ddc_actor", default=None)


def begin(who: Callable[[], Actor] | Actor) -> None:
    """Attribute the later changes of this thread to an actor, who may be found as late as at the first change."""
    _current.set((lambda: who) if isinstance(who, Actor) else who)


def end() -> None:
    """Attribute later changes to nobody: they show the database's user."""
    _current.set(None)


@contextmanager
def acting(who: Callable[[], Actor] | Actor) -> Iterator[None]:
    """Attribute the changes inside to an actor."""
    token = _current.set((lambda: who) if isinstance(who, Actor) else who)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def signed_in(kind: str, key: object) -> Iterator[None]:
    """Attribute the changes inside to a person who has just proved who they are, by the way of the current request."""
    who = _current.get()
    if who is None:
        yield
        return
    with acting(replace(who(), kind=kind, id=str(key), name=None)):
        yield


def announce(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement; before a write to a recorded table, tell PostgreSQL the actor. An execute wrapper of Django."""
    text = sql if isinstance(sql, str) else sql.as_string(None)
    if text.startswith("SELECT") or not _writes(text):
        return execute(sql, params, many, context)
    connection = context["connection"]
    actor = _as_json()
    if connection.in_atomic_block:
        _tell(connection, actor)
        return execute(sql, params, many, context)
    if not actor:
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):  # The setting ends with its transaction.
        _tell(connection, actor)
        return execute(sql, params, many, context)


def _tell(connection: Any, actor: str) -> None:
    if connection.announced_actor != actor:
        with connection.cursor() as cursor:
            cursor.execute(_SET, [actor])
        connection.announced_actor = actor


def _as_json() -> str:
    """Return the setting's value: an object of JSON, or nothing without an actor."""
    who = _current.get()
    if who is None:
        return ""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return orjson.dumps({**asdict(who()), "request_id": request_id}).decode()


@bounded_cache(1024, longest=_CACHED_LENGTH)
def _writes(sql: str) -> bool:
    return not tables().isdisjoint(_WRITTEN_TABLE.findall(sql))
