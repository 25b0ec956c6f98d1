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

DATABASE = PRODUCT = "ddc"
OWNER = "ddc_owner"
SUPERUSER = "postgres"
_SQL = Path(__file__).parent / "sql"
# The benchmark loads its data, and tests check `always` triggers, with this setting. The owner gains nothing that counts: it may
# drop each trigger.
_FOR_TESTS = f"GRANT SET ON PARAMETER session_replication_role TO {OWNER};"
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
        """The URL of the database for the product's role, password included."""
        return self._url(PRODUCT)

    @property
    def owner_url(self) -> str:
        """The URL of the database for the role that owns the tables, password included."""
        return self._url(OWNER)

    def _url(self, role: str) -> str:
        password = self._password_file(self.data, role).read_text()
        return f"postgres://{role}:{password}@{process.LOOPBACK}:{self.port}/{DATABASE}"

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
            if not self._password_file(self.data, OWNER).exists():
                raise StackError(
                    f"{self.data} was made by a version with one database role. "
                    "Run `python -m ddc.stack reset` for a new database."
                )
            return
        # Renamed when complete, so that an interrupted run never leaves half a cluster under the final name.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        chown(unfinished, self.account)
        passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, PRODUCT, OWNER)}
        files = {role: self._password_file(self.folder, role) for role in passwords}
        for role, file in files.items():
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(passwords[role])
            chown(file, self.account)
        # The locale of LANG may give SQL_ASCII, where lower('ÉÖ') does nothing.
        characters = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        access: list[str | Path] = ["--username", SUPERUSER, "--pwfile", files[SUPERUSER], "--auth=scram-sha-256"]
        self._run([self._initdb, "-D", unfinished, *characters, *access, "--no-sync"])
        files[SUPERUSER].unlink()
        self._create_roles(unfinished, passwords)
        for role in (PRODUCT, OWNER):
            files[role].rename(self._password_file(unfinished, role))
        unfinished.rename(self.data)

    def _create_roles(self, cluster: Path, passwords: Mapping[str, str]) -> None:
        settings = [
            f"SET ddc.{name}_password = '{passwords[role]}';" for name, role in (("product", PRODUCT), ("owner", OWNER))
        ]
        files = [(_SQL / name).read_text() for name in ("roles.sql", "superuser.sql")]
        # With -j an empty line after a semicolon ends a statement, else the end of each line does.
        text = "\n\n".join(part.strip() for part in (*settings, *files, _FOR_TESTS)) + "\n\n"
        output = self._run([self._postgres, "--single", "-j", "-F", "-D", cluster, SUPERUSER], text)
        if "ERROR" in output:
            raise StackError(f"PostgreSQL could not create the roles and the database:\n{output}")

    @staticmethod
    def _password_file(folder: Path, role: str) -> Path:
        return folder / f"{role}-password"

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
