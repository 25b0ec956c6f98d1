"""Under whose name the servers run: PostgreSQL refuses root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import StackError


@dataclass(frozen=True)
class Account:
    """A user without rights, to whom root hands the servers."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Tell whether the account may execute (or, a folder, enter) the path.

        Asked of the kernel in a process of that account: modes alone miss ACLs and the folders above.
        """
        test = ["/usr/bin/test", "-x", str(path)]
        try:
            return subprocess.run(test, user=self.uid, group=self.gid, extra_groups=[], check=False).returncode == 0
        except (PermissionError, OSError) as error:
            raise StackError(f"root may not start a process as user {self.uid} here: {error}") from error


def for_servers() -> Account | None:
    """Choose the account that servers run as; None: our own will do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`.")


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of a path of ours."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
