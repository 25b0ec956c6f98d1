"""Quick answers: those that people wait for all day, in one statement that looks up the caller too.

A quick answer is given only where all is sure: a plain request by a known member of staff who may, with parameters that are
right. For all else it is None, and the ordinary view, which says what is wrong, answers. Both give the same answer; a test sees
to it.
"""

import re
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.settings import api_settings

from ddc.common.api import sql_writer
from ddc.common.api.pagination import DEFAULT_LIMIT, EXACT_UP_TO, LAG_SECONDS, PageSlice
from ddc.common.api.routes import AnyCaseUUID
from ddc.common.api.serializers import CamelSerializer

Row = tuple[Any, ...]


#: Answers a request (and the ids in its path) with the body, or with None where the ordinary view has to.
Quick = Callable[..., bytes | None]


@dataclass(frozen=True)
class Condition:
    """What a query parameter asks for: SQL over ``%(its name)s``, and how its text is read (None: not by us)."""

    sql: str
    read: Callable[[str], Any]
    #: Whether the best plan depends on the value, so that each statement is planned anew.
    plan_by_value: bool = False


def ask(
    request: HttpRequest,
    permission: str,
    select: str,
    params: Mapping[str, Any],
    *,
    join: str = "",
    planned_once: bool = True,
) -> Row | None:
    """Run a statement whose select list is ``select``, of what ``join`` brings, for the caller; None where no caller may.

    The caller is looked up by the statement itself, so a token that was revoked a moment ago finds nothing.
    """
    staff: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES[0]
    caller = staff.look_up(request)
    if caller is None:
        return None
    found = f"(SELECT {caller.columns} FROM {caller.source}) AS caller"
    sql, given = f"SELECT caller.*, {select} FROM {found} {join}", {**caller.params, **params}
    with connection.cursor() as cursor:
        if planned_once:
            cursor.execute(sql, given)
        else:
            with connection.wrap_database_errors:
                cursor.cursor.execute(sql, given, prepare=False)
        row: Row | None = cursor.fetchone()
    if row is None or not staff.may(row[: caller.width], permission):
        return None
    request.user = get_user_model().from_db(connection.alias, ["id"], row[:1])  # For the log, which asks for no more.
    return row[caller.width :]


#: SQL that names what is committed and so to be seen: while it gives the same, all that was read by it would be read again. Null
#: where our own transaction has written, which shows in no snapshot.
SNAPSHOT = "CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN pg_current_snapshot()::text END"


@dataclass(frozen=True)
class _Total:
    count: int
    snapshot: str | None
    until: float


#: Totals of lists by what was asked for. Each process has its own.
_totals: dict[tuple[object, ...], _Total] = {}
_MOST_TOTALS = 1_000
#: The fewest rows within which a page is looked for.
_WITHIN = 1_024


@dataclass(frozen=True, eq=False)
class QuickList:
    """A list by page and limit, newest first."""

    permission: str
    table: str
    serializer: type[CamelSerializer]
    conditions: Mapping[str, Condition]
    #: SQL of fields that are no columns of the table, by their outside names.
    more: Mapping[str, str] = field(default_factory=dict)
    #: Completes rows with what only Python can tell.
    complete: Callable[[list[dict[str, Any]]], None] | None = None

    def __call__(self, request: HttpRequest, **ids: Any) -> bytes | None:
        given = request.GET
        try:
            cut = PageSlice.of(given, default_limit=DEFAULT_LIMIT)
        except ValidationError:
            return None
        params: dict[str, Any] = {"first": cut.first}
        names = []
        for name, text in given.dict().items():
            if name in ("page", "limit") or (name in self.conditions and not text):
                continue
            value = self.conditions[name].read(text) if name in self.conditions else None
            if value is None:
                return None
            names.append(name)
            params[name] = value
        where = tuple(sorted(names))
        key = self.table, *((name, params[name]) for name in where)
        known = _totals.get(key)
        # A list much longer than is counted exactly isn't counted each time; any other when something was written since.
        is_long = known is not None and known.count > 2 * EXACT_UP_TO and known.until > time.monotonic()
        params["snapshot"] = known.snapshot if known else None
        select = self._select(
            where, not is_long, cut.limit, max(_WITHIN, 1 << (cut.first + cut.limit - 1).bit_length())
        )
        varies = any(self.conditions[name].plan_by_value for name in where)
        row = ask(request, self.permission, select, params, planned_once=not varies)
        if row is None:
            return None
        data, counted, snapshot = row
        if counted is None and known:
            total = known.count
        else:
            total = counted if counted <= EXACT_UP_TO else self._count(where, params)
            if len(_totals) >= _MOST_TOTALS:
                _totals.clear()
            _totals[key] = _Total(total, snapshot, time.monotonic() + LAG_SECONDS)
        if self.complete is not None:
            found = orjson.loads(data)
            self.complete(found)
            data = orjson.dumps(found).decode()
        return b'{"data":%b,"meta":%b}' % (data.encode(), orjson.dumps(cut.meta(request.path, given, total)))

    @lru_cache(maxsize=1_000)  # noqa: B019 - lists live as long as the program
    def _select(self, where: tuple[str, ...], counted: bool, limit: int, within: int) -> str:
        found = f"FROM {self.table} {self._where(where)}"
        shown = sql_writer.columns(self.serializer, self.table, **self.more)
        # The page is cut by the index alone; only its rows are fetched. Of an offset that it doesn't know, PostgreSQL expects a
        # tenth of all rows, and would rather plan each time than do that; so it is told within how many rows the page lies.
        newest = "ORDER BY created_at DESC, id DESC"
        page = sql_writer.rows(f"""
            SELECT {shown} FROM (
                SELECT id FROM (SELECT id, created_at {found} {newest} LIMIT {within}) AS near
                {newest} OFFSET %(first)s LIMIT {limit}
            ) AS page JOIN {self.table} USING (id) ORDER BY {self.table}.created_at DESC, {self.table}.id DESC
        """)
        if not counted:
            return f"{page}, NULL, NULL"
        count = f"(SELECT count(*) FROM (SELECT {found} LIMIT {EXACT_UP_TO + 1}) AS found)"
        return f"{page}, CASE WHEN {SNAPSHOT} = %(snapshot)s THEN NULL ELSE {count} END, {SNAPSHOT}"

    def _where(self, names: tuple[str, ...]) -> str:
        return f"WHERE {' AND '.join(self.conditions[name].sql for name in names)}" if names else ""

    def _count(self, where: tuple[str, ...], params: Mapping[str, Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table} {self._where(where)}", params)
            return int(cursor.fetchone()[0])


def uuid_of(text: str) -> uuid.UUID | None:
    """Read an id in its usual form."""
    return uuid.UUID(text) if re.fullmatch(AnyCaseUUID.regex, text) else None


def one_of(words: Collection[str]) -> Callable[[str], str | None]:
    """Return a reader of one of a few words."""
    known = frozenset(words)
    return lambda text: text if text in known else None
