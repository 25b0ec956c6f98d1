"""A private Valkey server: loopback only, with a password, and nothing on disk."""

import secrets
import socket
import subprocess
from pathlib import Path

from . import binaries, process
from .account import Account
from .server import Server


class Valkey(Server):
    """One server."""

    name = "Valkey"
    start_seconds = 20

    def __init__(self, folder: Path, *, account: Account | None, log: Path) -> None:
        super().__init__(folder, account=account, log=log)
        self._program = binaries.accessible(binaries.valkey(), account, folder)
        self._password = secrets.token_urlsafe(24)  # Kept by a second start.

    @property
    def url(self) -> str:
        """The URL of the server, password included."""
        return f"redis://:{self._password}@{process.LOOPBACK}:{self.port}/0"

    def spawn(self, port: int) -> process.Process:
        """Start the server."""
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

    def is_ready(self, child: process.Process, port: int) -> bool:
        """Sign in and ask for a sign of life."""
        with socket.create_connection((process.LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            answer = b""
            # An error means that another server took the port first.
            while not answer.startswith(b"-") and (chunk := connection.recv(100)):
                answer += chunk
                if answer == b"+OK\r\n+PONG\r\n":
                    return True
        return False
