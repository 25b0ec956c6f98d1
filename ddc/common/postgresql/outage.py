"""Whether the server of the database is alive, asked in a way that can't hang; and that it was not, for a moment."""

import socket
import time

#: SSLRequest (PostgreSQL's protocol, section 54.7): one byte comes back before anybody has signed in.
_QUESTION = bytes.fromhex("0000000804d2162f")
PATIENCE_SECONDS = 0.5
#: For so long after it was found hanging nobody else finds out for himself.
_NOTED_SECONDS = 1.0

_noted_until = 0.0


def hangs(host: str, port: int | str | None) -> bool:
    """Ask the server for a sign of life. One that is gone, or turns the question down, doesn't hang."""
    number = int(port or 5432)
    try:
        with _connected(host, number) as asked:
            asked.sendall(_QUESTION)
            asked.recv(1)
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


def note() -> None:
    """Remember that it hangs."""
    global _noted_until
    _noted_until = time.monotonic() + _NOTED_SECONDS


def is_noted() -> bool:
    """Tell whether it was found hanging just now."""
    return time.monotonic() < _noted_until


def _connected(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host or "127.0.0.1", port), timeout=PATIENCE_SECONDS)
    asked = socket.socket(socket.AF_UNIX)
    asked.settimeout(PATIENCE_SECONDS)
    asked.connect(f"{host}/.s.PGSQL.{port}")
    return asked
