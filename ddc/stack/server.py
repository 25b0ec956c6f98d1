"""A database server of the stack: start it on a free port, and wait until it is ready."""

import signal
import time
from pathlib import Path

from . import StackError, process
from .account import Account

_ATTEMPTS = 5
_TAKEN = b"Address already in use"


class Server:
    """A server in the folder `folder`, which this user owns and `account` may enter."""

    name: str
    start_seconds: int
    stop_signal = signal.SIGTERM
    #: Ends one that did not start.
    abort_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, account: Account | None, log: Path) -> None:
        self.folder, self.account, self.log = folder, account, log
        self.port = 0

    def start(self) -> process.Process:
        """Start the server and wait until it is ready. A second start keeps the port, because the site's processes use it.

        :raises StackError: with the last lines of the log
        """
        for _ in range(1 if self.port else _ATTEMPTS):
            port = self.port or process.free_port()
            logged = self.log.stat().st_size if self.log.exists() else 0
            child = self.spawn(port)
            try:
                if self._becomes_ready(child, port):
                    self.port = port
                    return child
            except BaseException:
                process.stop(child, by=self.abort_signal)
                raise
            process.stop(child, by=self.abort_signal)
            # Another program may have taken the port since it was chosen. Then try another one.
            if _TAKEN not in self.log.read_bytes()[logged:]:
                break
        raise StackError(f"{self.name} did not start. The end of {self.log}:\n{process.last_lines(self.log)}")

    def _becomes_ready(self, child: process.Process, port: int) -> bool:
        deadline = time.monotonic() + self.start_seconds
        while child.poll() is None and time.monotonic() < deadline:
            try:
                if self.is_ready(child, port):
                    return True
            except OSError:
                pass
            time.sleep(0.03)
        return False

    def spawn(self, port: int) -> process.Process:
        """Start the process."""
        raise NotImplementedError

    def is_ready(self, child: process.Process, port: int) -> bool:
        """Return whether the process, and not another one, answers on the port."""
        raise NotImplementedError
