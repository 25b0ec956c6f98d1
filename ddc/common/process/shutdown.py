"""Whether this worker shuts down: it finishes the message in progress and starts no other."""

import mmap

#: One byte that a worker shares with the processes it forks, because only the worker receives the signal.
_requested = mmap.mmap(-1, 1)


def request(**_: object) -> None:
    """Ask this process and those forked from it to shut down; Celery calls it with arguments."""
    _requested[0] = 1


def is_requested() -> bool:
    """Return whether a shutdown was requested."""
    return _requested[0] == 1
