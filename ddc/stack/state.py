"""The folder where the demo keeps its lock, its secrets, its logs and what it set for others to read."""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from .account import Account
from .errors import StackError

_SECRETS = {"SECRET_KEY": 48, "DEBTOR_TOKEN_KEY": 48, "OTP_KEY": 48, "DEMO_PASSWORD": 9}
# Where root puts the servers' data if their account cannot enter the checkout.
_OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))


class State:
    """`.state` in the checkout."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.folder = checkout / ".state"
        self.logs = self.folder / "log"
        self._demo_env = self.folder / "demo.env"
        self._secrets_env = self.folder / "secrets.env"
        self._lock_file = self.folder / "lock"
        self._inside = self.folder / "servers"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for ourselves. The kernel lets go of it when we die, so no lock is ever stale.

        :raises StackError: if another process holds it, or the folder is not ours to use
        """
        try:
            self.folder.mkdir(exist_ok=True)
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            lock = self._lock_file.open("a+")
        except OSError as error:
            raise StackError(
                f"{self.folder} cannot be used: {error.strerror}. Was it made by another user? Then remove it as that user."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise StackError(f"{lock.read().strip() or 'The demo is just starting'}. It is left alone.") from None
            self.announce("The demo is just starting")
            yield

    def announce(self, text: str) -> None:
        """Leave word for a second start of what holds the lock."""
        self._lock_file.write_text(f"{text} (process {os.getpid()})\n")

    def log(self, name: str) -> Path:
        """Return the log file of a server; what an earlier run wrote moves aside."""
        log = self.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        return log

    def servers(self, account: Account | None) -> Path:
        """Return the folder for the servers' data: in the checkout if their account can enter it."""
        place = self._inside
        if account and not account.reaches(self.folder):
            place = self._outside()
        place.mkdir(exist_ok=True)
        # In a folder that everybody may write to, the name could have been taken by somebody else.
        if place.is_symlink() or place.stat().st_uid != os.geteuid():
            raise StackError(f"{place} belongs to somebody else.")
        place.chmod(0o711)
        return place

    def secrets(self) -> dict[str, str]:
        """Return the demo's secrets, made at the first call and kept from run to run."""
        kept = read_env(self._secrets_env)
        made = {name: kept.get(name) or secrets.token_urlsafe(size) for name, size in _SECRETS.items()}
        if made != kept:
            write_env(self._secrets_env, made)
        return made

    @contextlib.contextmanager
    def published(self, values: Mapping[str, str]) -> Iterator[None]:
        """Let `manage.py` in another terminal see the values, as long as they hold."""
        write_env(self._demo_env, values)
        try:
            yield
        finally:
            self.withdraw()

    def withdraw(self) -> None:
        """Take back what a run, perhaps a killed one, has published."""
        self._demo_env.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the demo's data and secrets. Call it with the lock held."""
        for folder in (self._inside, *(base / self._name for base in _OUTSIDE)):
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder)
        for file in (self._demo_env, self._secrets_env):
            file.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return "ddc-" + hashlib.sha256(os.fsencode(self.checkout.resolve())).hexdigest()[:12]

    def _outside(self) -> Path:
        for base in _OUTSIDE:
            if os.access(base, os.W_OK | os.X_OK):
                return base / self._name
        raise StackError(f"There is no place for the servers' data: tried {', '.join(map(str, _OUTSIDE))}.")


def read_env(file: Path) -> dict[str, str]:
    """Read NAME=value lines as `.env` has them: comments, `export` and quotes are understood."""
    values = {}
    with contextlib.suppress(FileNotFoundError):
        for line in file.read_text().splitlines():
            if match := re.fullmatch(r"\s*(?:export\s+)?(\w+)=(.*)", line):
                value = match[2].strip()
                if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                    value = value[1:-1]
                values[match[1]] = value
    return values


def write_env(file: Path, values: Mapping[str, str]) -> None:
    """Replace the file in one step, readable by ourselves alone."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(file)
