"""Run the whole site on one machine with sample data: one command starts, watches and ends it."""

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from . import StackError, account, health, process, web
from .postgres import Postgres
from .state import State, read_env
from .supervisor import MARK, Program, Supervisor, end_leftovers
from .valkey import Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
_FIRST_PORT = 8000
_HEALTH_SECONDS = 90
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OWNER_URL = "MIGRATION_DATABASE_URL"


@dataclass(frozen=True)
class Plan:
    """The steps that run once and the programs that keep running. `{port}` in an argument is the web server's port."""

    steps: Mapping[str, Sequence[str]]
    programs: Mapping[str, Sequence[str]]
    health: str = "/health"
    pages: Mapping[str, str] = field(default_factory=dict)
    users: Sequence[str] = ()


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-q", "-A", "ddc", *arguments]


def _worker(queue: str, concurrency: int) -> list[str]:
    return _celery("worker", "-Q", queue, "-n", f"{queue}@%h", "--concurrency", str(concurrency), "-l", "INFO")


SITE = Plan(
    steps={
        "Compiling the translations": [sys.executable, "-m", "ddc.translations", "compile"],
        "Migrating the database": [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        "Loading the sample data": [sys.executable, "manage.py", "load_demo"],
    },
    programs={
        "web": web.command(port="{port}"),
        # One process each for mail and for text messages, so that a hanging provider blocks only its own; one for the rest.
        "worker": _worker("ddc", 3),
        # Urgent messages, such as one-time codes, never wait behind a campaign.
        "fast-worker": _worker("fast", 2),
        # The schedule is in memory: a second schedule in a file would run every task twice.
        "beat": _celery("beat", "-S", "celery.beat:Scheduler", "-l", "INFO"),
    },
    pages={
        "/": "start here",
        "/admin/": "back office",
        "/docs": "API documentation",
        "/demo/outbox": "all messages, which the demo does not send",
        "/portal/": "debtor portal",
    },
    users=("agent", "supervisor", "auditor"),
)


def run(plan: Plan = SITE, checkout: Path = CHECKOUT, environment: Mapping[str, str] = os.environ) -> int:
    """Run the demo until Ctrl-C or SIGTERM, and return the exit code.

    :raises StackError: if it runs already, cannot start, or a process dies again and again
    """
    began = time.monotonic()
    state = State(checkout)
    with contextlib.suppress(_Interrupted), process.handling(_SIGNALS, _interrupt), state.locked():
        state.unpublish()
        end_leftovers(_mark(state))
        _Demo(plan, state, environment, began).run()
    show("Everything has ended.")
    return 0


def reset(checkout: Path = CHECKOUT) -> int:
    """Delete the demo's data and secrets.

    :raises StackError: if the demo runs
    """
    state = State(checkout)
    with state.locked():
        state.delete()
    show("The demo's database and secrets are deleted. The next `make demo` creates a new database.")
    return 0


class _Demo:
    def __init__(self, plan: Plan, state: State, environment: Mapping[str, str], began: float) -> None:
        self._plan, self._state, self._began = plan, state, began
        self._environment = dict(environment)
        # Empty counts as not set: a copy of .env.example has empty values.
        given = read_env(state.checkout / ".env") | self._environment
        self._given = {name: value for name, value in given.items() if value}
        if "DATABASE_URL" not in self._given:
            self._given.pop(_OWNER_URL, None)  # It would belong to another server than the demo's own.
        self._supervisor = Supervisor(show)

    def run(self) -> None:
        port = _web_port(self._given.get("PORT"))
        with contextlib.ExitStack() as stack:
            stack.callback(self._supervisor.stop)
            stack.callback(show, "\nEnding ...")
            values = {**self._state.secrets(), **self._start_servers(), **_defaults(port)}
            values = {name: self._given.get(name, value) for name, value in values.items()}
            stack.callback(self._state.unpublish)
            self._state.publish(values)
            env = {**self._environment, **values, MARK: _mark(self._state), "PYTHONUNBUFFERED": "1"}
            self._run_steps(env)
            self._start_programs(env, port)
            self._wait_for_health(port, values["PUBLIC_URL"])
            self._state.describe(f"The demo runs already, at {values['PUBLIC_URL']}")
            self._show_pages(values["PUBLIC_URL"], values["DEMO_PASSWORD"])
            self._supervisor.watch()

    def _start_servers(self) -> dict[str, str]:
        runner = account.for_servers()
        folder = self._state.server_folder(runner)
        urls = {}
        if not self._given.get("DATABASE_URL"):
            show("Starting PostgreSQL ...")
            postgres = Postgres(folder, account=runner, log=self._state.log("postgres"))
            self._supervisor.start_server(postgres)
            urls["DATABASE_URL"], urls[_OWNER_URL] = postgres.url, postgres.owner_url
        if not self._given.get("REDIS_URL"):
            show("Starting Valkey ...")
            (folder / "valkey").mkdir(mode=0o711, exist_ok=True)
            valkey = Valkey(folder / "valkey", account=runner, log=self._state.log("valkey"))
            self._supervisor.start_server(valkey)
            urls["REDIS_URL"] = valkey.url
        return {"DATABASE_URL": "", _OWNER_URL: "", "REDIS_URL": ""} | urls

    def _run_steps(self, env: Mapping[str, str]) -> None:
        for title, command in self._plan.steps.items():
            show(f"{title} ...")
            step = process.spawn(command, env=env, cwd=self._state.checkout)
            try:
                code = step.wait()
            finally:
                process.stop(step)
            if code:
                raise StackError(f"{title} failed (exit code {code}): {shlex.join(command)}")

    def _start_programs(self, env: Mapping[str, str], port: int) -> None:
        env = {**env, _OWNER_URL: ""}  # Only migrations need it. Empty, so that no file sets it.
        for name, command in self._plan.programs.items():
            show(f"Starting {name} ...")
            filled = [part.replace("{port}", str(port)) for part in command]
            self._supervisor.start_program(Program(name, filled, env, self._state.checkout, self._state.log(name)))

    def _wait_for_health(self, port: int, public_url: str) -> None:
        deadline = time.monotonic() + _HEALTH_SECONDS
        while problem := health.problem(port, public_url, self._plan.health):
            self._supervisor.check()
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        else:
            return
        log = self._state.logs / "web.log"
        raise StackError(
            f"The site did not start: GET {self._plan.health} answers {problem}\n"
            f"The end of {log}:\n{process.last_lines(log)}"
        )

    def _show_pages(self, url: str, password: str) -> None:
        show(f"\nThe demo is up after {time.monotonic() - self._began:.1f} s.\n")
        for path, content in self._plan.pages.items():
            show(f"  {url + path:<40} {content}")
        show(f"\n  Sign in as {', '.join(self._plan.users)}; password: {password}\n")
        show(f"Ctrl-C ends it. Logs are in {self._state.logs}.")


def show(text: str) -> None:
    """Print a line. A closed terminal is not an error."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


def _mark(state: State) -> str:
    return str(state.folder.resolve())


def _defaults(port: int) -> dict[str, str]:
    return {
        "DEMO": "1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://{process.LOOPBACK}:{port}",
        "ALLOWED_HOSTS": f"{process.LOOPBACK},localhost",
        "EMAIL_URL": "demo://",
        "SMS_BACKEND": "demo",
        # Nothing is sent, so no provider's limit delays the messages of the demo's thirty days.
        "EMAIL_RATE": "0",
        "SMS_RATE": "0",
    }


def _web_port(named: str | None) -> int:
    """Return the named port, or the first free one from 8000 on."""
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65536:
            raise StackError(f"PORT={named} is not a port. Use a number from 1 to 65535.")
        if not process.port_is_free(int(named)):
            raise StackError(f"Another program uses port {named}. End it, or choose another port with PORT=...")
        return int(named)
    for port in range(_FIRST_PORT, _FIRST_PORT + 100):
        if process.port_is_free(port):
            if port != _FIRST_PORT:
                show(f"Port {_FIRST_PORT} is in use, so the demo uses port {port}.")
            return port
    raise StackError(f"No port from {_FIRST_PORT} to {_FIRST_PORT + 99} is free. Choose one with PORT=...")


class _Interrupted(BaseException):
    """A signal asks for the end. Not an Exception, so that no handler takes it for a failure."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # Further signals must not interrupt the shutdown.
    raise _Interrupted
