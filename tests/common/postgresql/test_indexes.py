"""An index made or dropped while a site is at work: it waits for others, and can be run again wherever it was cut short."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.contrib.postgres import operations as plain
from django.db import OperationalError, connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from ddc.common.postgresql import indexes
from tests.deep import processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.owner]

NAME = "index_of_the_test"
INDEX = models.Index(fields=["name"], name=NAME)
ADD = indexes.AddIndexConcurrently("segment", INDEX)


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Give the connection little patience, and take the index away afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
        yield
        cursor.execute(f"RESET lock_timeout; DROP INDEX IF EXISTS {NAME}")


@contextmanager
def somebody_writes(seconds: float) -> Iterator[None]:
    """Keep a transaction open that writes to the table, for so long."""
    with psycopg.connect(processes.environment()["DATABASE_URL"]) as other:
        other.execute("LOCK TABLE segment IN ROW EXCLUSIVE MODE")
        end = threading.Timer(seconds, other.rollback)
        end.start()
        try:
            yield
        finally:
            end.cancel()
            end.join()


def run(operation: Operation, *, backwards: bool = False, made: bool = False) -> None:
    before = MigrationLoader(connection).project_state(("collections", "0001_initial"))
    if made:
        ADD.state_forwards("collections", before)
    after = before.clone()
    operation.state_forwards("collections", after)
    with connection.schema_editor(atomic=False) as editor:
        if backwards:
            operation.database_backwards("collections", editor, after, before)
        else:
            operation.database_forwards("collections", editor, before, after)


def validity() -> list[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [NAME])
        return [valid for (valid,) in cursor.fetchall()]


def cut_short() -> None:
    with somebody_writes(seconds=30), pytest.raises(OperationalError, match="lock timeout"):
        run(plain.AddIndexConcurrently("segment", INDEX))
    assert validity() == [False]


def test_it_waits_for_who_writes_and_leaves_the_patience_as_it_was():
    with somebody_writes(seconds=1):
        run(ADD)
    assert validity() == [True]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("10s",)


def test_what_was_cut_short_is_made_anew():
    cut_short()
    run(ADD)
    assert validity() == [True]


def test_making_it_twice_makes_it_once():
    run(ADD)
    run(ADD)
    assert validity() == [True]


def test_dropping_it_twice_drops_it_however_whole_it_is():
    cut_short()
    for _ in range(2):
        run(indexes.RemoveIndexConcurrently("segment", NAME), made=True)
        assert validity() == []


def test_dropping_it_waits_for_who_writes():
    run(ADD)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    with somebody_writes(seconds=1):
        run(indexes.RemoveIndexConcurrently("segment", NAME), made=True)
    assert validity() == []


def test_each_is_undone_by_the_other():
    run(ADD)
    run(ADD, backwards=True)
    assert validity() == []
    run(indexes.RemoveIndexConcurrently("segment", NAME), made=True, backwards=True)
    assert validity() == [True]
