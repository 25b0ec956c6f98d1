"""A private Valkey server: loopback only, with a password, and nothing on disk."""

import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import binaries, process
from .account import Account
from .errors import StackError

_START_SECONDS = 20


class Valkey:
    """One server with the working folder `folder`, which `account` may enter."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, account: Account | None, log: Path) -> None:
        self.folder, self.account, self.log = folder, account, log
        self._program = binaries.accessible(binaries.valkey(), account, folder)
        self._password = secrets.token_urlsafe(24)
        self.port = 0

    @property
    def url(self) -> str:
        """The URL of the server, password included."""
        return f"redis://:{self._password}@{process.LOOPBACK}:{self.port}/0"

    def start(self) -> process.Process:
        """Start the server and wait until it answers. A second start keeps port and password.

        :raises StackError: with the last lines of the log
        """
        for _ in range(1 if self.port else 5):
            port = self.port or process.free_port()
            child = self._spawn(port)
            with process.stopped_unless_kept(child) as keep:
                if self._is_ready(child, port):
                    self.port = port
                    return keep()
        raise StackError(f"Valkey did not start. The end of {self.log}:\n{process.last_lines(self.log)}")

    def _spawn(self, port: int) -> process.Process:
        child = process.spawn(
            [self._program, "-"],
            env={},
            cwd=self.folder,
            log=self.log,
            account=self.account,
            stdin=subprocess.PIPE,
        )
        assert child.stdin
        # On stdin, because every user of the machine can read command lines.
        settings = f'bind {process.LOOPBACK}\nport {port}\nrequirepass {self._password}\nsave ""\nappendonly no\n'
        try:
            child.stdin.write(settings.encode())
            child.stdin.close()
        except BrokenPipeError:
            pass  # It ended at once; the log has the reason.
        return child

    def _is_ready(self, child: process.Process, port: int) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection((process.LOOPBACK, port), timeout=1) as connection:
                    connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                    answer = b""
                    while chunk := connection.recv(100):
                        answer += chunk
                        if answer == b"+OK\r\n+PONG\r\n":
                            return True
                        if answer.startswith(b"-"):
                            break  # Another server took the port first.
            except OSError:
                pass
            time.sleep(0.03)
        return False
