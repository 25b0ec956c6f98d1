"""The system account that runs the servers: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import StackError


@dataclass(frozen=True)
class Account:
    """An unprivileged user that root starts the servers as."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Return whether the account may execute the path or, if it is a folder, enter it.

        The kernel answers, in a process of that account: file modes miss ACLs and the parent folders.
        """
        test = ["/usr/bin/test", "-x", str(path)]
        try:
            return subprocess.run(test, user=self.uid, group=self.gid, extra_groups=[], check=False).returncode == 0
        except (PermissionError, OSError) as error:
            raise StackError(f"root may not start a process as user {self.uid} here: {error}") from error


def for_servers() -> Account | None:
    """Return the account that runs the servers; None is the current user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`. Add one.")


def temporary_base(account: Account | None) -> Path:
    """Return a folder for temporary files that the servers' account can enter too."""
    for folder in (tempfile.gettempdir(), "/var/tmp", "/tmp", "/dev/shm"):
        path = Path(folder)
        if os.access(path, os.W_OK | os.X_OK) and (account is None or account.reaches(path)):
            return path
    raise StackError(
        "No folder for temporary files is open to both this user and the servers' account. Set TMPDIR to one."
    )


def chown(path: Path, account: Account | None) -> None:
    """Make the account the owner of the path."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
