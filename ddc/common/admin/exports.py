"""The rows of a list of the back office as its CSV file has them: its filters, its order, its columns."""

import html
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.db import connection
from django.db.models import Manager, QuerySet
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

#: An amount on a page: a file has it without thousands separators, as programs read it.
_AMOUNT = re.compile(r"-?[0-9,]{1,30}(\.[0-9]{1,4})? [A-Z]{3}", re.ASCII)
#: Rows that are read together.
_BATCH = 1_000


def headers(page: Any, columns: list[str]) -> list[str]:
    """Return the headings of the columns of a list's admin."""
    return [str(label_for_field(name, page.model, page)).capitalize() for name in columns]


def rows(page: Any, found: QuerySet[Any], columns: list[str], *, done: Callable[[int], None]) -> Iterator[list[Any]]:
    """Yield the rows of a query in its order, in constant memory.

    The ids are written to a temporary file by one statement, so that each row is read once whatever the order, and no transaction
    is open while a client reads slowly. Rows that are deleted meanwhile are missing.

    :param done: called with the number of rows at the end, also where the client went away before
    """
    count = 0
    try:
        with tempfile.TemporaryFile("w+") as ids:
            _write_ids(found, ids)
            ids.seek(0)
            lines = (line.rstrip("\n") for line in ids)
            while batch := list(islice(lines, _BATCH)):
                for row in _read(page, found, batch):
                    count += 1
                    yield [_value(page, row, name) for name in columns]
    finally:
        done(count)


def _write_ids(found: QuerySet[Any], file: Any) -> None:
    sql, values = found.select_related(None).values_list("pk").query.sql_with_params()
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        for (key,) in cursor.stream(sql, values):  # One row at a time is in memory.
            file.write(f"{key}\n")


def _read(page: Any, found: QuerySet[Any], batch: list[str]) -> list[Any]:
    key = page.model._meta.pk
    by_id = {row.pk: row for row in found.order_by().filter(pk__in=[key.to_python(text) for text in batch])}
    read = [by_id[wanted] for wanted in map(key.to_python, batch) if wanted in by_id]
    page.annotate_rows(read)
    return read


def _value(page: Any, row: Any, name: str) -> Any:
    field, _, value = lookup_field(name, row, page)
    if field is not None and getattr(field, "flatchoices", None):
        value = dict(field.flatchoices).get(value, value)
    if isinstance(value, Manager):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, SafeString):
        value = html.unescape(strip_tags(value)).strip()
    return value.replace(",", "") if isinstance(value, str) and _AMOUNT.fullmatch(value) else value
