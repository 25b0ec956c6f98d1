"""A private PostgreSQL cluster: create it, start it, clean up after a crash."""

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

from . import StackError, binaries, process
from .account import Account, chown
from .server import Server

DATABASE = ROLE = "ddc"
# Tests do not need their data after a crash.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
#: The settings of every benchmark, also of bare SQL: as durable as in production, with room for the data in memory. The
#: side-by-side harness (`bench/README.md`) uses the same.
MEASURED = {
    "max_connections": "120", "shared_buffers": "2GB", "effective_cache_size": "8GB", "work_mem": "32MB",
    "maintenance_work_mem": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "random_page_cost": "1.1",
    "jit": "off",
}  # fmt: skip
_INHERITED = ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


class Postgres(Server):
    """One cluster."""

    name = "PostgreSQL"
    start_seconds = 60
    stop_signal = signal.SIGINT  # "Fast" shutdown: ends the sessions, where SIGTERM waits for them.
    abort_signal = signal.SIGQUIT

    def __init__(
        self, folder: Path, *, account: Account | None, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data, self._settings = folder / "data", settings or {}
        super().__init__(folder, account=self._cluster_owner(account), log=log)
        programs = binaries.accessible(binaries.postgres() / "postgres", self.account, folder).parent
        self._postgres, self._initdb = programs / "postgres", programs / "initdb"
        self._env = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {"LC_ALL": "C"}

    @property
    def url(self) -> str:
        """The URL of the database, password included."""
        password = (self.data / "ddc-password").read_text()
        return f"postgres://{ROLE}:{password}@{process.LOOPBACK}:{self.port}/{DATABASE}"

    def start(self) -> process.Process:
        """Start the server as every other; create the cluster at the first start."""
        self._create()
        self._end_leftovers()
        return super().start()

    def spawn(self, port: int) -> process.Process:
        """Start the server."""
        settings = {"listen_addresses": process.LOOPBACK, "unix_socket_directories": "", **self._settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return process.spawn(
            [self._postgres, "-D", self.data, "-p", str(port), *options],
            env=self._env,
            cwd=self.folder,
            log=self.log,
            account=self.account,
            on_parent_death=signal.SIGQUIT,  # Immediate; the next start recovers.
        )

    def is_ready(self, child: process.Process, port: int) -> bool:
        """Read the eighth line of the pid file, as pg_ctl does."""
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[0] == str(child.pid) and lines[7].strip() == "ready"

    def _create(self) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if int(version.read_text()) != binaries.POSTGRES_MAJOR:
                raise StackError(
                    f"PostgreSQL {version.read_text().strip()} made {self.data}; this is version "
                    f"{binaries.POSTGRES_MAJOR}. Run `python -m ddc.stack reset` for a new database."
                )
            return
        # Renamed when complete, so that an interrupted run never leaves half a cluster under the final name.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        chown(unfinished, self.account)
        password = secrets.token_urlsafe(24)
        password_file = self.folder / "password.new"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        chown(password_file, self.account)
        # The locale of LANG may give SQL_ASCII, where lower('ÉÖ') does nothing.
        characters = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        access: list[str | Path] = ["--username", ROLE, "--pwfile", password_file, "--auth=scram-sha-256"]
        self._run([self._initdb, "-D", unfinished, *characters, *access, "--no-sync"])
        single: list[str | Path] = [self._postgres, "--single", "-F", "-D", unfinished, "postgres"]
        output = self._run(single, f"CREATE DATABASE {DATABASE}\n")
        if "ERROR" in output:
            raise StackError(f"PostgreSQL could not create the database:\n{output}")
        password_file.rename(unfinished / "ddc-password")
        unfinished.rename(self.data)

    def _run(self, command: Sequence[str | Path], text: str = "") -> str:
        child = process.spawn(
            command,
            env=self._env,
            cwd=self.folder,
            account=self.account,
            stdin=subprocess.PIPE,
            on_parent_death=signal.SIGKILL,
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

    def _cluster_owner(self, account: Account | None) -> Account | None:
        """Return the owner of an existing cluster, under which PostgreSQL has to start, else the account."""
        if account is None or not self.data.exists():
            return account
        owner = self.data.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        # Root copied the checkout with its data, and the copy lost the owner.
        for path in [self.data, *self.data.rglob("*")]:
            chown(path, account)
        return account

    def _end_leftovers(self) -> None:
        """End the processes of a killed run, and delete a pid file with the number of an unrelated process.

        The caller holds the lock on this folder, so every server process in it is a leftover.
        """
        pid_file = self.data / "postmaster.pid"
        if sys.platform != "linux":
            return
        for attempt in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            for pid in self.server_processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, attempt)
            deadline = time.monotonic() + 4
            while (left := self.server_processes()) and time.monotonic() < deadline:
                time.sleep(0.05)
            if not left:
                pid_file.unlink(missing_ok=True)
                return
        raise StackError(f"PostgreSQL processes {left} of an earlier run still use {self.data}. End them first.")

    def server_processes(self) -> list[int]:
        """Return the PostgreSQL processes with this cluster as working folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if os.path.samefile(entry / "cwd", self.data) and "postgres" in (entry / "comm").read_text():
                        found.append(int(entry.name))
        return found
