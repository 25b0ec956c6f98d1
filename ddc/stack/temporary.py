"""Run one command with a PostgreSQL and a Valkey that end with it."""

import contextlib
import fcntl
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from . import StackError, account, process
from .postgres import MEASURED, THROWAWAY, Postgres
from .valkey import Valkey

SECRETS = ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY")
_PREFIX = "ddc-run-"
_GRACE_SECONDS = 15
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def run(command: list[str], environment: Mapping[str, str], *, durable: bool = False) -> int:
    """Run the command with server URLs and secrets in its environment, and return its exit code.

    A variable that is set already is kept, and its server is not started. `.env` is not read, so that tests never write to
    the database of a real site.
    """
    forwarder = _SignalForwarder()
    with process.handling(_SIGNALS, forwarder.forward), contextlib.ExitStack() as stack:
        env = dict(environment)
        for name in SECRETS:
            if not env.get(name):
                env[name] = secrets.token_urlsafe(48)
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not env.get(name)]
        if wanted:
            runner = account.for_servers()
            folder = stack.enter_context(_temporary_folder(runner))
            if "DATABASE_URL" in wanted:
                settings = MEASURED if durable else THROWAWAY
                postgres = Postgres(folder, account=runner, log=folder / "postgres.log", settings=settings)
                child = postgres.start()
                stack.callback(
                    process.stop, child, by=signal.SIGQUIT
                )  # Its data is deleted, so no checkpoint is needed.
                env["DATABASE_URL"], env["MIGRATION_DATABASE_URL"] = postgres.url, postgres.owner_url
            if "REDIS_URL" in wanted:
                (folder / "valkey").mkdir(mode=0o711)
                valkey = Valkey(folder / "valkey", account=runner, log=folder / "valkey.log")
                stack.callback(process.stop, valkey.start())
                env["REDIS_URL"] = valkey.url
        return forwarder.run(command, env)


class _SignalForwarder:
    """Passes SIGTERM and SIGHUP on to the command, which ends first. Ctrl-C reaches it directly, through the terminal."""

    def __init__(self) -> None:
        self._child: process.Process | None = None

    def forward(self, number: int, frame: FrameType | None) -> None:
        if self._child is None:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_IGN)  # Further signals must not interrupt the clean-up.
            raise SystemExit(128 + number)
        if number != signal.SIGINT:
            self._child.send_signal(number)
            signal.signal(signal.SIGALRM, self._kill)
            signal.alarm(_GRACE_SECONDS)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.kill()

    def run(self, command: list[str], env: Mapping[str, str]) -> int:
        try:
            self._child = process.spawn(command, env=env, cwd=Path.cwd(), stdin=None, own_session=False)
        except OSError as error:
            raise StackError(f"{command[0]}: {error.strerror}") from error
        code = self._child.wait()
        signal.alarm(0)
        return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _temporary_folder(runner: account.Account | None) -> Iterator[Path]:
    base = account.temporary_base(runner)
    _remove_leftovers(base)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    folder.chmod(0o711)
    # Locked before it gets the name that another run's clean-up looks for.
    with (folder / "lock.new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "lock.new").rename(folder / "lock")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(base: Path) -> None:
    """Remove the folders of runs that were killed: their lock is free."""
    for lock_file in base.glob(f"{_PREFIX}*/lock"):
        with contextlib.suppress(OSError), lock_file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)
