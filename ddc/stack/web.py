"""The web server's command, as the demo, a container, the benchmark and the tests start it."""

import os
import sys

from . import process

#: Requests that a process has in hand at once. A second one works while the first waits for the disk; but under quick reads it
#: starved now and then for a second, and took that for a server that hangs.
THREADS = 1
#: One more than there are cores: payments wait for the disk, and one that a client holds with half a body leaves more. It costs a
#: fifth of the reads, and on two cores a p99 of 30 ms, now and then 200, where two processes have 12 to 21.
PROCESSES = (os.cpu_count() or 1) + 1
#: Seconds for what is in hand when a site in production is told to end: more than a statement may take (15: STATEMENT_TIMEOUT in
#: ddc/common/web_process.py), and less than compose waits before it kills (25).
PATIENCE = 17


def command(*, port: int | str, workers: int = PROCESSES, host: str = process.LOOPBACK, patience: int = 3) -> list[str]:
    """Return it. ``patience``: the seconds that requests in hand get when it is told to end."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "ddc.wsgi:application", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(THREADS)),
        *("--workers-kill-timeout", str(patience)),
        # What it says of a start and an end is plain text among lines of JSON.
        *("--log-level", "warning"),
    ]
