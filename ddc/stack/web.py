"""The web server's command, shared by the demo, the container, the benchmark and the tests."""

import errno
import os
import socket
import sys

from . import StackError, process

#: Threads per process. A second one would work while the first waits for the disk, but under the load of the fast path it
#: was starved for up to a second, which health checks took for a server that hangs.
THREADS = 1
#: One process more than there are cores: payments wait for the disk, and a client that sends half a body occupies a process.
#: The extra one costs a fifth of the reads; on two cores their p99 is 30 ms (at times 200) instead of 12 to 21.
PROCESSES = (os.cpu_count() or 1) + 1
#: Seconds that requests in progress get at shutdown in production: more than the longest statement (15: STATEMENT_TIMEOUT in
#: web_process.py), less than compose waits before it kills (25).
SHUTDOWN_SECONDS = 17


def command(
    *, port: int | str, workers: int = PROCESSES, host: str = process.LOOPBACK, shutdown_seconds: int = 3
) -> list[str]:
    """Return the command that claims the port and serves; requests in progress get ``shutdown_seconds`` at shutdown."""
    return [
        *(sys.executable, "-m", "ddc.stack", "web", "--host", host, "--port", str(port)),
        *("--workers", str(workers), "--shutdown-seconds", str(shutdown_seconds)),
    ]


def serve(*, host: str, port: int, workers: int, shutdown_seconds: int) -> None:
    """Replace this process by the web server.

    :raises StackError: if another program uses the port
    """
    command = granian_command(host=host, port=port, workers=workers, shutdown_seconds=shutdown_seconds)
    with claim_port(host, port) as claimed:
        claimed.set_inheritable(True)
        os.execv(command[0], command)


def claim_port(host: str, port: int) -> socket.socket:
    """Return a socket that keeps other web servers off the port while it is open. It accepts no connections itself.

    The web server's processes share their port by SO_REUSEPORT, and so would those of another site of the same user: each would
    get a part of the requests.

    :raises StackError: if another program uses the port, or it is not available to this user
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        claimed = socket.socket(family, kind)
    except OSError as error:
        raise StackError(f"The address {host} cannot be used: {error.strerror}.") from error
    try:
        # As servers do: a connection in TIME_WAIT does not count.
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claimed.bind(address)
    except OSError as error:
        claimed.close()
        if error.errno == errno.EADDRINUSE:
            raise StackError(
                f"Another program uses port {port} of {host}. End it, or choose another port with PORT=... or --port."
            ) from error
        raise StackError(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    # From now on the port is shared only with sockets of SO_REUSEPORT, and another claim has none.
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return claimed


def granian_command(*, host: str, port: int, workers: int, shutdown_seconds: int) -> list[str]:
    """Return the command of the web server itself."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "ddc.wsgi:application", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(THREADS)),
        *("--workers-kill-timeout", str(shutdown_seconds)),
        # Its messages at start and end would be plain text among lines of JSON.
        *("--log-level", "warning"),
    ]
