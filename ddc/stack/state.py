"""The folder for the demo's lock, secrets, logs and published settings."""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import StackError
from .account import Account

_SECRETS = {"SECRET_KEY": 48, "DEBTOR_TOKEN_KEY": 48, "OTP_KEY": 48, "DEMO_PASSWORD": 9}
# Root puts the servers' data here if their account cannot enter the checkout.
_OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))


class State:
    """The folder `.state` of a checkout."""

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
        """Hold the folder's lock. The kernel releases it when this process dies, so it is never stale.

        :raises StackError: if another process holds it, or the folder belongs to another user
        """
        try:
            self.folder.mkdir(exist_ok=True)
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            lock = self._lock_file.open("a+")
        except OSError as error:
            raise StackError(
                f"{self.folder} cannot be used: {error.strerror}. If another user made it, remove it as that user."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise StackError(f"{lock.read().strip() or 'The demo is starting'}. Use that one, or end it.") from None
            self.describe("The demo is starting")
            yield

    def describe(self, text: str) -> None:
        """Write into the lock what a second start shows about its holder."""
        self._lock_file.write_text(f"{text} (process {os.getpid()})\n")

    def log(self, name: str) -> Path:
        """Return the log file of a server; the file of an earlier run is renamed."""
        log = self.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        return log

    def server_folder(self, account: Account | None) -> Path:
        """Return the folder for the servers' data: in the checkout if their account can enter it."""
        folder = self._inside
        if account and not account.reaches(self.folder):
            folder = self._outside()
        folder.mkdir(exist_ok=True)
        # In a folder that everybody may write to, another user could have taken the name.
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise StackError(f"{folder} belongs to another user. Remove it as that user.")
        folder.chmod(0o711)
        return folder

    def secrets(self) -> dict[str, str]:
        """Return the demo's secrets; the first call makes them, later runs keep them."""
        kept = read_env(self._secrets_env)
        made = {name: kept.get(name) or secrets.token_urlsafe(size) for name, size in _SECRETS.items()}
        if made != kept:
            write_env(self._secrets_env, made)
        return made

    def publish(self, values: Mapping[str, str]) -> None:
        """Publish the values for `manage.py` in another terminal."""
        write_env(self._demo_env, values)

    def unpublish(self) -> None:
        """Remove the values that a run, perhaps a killed one, has published."""
        self._demo_env.unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the demo's data and secrets. Call it with the lock held."""
        for folder in (self._inside, *(base / self.name for base in _OUTSIDE)):
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder)
        for file in (self._demo_env, self._secrets_env):
            file.unlink(missing_ok=True)

    @property
    def name(self) -> str:
        return "ddc-" + hashlib.sha256(os.fsencode(self.checkout.resolve())).hexdigest()[:12]

    def _outside(self) -> Path:
        for base in _OUTSIDE:
            if os.access(base, os.W_OK | os.X_OK):
                return base / self.name
        raise StackError(f"No folder for the servers' data is writable: tried {', '.join(map(str, _OUTSIDE))}.")


def read_env(file: Path) -> dict[str, str]:
    """Read NAME=value lines in the format of `.env`: with comments, `export` and quotes."""
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
    """Replace the file in one step; only its owner can read it."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(file)
