"""Run one command beside a PostgreSQL and a Valkey that live as long as it does."""

import contextlib
import fcntl
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from . import account, process
from .errors import StackError
from .postgres import MEASURED, THROWAWAY, Postgres
from .valkey import Valkey

SECRETS = ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY")
_PREFIX = "ddc-run-"
_GRACE_SECONDS = 15


def run(command: list[str], environment: Mapping[str, str], *, durable: bool = False) -> int:
    """Run the command with addresses and secrets in its environment, and return its exit code.

    What the environment names already is taken as it is, and no server is started for it. `.env` is not asked:
    what a test does to a database should never be done to the one that a site uses.
    """
    stopped = _Stopped()
    with stopped.noticed(), contextlib.ExitStack() as stack:
        env = dict(environment)
        for name in SECRETS:
            if not env.get(name):
                env[name] = secrets.token_urlsafe(48)
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not env.get(name)]
        if wanted:
            runner = account.for_servers()
            place = stack.enter_context(_place(runner))
            if "DATABASE_URL" in wanted:
                settings = MEASURED if durable else THROWAWAY
                postgres = Postgres(place, account=runner, log=place / "postgres.log", settings=settings)
                child = postgres.start()
                stack.callback(process.stop, child, by=signal.SIGQUIT)  # nothing in it is worth a checkpoint
                env["DATABASE_URL"] = postgres.url
            if "REDIS_URL" in wanted:
                (place / "valkey").mkdir(mode=0o711)
                valkey = Valkey(place / "valkey", account=runner, log=place / "valkey.log")
                stack.callback(process.stop, valkey.start())
                env["REDIS_URL"] = valkey.url
        return stopped.wait_for(command, env)


class _Stopped:
    """SIGTERM and SIGHUP, which end the command first; a Ctrl-C reaches it by itself, for it shares our terminal."""

    def __init__(self) -> None:
        self._child: process.Process | None = None

    @contextlib.contextmanager
    def noticed(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        before = {number: signal.signal(number, self._notice) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self._child is None:
            for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(each, signal.SIG_IGN)  # once is enough: the cleaning up is not to be disturbed
            raise SystemExit(128 + number)
        if number != signal.SIGINT:
            self._child.send_signal(number)
            signal.signal(signal.SIGALRM, self._lose_patience)
            signal.alarm(_GRACE_SECONDS)

    def _lose_patience(self, number: int, frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.kill()

    def wait_for(self, command: list[str], env: Mapping[str, str]) -> int:
        try:
            self._child = process.spawn(command, env=env, cwd=Path.cwd(), stdin=None, own_session=False)
        except OSError as error:
            raise StackError(f"{command[0]}: {error.strerror}") from error
        code = self._child.wait()
        signal.alarm(0)
        return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _place(runner: account.Account | None) -> Iterator[Path]:
    base = account.temporary_base(runner)
    _sweep(base)
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    place.chmod(0o711)
    # Locked before it gets the name that a sweeper looks for.
    with (place / "lock.new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (place / "lock.new").rename(place / "lock")
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove what runs that were killed have left: nobody holds their lock."""
    for lock_file in base.glob(f"{_PREFIX}*/lock"):
        with contextlib.suppress(OSError), lock_file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)
