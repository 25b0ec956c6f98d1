"""The whole site on one machine, with made-up data: started, watched and ended by one command."""

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from . import account, health, process, web
from .errors import StackError
from .postgres import Postgres
from .state import State, read_env
from .supervisor import MARK, Program, Supervisor, end_leftovers
from .valkey import Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
_FIRST_PORT = 8000
_HEALTH_SECONDS = 90


@dataclass(frozen=True)
class Plan:
    """What is run once, and what is kept running. `{port}` in an argument is the web server's port."""

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
        "Bringing the database up to date": [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        "Loading the demo's data": [sys.executable, "manage.py", "load_demo"],
    },
    programs={
        "web": web.command(port="{port}"),
        # One for each provider of messages, so that one that hangs doesn't stop the other's, and one for all else.
        "worker": _worker("ddc", 3),
        # What a person is waiting for, such as a one-time code, never stands behind a campaign.
        "fast-worker": _worker("fast", 2),
        # In memory, for two schedules in two files would run everything twice.
        "beat": _celery("beat", "-S", "celery.beat:Scheduler", "-l", "INFO"),
    },
    pages={
        "/": "start here",
        "/admin/": "back office",
        "/docs": "API, to try out",
        "/demo/outbox": "every message that would have gone out",
        "/portal/": "what a debtor sees",
    },
    users=("agent", "supervisor", "auditor"),
)


def run(plan: Plan = SITE, checkout: Path = CHECKOUT, environment: Mapping[str, str] = os.environ) -> int:
    """Run the demo until Ctrl-C or SIGTERM, and return the exit code.

    :raises StackError: if it runs already, or cannot start, or cannot be kept running
    """
    began = time.monotonic()
    state = State(checkout)
    with contextlib.suppress(_Ended), _ended_by_signals(), state.locked():
        state.withdraw()
        end_leftovers(_mark(state))
        _Demo(plan, state, environment, began).run()
    say("Everything is down.")
    return 0


def reset(checkout: Path = CHECKOUT) -> int:
    """Forget the demo's data and secrets.

    :raises StackError: if the demo runs
    """
    state = State(checkout)
    with state.locked():
        state.forget()
    say("The demo's data and secrets are gone; the next start makes new ones.")
    return 0


class _Demo:
    def __init__(self, plan: Plan, state: State, environment: Mapping[str, str], began: float) -> None:
        self._plan, self._state, self._began = plan, state, began
        self._outer = dict(environment)
        # What is there but empty counts as not set: so it stands in a copy of .env.example.
        given = read_env(state.checkout / ".env") | self._outer
        self._given = {name: value for name, value in given.items() if value}
        self._supervisor = Supervisor(say)

    def run(self) -> None:
        port = _web_port(self._given.get("PORT"))
        with contextlib.ExitStack() as stack:
            stack.callback(self._stop)
            values = {**self._state.secrets(), **self._start_grounds(), **_defaults(port)}
            values = {name: self._given.get(name, value) for name, value in values.items()}
            stack.enter_context(self._state.published(values))
            env = {**self._outer, **values, MARK: _mark(self._state), "PYTHONUNBUFFERED": "1"}
            self._take_steps(env)
            self._start_programs(env, port)
            self._wait_for_health(port, values["PUBLIC_URL"])
            self._state.announce(f"The demo runs already, at {values['PUBLIC_URL']}")
            self._welcome(values["PUBLIC_URL"], values["DEMO_PASSWORD"])
            self._supervisor.watch()

    def _start_grounds(self) -> dict[str, str]:
        runner = account.for_servers()
        place = self._state.servers(runner)
        urls = {}
        if not self._given.get("DATABASE_URL"):
            say("Starting PostgreSQL ...")
            postgres = Postgres(place, account=runner, log=self._state.log("postgres"))
            self._supervisor.start_ground(postgres)
            urls["DATABASE_URL"] = postgres.url
        if not self._given.get("REDIS_URL"):
            say("Starting Valkey ...")
            (place / "valkey").mkdir(mode=0o711, exist_ok=True)
            valkey = Valkey(place / "valkey", account=runner, log=self._state.log("valkey"))
            self._supervisor.start_ground(valkey)
            urls["REDIS_URL"] = valkey.url
        return {"DATABASE_URL": "", "REDIS_URL": ""} | urls

    def _take_steps(self, env: Mapping[str, str]) -> None:
        for title, command in self._plan.steps.items():
            say(f"{title} ...")
            step = process.spawn(command, env=env, cwd=self._state.checkout)
            try:
                code = step.wait()
            finally:
                process.stop(step)
            if code:
                raise StackError(f"{title} failed (exit code {code}): {shlex.join(command)}")

    def _start_programs(self, env: Mapping[str, str], port: int) -> None:
        for name, command in self._plan.programs.items():
            say(f"Starting {name} ...")
            filled = [part.replace("{port}", str(port)) for part in command]
            self._supervisor.start_program(Program(name, filled, env, self._state.checkout, self._state.log(name)))

    def _wait_for_health(self, port: int, public_url: str) -> None:
        deadline = time.monotonic() + _HEALTH_SECONDS
        while wrong := health.complaint(port, public_url, self._plan.health):
            self._supervisor.insist()
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        else:
            return
        log = self._state.logs / "web.log"
        raise StackError(
            f"The site does not get well: GET {self._plan.health} says {wrong}\n"
            f"The end of {log}:\n{process.last_lines(log)}"
        )

    def _welcome(self, url: str, password: str) -> None:
        say(f"\nThe demo is up after {time.monotonic() - self._began:.1f} s.\n")
        for path, what in self._plan.pages.items():
            say(f"  {url + path:<40} {what}")
        say(f"\n  Sign in as {', '.join(self._plan.users)}; password: {password}\n")
        say(f"Ctrl-C ends it. Logs are in {self._state.logs}.")

    def _stop(self) -> None:
        say("\nEnding ...")
        self._supervisor.stop()


def say(text: str) -> None:
    """Tell the person at the terminal; that nobody listens any more is no reason to die."""
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
    }


def _web_port(named: str | None) -> int:
    """Return the named port, or the first free one from 8000 on."""
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65536:
            raise StackError(f"PORT={named} is not a port.")
        if not process.port_is_free(int(named)):
            raise StackError(f"Port {named} is taken by another program. End that, or name another port with PORT=...")
        return int(named)
    for port in range(_FIRST_PORT, _FIRST_PORT + 100):
        if process.port_is_free(port):
            if port != _FIRST_PORT:
                say(f"Port {_FIRST_PORT} is taken, so this is on {port}.")
            return port
    raise StackError(f"No port from {_FIRST_PORT} to {_FIRST_PORT + 99} is free. Name one with PORT=...")


class _Ended(BaseException):
    """Somebody wants it to end; not an Exception, so that nobody takes it for a failure on the way."""


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # the ending itself is not to be disturbed
        raise _Ended

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
