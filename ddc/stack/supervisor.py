"""Keep servers running: start them, start them again when they die, end them in order."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from . import process
from .errors import StackError

_FAST_SECONDS = 10
_FAST_DEATHS = 5
_GRACE_SECONDS = 6
_LOOK_EVERY_SECONDS = 0.2
# In the environment of the site's processes, so that a later start knows leftovers of a killed one from strangers.
MARK = "DDC_STACK"


class Server(Protocol):
    """What can be started, watched and ended."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def log(self) -> Path:
        """Where it writes to."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What asks it to end."""

    def start(self) -> process.Process:
        """Start it, again if need be."""


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
        """Start it. Whether it has come up is for the watch to see."""
        return process.spawn(self.command, env=self.env, cwd=self.cwd, log=self.log)


@dataclass
class _Watched:
    server: Server
    process: process.Process
    started: float = field(default_factory=time.monotonic)
    fast_deaths: int = 0
    due: float | None = None  # when to start it again; None: it runs


class Supervisor:
    """Watches servers. What the site stands on (`grounds`) is ended after the programs."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._grounds: list[_Watched] = []
        self._programs: list[_Watched] = []

    def start_ground(self, server: Server) -> None:
        """Start a server that the programs need."""
        self._grounds.append(_Watched(server, server.start()))

    def start_program(self, program: Program) -> None:
        """Start one of the site's own processes."""
        self._programs.append(_Watched(program, program.start()))

    def insist(self) -> None:
        """Look at all of them once, while coming up.

        :raises StackError: if one is dead, with the end of its log
        """
        for watched in (*self._grounds, *self._programs):
            if watched.process.poll() is not None:
                raise StackError(_obituary(watched))

    def watch(self) -> None:
        """Start again what dies, until a signal's exception ends it.

        :raises StackError: if one keeps dying
        """
        while True:
            for watched in (*self._grounds, *self._programs):
                self._look(watched)
            time.sleep(_LOOK_EVERY_SECONDS)

    def stop(self) -> None:
        """End all: ask the programs in the order of their start, await them, then end what they stood on."""
        for watched in self._programs:
            with contextlib.suppress(ProcessLookupError):
                watched.process.send_signal(watched.server.stop_signal)
        deadline = time.monotonic() + _GRACE_SECONDS
        for watched in self._programs:
            # Asked once already: celery takes a second SIGTERM for impatience.
            process.finish(watched.process, grace=deadline - time.monotonic())
        for watched in reversed(self._grounds):
            process.stop(watched.process, by=watched.server.stop_signal, grace=_GRACE_SECONDS)

    def _look(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.due is None:
            if watched.process.poll() is None:
                return
            process.finish(watched.process)  # its children, if it left any: they may hold its port
            watched.fast_deaths = watched.fast_deaths + 1 if now - watched.started < _FAST_SECONDS else 0
            if watched.fast_deaths >= _FAST_DEATHS:
                raise StackError(f"{watched.server.name} dies as soon as it is started. {_obituary(watched)}")
            pause = 2.0**watched.fast_deaths / 2 if watched.fast_deaths else 0.0
            watched.due = now + pause
            self._say(f"{_death(watched)}; it is started again{f' in {pause:g} s' if pause else ''}.")
        if now >= watched.due:
            watched.process, watched.started, watched.due = watched.server.start(), time.monotonic(), None


def end_leftovers(mark: str) -> None:
    """Kill processes that carry our mark though we hold the lock: a killed run could not end them."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)


def _death(watched: _Watched) -> str:
    code = watched.process.returncode
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    return f"{watched.server.name} {how}"


def _obituary(watched: _Watched) -> str:
    return f"{_death(watched)}. The end of {watched.server.log}:\n{process.last_lines(watched.server.log)}"
