"""The private cluster after crashes, copies and port conflicts."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ddc.stack import StackError, account, binaries, process
from ddc.stack.postgres import THROWAWAY, Postgres

from .conftest import PLAIN, at_work, until


@pytest.fixture
def place(checkout: Path) -> Path:
    place = checkout / "servers"
    place.mkdir(mode=0o711)
    return place


@pytest.fixture
def started() -> Iterator[list[process.Process]]:
    children: list[process.Process] = []
    yield children
    for child in children:
        process.stop(child, by=signal.SIGQUIT)


def cluster(place: Path) -> Postgres:
    return Postgres(place, account=account.for_servers(), log=place / "log", settings=THROWAWAY)


def test_the_cluster_has_unicode_case_rules_and_the_extensions(place: Path, started: list[process.Process]) -> None:
    postgres = cluster(place)
    started.append(postgres.start())
    with psycopg.connect(postgres.owner_url) as connection:
        row = connection.execute(
            "SELECT lower('ÉÖ'), current_setting('server_encoding'), uuidv7() IS NOT NULL"
        ).fetchone()
        for name in ("pg_trgm", "unaccent", "btree_gist"):
            connection.execute(f"CREATE EXTENSION {name}")
    assert row == ("éö", "UTF8", True)


def test_connections_need_the_password_and_this_machine(place: Path, started: list[process.Process]) -> None:
    postgres = cluster(place)
    started.append(postgres.start())
    for role in ("ddc", "ddc_owner", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgres://{role}:wrong@127.0.0.1:{postgres.port}/ddc")
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    for file in ("ddc-password", "ddc_owner-password"):
        assert (postgres.data / file).stat().st_mode & 0o077 == 0
    assert not list(place.glob("*-password"))
    assert (postgres.data).stat().st_mode & 0o077 == 0


def test_the_roles_are_those_of_the_shared_file(place: Path, started: list[process.Process]) -> None:
    postgres = cluster(place)
    started.append(postgres.start())
    with psycopg.connect(postgres.owner_url) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles "
            "WHERE rolname IN ('ddc', 'ddc_owner') ORDER BY 1"
        ).fetchall()
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert roles == [("ddc", *[False] * 5), ("ddc_owner", False, False, True, False, False)]
    assert owner == ("ddc_owner",)


def test_a_cluster_with_one_role_is_refused_and_kept(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data/PG_VERSION").write_text("18\n")
    with pytest.raises(StackError, match="one database role"):
        cluster(place).start()
    assert (place / "data/PG_VERSION").exists()


def test_killed_in_the_middle_of_initdb_it_starts_over(place: Path, started: list[process.Process]) -> None:
    code = (
        "import sys; from pathlib import Path; from ddc.stack import account; from ddc.stack.postgres import Postgres\n"
        "place = Path(sys.argv[1])\n"
        "Postgres(place, account=account.for_servers(), log=place / 'log').start()"
    )
    with subprocess.Popen([sys.executable, "-c", code, place], env=PLAIN) as maker:
        until(lambda: (place / "data.new/global").exists())
        maker.kill()
    until(lambda: not at_work(place))
    assert at_work(place) == []
    assert any((place / "data.new").iterdir())
    assert not (place / "data").exists()
    postgres = cluster(place)
    started.append(postgres.start())
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


def test_a_pid_file_with_the_number_of_an_unrelated_process_is_deleted(
    place: Path, started: list[process.Process]
) -> None:
    postgres = cluster(place)
    child = postgres.start()
    pid_file = (postgres.data / "postmaster.pid").read_text()
    process.stop(child, by=signal.SIGINT)
    # Under the servers' account: PostgreSQL itself detects processes of other accounts.
    unrelated = process.spawn(["sleep", "600"], env={}, cwd=Path("/"), account=account.for_servers())
    started.append(unrelated)
    stale = postgres.data / "postmaster.pid"
    stale.write_text(pid_file.replace(str(child.pid), str(unrelated.pid), 1))
    stale.chmod(0o600)
    account.chown(stale, account.for_servers())
    started.append(postgres.start())
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")
    assert unrelated.poll() is None


@pytest.mark.deep
def test_a_server_that_a_killed_run_left_is_ended_before_the_next(place: Path, started: list[process.Process]) -> None:
    orphan = cluster(place).start()
    started.append(orphan)
    postgres = cluster(place)
    started.append(postgres.start())
    assert orphan.poll() is not None
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


@pytest.mark.deep
def test_backends_that_outlive_their_server_do_not_stop_the_next(place: Path, started: list[process.Process]) -> None:
    postgres = cluster(place)
    child = postgres.start()
    port = postgres.port
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("SET client_connection_check_interval = 0")
        child.kill()
        child.wait()
        started.append(postgres.start())
    assert postgres.port == port
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


def test_a_port_lost_between_asking_and_listening_is_replaced(
    place: Path, started: list[process.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken: int = other.getsockname()[1]
        ports = iter([taken, process.free_port()])
        monkeypatch.setattr(process, "free_port", lambda: next(ports))
        postgres = cluster(place)
        started.append(postgres.start())
    assert postgres.port != taken


def test_a_cluster_of_another_version_is_refused_and_kept(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data/PG_VERSION").write_text("15\n")
    with pytest.raises(StackError, match="PostgreSQL 15 made"):
        cluster(place).start()
    assert (place / "data/PG_VERSION").exists()


@pytest.mark.deep
def test_a_copied_cluster_works_though_the_copy_has_another_owner(place: Path, started: list[process.Process]) -> None:
    process.stop(cluster(place).start(), by=signal.SIGINT)
    copy = place.parent / "copy"
    shutil.copytree(place, copy)  # as `cp -r` does: all of it belongs to us now
    postgres = cluster(copy)
    started.append(postgres.start())
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")


def test_a_failed_start_is_shown_with_its_log(place: Path, started: list[process.Process]) -> None:
    postgres = cluster(place)
    process.stop(postgres.start(), by=signal.SIGINT)
    (postgres.data / "postgresql.conf").write_text("nonsense = 1\n")
    began = time.monotonic()
    with pytest.raises(StackError, match="nonsense"):
        postgres.start()
    assert time.monotonic() - began < 10


def test_inaccessible_programs_are_copied(checkout: Path) -> None:
    closed = checkout / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "valkey-server"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o700)
    runner = account.for_servers()
    found = binaries.accessible(program, runner, checkout)
    assert runner is None or runner.reaches(found)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert os.access(found, os.X_OK)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers under another account")
def test_a_folder_that_the_servers_account_cannot_enter_is_refused(closed_checkout: Path) -> None:
    closed = closed_checkout / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "valkey-server"
    program.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(StackError, match="cannot enter"):
        binaries.accessible(program, account.for_servers(), closed_checkout)
