"""The real site, from nothing but a checkout, as a newcomer starts it."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddc.stack import process
from ddc.stack.state import read_env

from .conftest import PLAIN, REPOSITORY, at_work, command_line, until


@pytest.mark.deep
def test_make_demo_brings_up_the_site_from_nothing_and_takes_it_down(checkout: Path) -> None:
    _copy_repository(checkout)
    port = process.free_port()
    first = _make_demo(checkout, port, seconds=400)
    _visit(port)

    # Supervisor killed: granian's and celery's own children are gone too.
    (supervisor,) = [pid for pid in at_work(checkout) if "-m ddc.stack demo" in command_line(pid) and not _is_make(pid)]
    os.kill(supervisor, signal.SIGKILL)
    assert first.wait(30) != 0
    until(lambda: not at_work(checkout), seconds=20)
    assert [command_line(pid) for pid in at_work(checkout)] == []

    second = _make_demo(checkout, port, seconds=60)
    _visit(port)
    published = read_env(checkout / ".state/demo.env")
    elsewhere = subprocess.run(
        [checkout / ".venv/bin/python", "manage.py", "check", "--database", "default"], cwd=checkout, env=PLAIN
    )
    assert published["PORT"] == str(port)
    assert elsewhere.returncode == 0  # manage.py in another terminal knows the demo's database
    began = time.monotonic()
    os.killpg(second.pid, signal.SIGINT)  # as Ctrl-C does: to make and to what it started
    second.wait(30)
    until(lambda: not at_work(checkout), seconds=20)
    assert time.monotonic() - began < 15
    assert [command_line(pid) for pid in at_work(checkout)] == []
    assert not (checkout / ".state/demo.env").exists()


def _copy_repository(checkout: Path) -> None:
    made = shutil.ignore_patterns(".git", ".venv", ".state", ".env", "__pycache__", ".*_cache", "staticfiles")
    shutil.copytree(REPOSITORY, checkout, ignore=made, dirs_exist_ok=True)


def _make_demo(checkout: Path, port: int, seconds: float) -> subprocess.Popen[bytes]:
    log = checkout / f"made-{time.monotonic_ns()}"
    environment = {name: value for name, value in PLAIN.items() if name != "PYTHONPATH"} | {"PORT": str(port)}
    python = f"PYTHON={sys.base_prefix}/bin/python3"
    with log.open("wb") as output:
        made = subprocess.Popen(
            ["make", "demo", python],
            cwd=checkout,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until(lambda: "Ctrl-C ends it" in log.read_text() or made.poll() is not None, seconds)
    assert "Ctrl-C ends it" in log.read_text(), log.read_text()
    return made


def _visit(port: int) -> None:
    for path in ("/", "/health", "/admin/login/", "/docs", "/demo/outbox", "/portal/"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path)
        assert connection.getresponse().status in (200, 302), path
        connection.close()


def _is_make(pid: int) -> bool:
    return command_line(pid).startswith(("make", "/bin/sh"))
