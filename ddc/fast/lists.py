"""Lists by page and limit, newest first, as one SQL statement."""

import hashlib
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from ddc.common.api.pagination import EXACT_UP_TO, LAG_SECONDS, PageSlice
from ddc.common.api.routes import AnyCaseUUID
from ddc.common.api.serializers import CamelSerializer
from ddc.fast import json_in_sql
from ddc.fast.reads import fetch_row

#: The fewest rows within which a page is looked for.
_WITHIN = 1_024


@dataclass(frozen=True)
class Filter:
    """A query parameter: a condition over ``%(its name)s``, and a parser that returns None for a value that can't be right."""

    sql: str
    parse: Callable[[str], Any]
    #: Whether the best plan depends on the value, so that PostgreSQL plans each statement again.
    plan_by_value: bool = False


@dataclass(frozen=True, eq=False)
class FastList:
    """A list of a table's rows in the shape of a serializer."""

    permission: str
    table: str
    serializer: type[CamelSerializer]
    filters: Mapping[str, Filter]
    #: SQL of fields that are not columns of the table, by their names in the answer.
    computed: Mapping[str, str] = field(default_factory=dict)
    #: Adds to the rows what SQL can't compute.
    complete: Callable[[list[dict[str, Any]]], None] | None = None

    def __call__(self, request: HttpRequest) -> bytes | None:
        """Answer a page; None where a parameter is unknown or wrong, or the caller may not read the list."""
        given = request.GET
        try:
            part = PageSlice.of(given)
        except ValidationError:
            return None
        params: dict[str, Any] = {}
        for name, text in given.dict().items():
            if name in ("page", "limit") or (name in self.filters and not text):
                continue
            params[name] = self.filters[name].parse(text) if name in self.filters else None
            if params[name] is None:
                return None
        names = tuple(sorted(params))
        key = "total:" + hashlib.sha256(repr((self.table, sorted(params.items()))).encode()).hexdigest()
        # A list that is much longer than is counted exactly can't get short while its total is remembered.
        total: Any = cache.get(key, 0)
        is_long = total > 2 * EXACT_UP_TO
        within = max(_WITHIN, 1 << (part.first + part.limit - 1).bit_length())
        row = fetch_row(
            request,
            self.permission,
            self.select_sql(names, not is_long, part.limit, within),
            {**params, "first": part.first},
            plan_once=not any(self.filters[name].plan_by_value for name in names),
        )
        if row is None:
            return None
        data, counted = row
        if not is_long:
            total = (
                counted if counted <= EXACT_UP_TO else cache.get_or_set(key, lambda: self._count(params), LAG_SECONDS)
            )
        if self.complete is not None:
            rows = orjson.loads(data)
            self.complete(rows)
            data = orjson.dumps(rows).decode()
        return b'{"data":%b,"meta":%b}' % (data.encode(), orjson.dumps(part.meta(request.path, given, total)))

    @lru_cache(maxsize=1_000)  # noqa: B019 - lists live as long as the process
    def select_sql(self, names: tuple[str, ...], counted: bool, limit: int, within: int) -> str:
        found = f"FROM {self.table} {self._where(names)}"
        columns = json_in_sql.columns(self.serializer, self.table, **self.computed)
        # An index cuts the page, and only the rows of the page are fetched. PostgreSQL expects an unknown OFFSET to skip a tenth
        # of the table, and would plan each statement again; the inner LIMIT bounds that estimate, so one plan serves all pages.
        newest = "ORDER BY created_at DESC, id DESC"
        page = json_in_sql.rows(f"""
            SELECT {columns} FROM (
                SELECT id FROM (SELECT id, created_at {found} {newest} LIMIT {within}) AS near
                {newest} OFFSET %(first)s LIMIT {limit}
            ) AS page JOIN {self.table} USING (id) ORDER BY {self.table}.created_at DESC, {self.table}.id DESC
        """)
        count = f"(SELECT count(*) FROM (SELECT {found} LIMIT {EXACT_UP_TO + 1}) AS found)"
        return f"{page}, {count if counted else 'NULL'}"

    def _where(self, names: Collection[str]) -> str:
        return f"WHERE {' AND '.join(self.filters[name].sql for name in names)}" if names else ""

    def _count(self, params: Mapping[str, Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table} {self._where(params)}", params)
            return int(cursor.fetchone()[0])


def parse_uuid(text: str) -> uuid.UUID | None:
    """Parse an id in its usual form."""
    return uuid.UUID(text) if re.fullmatch(AnyCaseUUID.regex, text) else None


def one_of(values: Collection[str]) -> Callable[[str], str | None]:
    """Return a parser that accepts these values."""
    known = frozenset(values)
    return lambda text: text if text in known else None
