"""Child processes that end with their parent."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from .account import Account

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
# Loaded in the parent: between fork and exec a child may use only what is loaded already.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Process = subprocess.Popen[bytes]


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path | None = None,
    account: Account | None = None,
    stdin: int | None = subprocess.DEVNULL,
    on_parent_death: signal.Signals = signal.SIGTERM,
    own_session: bool = True,
    capture: bool = False,
) -> Process:
    """Start a child that the kernel signals when this process dies in any way (on Linux).

    With a session of its own, a Ctrl-C in the terminal reaches only this process, which then ends the children in order.
    Without a log the child inherits the output, or with `capture` gets a pipe. Call it from the main thread: the kernel
    watches the thread that forked.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else subprocess.PIPE if capture else None
        return subprocess.Popen(
            [str(part) for part in command],
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=own_session,
            preexec_fn=_tie_to_parent(on_parent_death),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def _tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def tie() -> None:
        # Runs after the change of user, which would have cleared the signal.
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return tie


def stop(process: Process, *, by: signal.Signals = signal.SIGTERM, grace: float = 5) -> None:
    """Signal a child with its own session to end, and kill it after `grace` seconds."""
    if process.poll() is None:
        process.send_signal(by)
    finish(process, grace=grace)


def finish(process: Process, *, grace: float = 0) -> None:
    """Wait `grace` seconds for the end of a child with its own session, then kill it and its descendants."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(grace, 0))
    # The process group exists as long as one of its members, also without its leader.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def handling(signals: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle signals during the block."""
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def free_port() -> int:
    """Return a TCP port of the loopback address that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        # As servers do: a connection in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def last_lines(log: Path, count: int = 25) -> str:
    """Return the end of a log file, indented, for an error message."""
    try:
        text = log.read_bytes()[-20_000:].decode(errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:]) or "    (the log is empty)"
