"""Keep servers running: start them, restart them when they die, end them in order."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import StackError, process
from .server import Server

_EARLY_EXIT_SECONDS = 10
_MAX_EARLY_EXITS = 5
_GRACE_SECONDS = 6
_CHECK_INTERVAL_SECONDS = 0.2
# In the environment of the site's processes, so that a later start recognises what a killed run left behind.
MARK = "DDC_STACK"


@dataclass(frozen=True)
class Program:
    """One of the site's own processes."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def start(self) -> process.Process:
        """Start it without waiting until it is ready."""
        return process.spawn(self.command, env=self.env, cwd=self.cwd, log=self.log)


@dataclass
class _Watched:
    server: Server | Program
    process: process.Process
    started: float = field(default_factory=time.monotonic)
    early_exits: int = 0
    restart_at: float | None = None  # None while it runs.


class Supervisor:
    """Watches the database servers and the programs that use them; the servers end last."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._servers: list[_Watched] = []
        self._programs: list[_Watched] = []

    def start_server(self, server: Server) -> None:
        """Start a server that the programs need."""
        self._servers.append(_Watched(server, server.start()))

    def start_program(self, program: Program) -> None:
        """Start one of the site's own processes."""
        self._programs.append(_Watched(program, program.start()))

    def check(self) -> None:
        """Check that all of them run, during start-up.

        :raises StackError: with the end of the log, if one has ended
        """
        for watched in (*self._servers, *self._programs):
            if watched.process.poll() is not None:
                raise StackError(_failure(watched))

    def watch(self) -> None:
        """Restart processes that die, until the exception of a signal ends it.

        :raises StackError: if one dies again and again
        """
        while True:
            for watched in (*self._servers, *self._programs):
                self._restart_if_dead(watched)
            time.sleep(_CHECK_INTERVAL_SECONDS)

    def stop(self) -> None:
        """End the programs in the order of their start, then the servers."""
        for watched in self._programs:
            with contextlib.suppress(ProcessLookupError):
                watched.process.send_signal(watched.server.stop_signal)
        deadline = time.monotonic() + _GRACE_SECONDS
        for watched in self._programs:
            # No second signal: a second SIGTERM makes Celery drop its tasks.
            process.finish(watched.process, grace=deadline - time.monotonic())
        for watched in reversed(self._servers):
            process.stop(watched.process, by=watched.server.stop_signal, grace=_GRACE_SECONDS)

    def _restart_if_dead(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.restart_at is None:
            if watched.process.poll() is None:
                return
            process.finish(watched.process)  # Children that it left behind may hold its port.
            early = now - watched.started < _EARLY_EXIT_SECONDS
            watched.early_exits = watched.early_exits + 1 if early else 0
            if watched.early_exits >= _MAX_EARLY_EXITS:
                raise StackError(f"{watched.server.name} ends shortly after each start. {_failure(watched)}")
            pause = 2.0**watched.early_exits / 2 if watched.early_exits else 0.0
            watched.restart_at = now + pause
            self._show(f"{_exit(watched)}; it is restarted{f' in {pause:g} s' if pause else ''}.")
        if now >= watched.restart_at:
            watched.process, watched.started, watched.restart_at = watched.server.start(), time.monotonic(), None


def end_leftovers(mark: str) -> None:
    """Kill the marked processes of an earlier run that was killed. Call it with the lock held."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)


def _exit(watched: _Watched) -> str:
    code = watched.process.returncode
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    return f"{watched.server.name} {how}"


def _failure(watched: _Watched) -> str:
    return f"{_exit(watched)}. The end of {watched.server.log}:\n{process.last_lines(watched.server.log)}"
