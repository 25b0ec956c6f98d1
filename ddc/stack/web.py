"""The web server's command, shared by the demo, the container, the benchmark and the tests."""

import os
import sys

from . import process

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
    """Return the command; requests in progress get ``shutdown_seconds`` at shutdown."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "ddc.wsgi:application", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(THREADS)),
        *("--workers-kill-timeout", str(shutdown_seconds)),
        # Its messages at start and end would be plain text among lines of JSON.
        *("--log-level", "warning"),
    ]
