"""Detect a database server that hangs, by a question that can't hang itself, and remember it for a moment."""

import socket
import time

#: SSLRequest (PostgreSQL's protocol, section 54.7): the server answers with one byte before any authentication.
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
PROBE_TIMEOUT = 0.5
#: How long after a detection other connections fail at once. A server that hangs would cost each of them a probe.
_REMEMBERED_SECONDS = 1.0

_remembered_until = 0.0


def is_hanging(host: str, port: int | str | None) -> bool:
    """Return whether the server takes connections and doesn't answer. A server that is down doesn't hang."""
    number = int(port or 5432)
    try:
        with _connect(host, number) as probe:
            probe.sendall(_SSL_REQUEST)
            probe.recv(1)
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


def remember() -> None:
    """Remember that the server hangs."""
    global _remembered_until
    _remembered_until = time.monotonic() + _REMEMBERED_SECONDS


def forget() -> None:
    """Forget that the server hung."""
    global _remembered_until
    _remembered_until = 0.0


def is_remembered() -> bool:
    """Return whether the server was found hanging a moment ago."""
    return time.monotonic() < _remembered_until


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host or "127.0.0.1", port), timeout=PROBE_TIMEOUT)
    probe = socket.socket(socket.AF_UNIX)
    probe.settimeout(PROBE_TIMEOUT)
    probe.connect(f"{host}/.s.PGSQL.{port}")
    return probe
