"""The web server's command, as the demo, a container, the benchmark and the tests start it."""

import sys

from . import process

#: Requests that a process has in hand at once. While one waits for the disk at its COMMIT the other works, for writes a tenth
#: to a sixth more a second; a third and a fourth added nothing to that, and cost reads 7 %.
THREADS = 2
#: For so many seconds a thread that has nothing to do is kept, with its connection. granian takes no more.
_IDLE = 600


def command(*, port: int | str, workers: int, host: str = process.LOOPBACK, patience: int = 3) -> list[str]:
    """Return it. ``patience``: the seconds that requests in hand get when it is told to end."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "ddc.wsgi:application", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(THREADS)),
        *("--blocking-threads-idle-timeout", str(_IDLE)),
        *("--workers-kill-timeout", str(patience)),
    ]
