"""A PostgreSQL cluster of our own: make it, start it, clear up after a crash."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import binaries, process
from .account import Account, give
from .errors import StackError

DATABASE = ROLE = "ddc"
_START_SECONDS = 60
# What a crash may cost is of no interest in a test.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
#: What figures are measured with, ours and those of bare SQL: as careful as in production, with room for the data in memory. The
#: side-by-side harness (`bench/README.md`) has the same.
MEASURED = {
    "max_connections": "120", "shared_buffers": "2GB", "effective_cache_size": "8GB", "work_mem": "32MB",
    "maintenance_work_mem": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "random_page_cost": "1.1",
    "jit": "off",
}  # fmt: skip
_PASSED_ON = ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


class Postgres:
    """One cluster in the folder `place`, which is ours and which `account` may enter."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends the sessions; SIGTERM would wait for them

    def __init__(
        self, place: Path, *, account: Account | None, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.place, self.log, self._settings = place, log, settings or {}
        self.data = place / "data"
        self.account = self._owner_or(account)
        programs = binaries.within_reach(binaries.postgres() / "postgres", self.account, place).parent
        self._postgres, self._initdb = programs / "postgres", programs / "initdb"
        self._env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"LC_ALL": "C"}
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the database, password included."""
        password = (self.data / "ddc-password").read_text()
        return f"postgres://{ROLE}:{password}@{process.LOOPBACK}:{self.port}/{DATABASE}"

    def start(self) -> process.Process:
        """Start the server and wait until it takes connections; make the cluster if there is none yet.

        A second start keeps the port, since the site's processes know it.

        :raises StackError: with the log's last lines
        """
        self._make()
        self._clear_up()
        attempts = 1 if self.port else 5
        for _ in range(attempts):
            port = self.port or process.free_port()
            logged = self.log.stat().st_size if self.log.exists() else 0
            child = self._spawn(port)
            with process.ended_unless_kept(child, by=signal.SIGQUIT) as keep:
                if self._is_ready(child):
                    self.port = port
                    return keep()
            # Somebody may have taken the port between our asking and the server's: then take another one.
            if b"could not bind" not in self.log.read_bytes()[logged:]:
                break
        raise StackError(f"PostgreSQL did not start. The end of {self.log}:\n{process.last_lines(self.log)}")

    def _spawn(self, port: int) -> process.Process:
        settings = {"listen_addresses": process.LOOPBACK, "unix_socket_directories": "", **self._settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return process.spawn(
            [self._postgres, "-D", self.data, "-p", str(port), *options],
            env=self._env,
            cwd=self.place,
            log=self.log,
            account=self.account,
            on_our_death=signal.SIGQUIT,  # at once; the next start recovers
        )

    def _is_ready(self, child: process.Process) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                # Its eighth line is where pg_ctl looks too.
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(child.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.03)
        return False

    def _make(self) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if int(version.read_text()) != binaries.POSTGRES_MAJOR:
                raise StackError(
                    f"{self.data} was made by PostgreSQL {version.read_text().strip()}; "
                    f"this is {binaries.POSTGRES_MAJOR}. `python -m ddc.stack reset` makes a new one."
                )
            return
        # Made beside and renamed when complete: whatever kills us on the way leaves nothing that looks like a cluster.
        unfinished = self.place / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        give(unfinished, self.account)
        password = secrets.token_urlsafe(24)
        password_file = self.place / "password.new"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        give(password_file, self.account)
        # A bare LANG would make SQL_ASCII, where lower('ÉÖ') does nothing.
        characters = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        access: list[str | Path] = ["--username", ROLE, "--pwfile", password_file, "--auth=scram-sha-256"]
        self._finish([self._initdb, "-D", unfinished, *characters, *access, "--no-sync"])
        single: list[str | Path] = [self._postgres, "--single", "-F", "-D", unfinished, "postgres"]
        output = self._finish(single, f"CREATE DATABASE {DATABASE}\n")
        if "ERROR" in output:
            raise StackError(f"PostgreSQL could not make the database:\n{output}")
        password_file.rename(unfinished / "ddc-password")
        unfinished.rename(self.data)

    def _finish(self, command: Sequence[str | Path], text: str = "") -> str:
        child = process.spawn(
            command,
            env=self._env,
            cwd=self.place,
            account=self.account,
            stdin=subprocess.PIPE,
            on_our_death=signal.SIGKILL,
            capture=True,
        )
        try:
            output = child.communicate(text.encode())[0].decode(errors="replace")
        except BaseException:
            process.stop(child, by=signal.SIGKILL)
            raise
        if child.returncode:
            raise StackError(f"{Path(command[0]).name} failed:\n{output}")
        return output

    def _owner_or(self, account: Account | None) -> Account | None:
        """Keep the owner of a cluster that is there: PostgreSQL starts under no other."""
        if account is None or not self.data.exists():
            return account
        owner = self.data.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        # Root copied the checkout, data and all, and lost the owner on the way.
        for path in [self.data, *self.data.rglob("*")]:
            give(path, account)
        return account

    def _clear_up(self) -> None:
        """End what a killed run left behind, and drop a pid file whose number belongs to somebody else by now.

        We hold the lock on this folder, so whoever works in it is a leftover.
        """
        pid_file = self.data / "postmaster.pid"
        if sys.platform != "linux":
            return
        for attempt in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            for pid in self._at_work():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, attempt)
            deadline = time.monotonic() + 4
            while (left := self._at_work()) and time.monotonic() < deadline:
                time.sleep(0.05)
            if not left:
                pid_file.unlink(missing_ok=True)
                return
        raise StackError(f"PostgreSQL processes {left} of an earlier run are still at work in {self.data}.")

    def _at_work(self) -> list[int]:
        """List the PostgreSQL processes whose working folder is this cluster's."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if os.path.samefile(entry / "cwd", self.data) and "postgres" in (entry / "comm").read_text():
                        found.append(int(entry.name))
        return found
