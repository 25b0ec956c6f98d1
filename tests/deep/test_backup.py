"""A backup that is taken while money moves, and restored into another database: there the ledger is right."""

import os
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

from collection.models import LedgerEntry
from ddc.stack import binaries
from tests import factories
from tests.deep import processes

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]


def named(name: str, *, role: str = "MIGRATION_DATABASE_URL") -> str:
    return urlunsplit(urlsplit(os.environ[role])._replace(path=f"/{name}"))


@pytest.fixture
def second_database() -> Iterator[str]:
    """An empty database beside the test's own."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with psycopg.connect(named("postgres"), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield name
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_backup_under_load_can_be_restored_and_its_ledger_is_right(tmp_path: Path, second_database: str):
    programs, dump = binaries.postgres(), tmp_path / "ddc.dump"
    for _ in range(6):
        factories.debt(balance=Decimal(1000))
    worker = processes.start("-m", "tests.deep.money_worker", "0", "100000", "4", stdout=subprocess.PIPE)
    assert worker.stdout
    try:
        for _ in range(200):
            assert worker.stdout.readline()
        before = LedgerEntry.objects.count()
        source = named(str(connection.settings_dict["NAME"]))
        backup = [programs / "pg_dump", "--format=custom", f"--file={dump}", source]
        with subprocess.Popen(backup) as running:
            for _ in range(100):
                assert worker.stdout.readline(), "money moves on meanwhile"
        assert running.returncode == 0
        after = LedgerEntry.objects.count()
    finally:
        worker.kill()
        worker.communicate()
    as_owner = named(second_database)
    restore = [programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={as_owner}", dump]
    subprocess.run(restore, check=True)
    with psycopg.connect(as_owner) as restored:
        (entries,) = restored.execute("SELECT count(*) FROM ledger_entry").fetchone()
    assert before <= entries <= after
    as_product = named(second_database, role="DATABASE_URL")
    env = processes.environment(DATABASE_URL=as_product, MIGRATION_DATABASE_URL=as_owner)
    with processes.start("manage.py", "check_ledger", env=env, stdout=subprocess.PIPE) as check:
        assert "no difference" in check.communicate()[0]
    assert check.returncode == 0
    for whole in (("migrate", "--check"), ("triggers", "--check")):
        with processes.start("manage.py", *whole, env=env) as check:
            check.wait()
        assert check.returncode == 0, "the schema and the rights of the product's role came along"
