"""Whether this worker is to end: what is in hand is finished, and nothing new begun."""

import mmap

#: One byte that a worker shares with the processes that it forks; the signal reaches the worker alone.
_wanted = mmap.mmap(-1, 1)


def begin() -> None:
    """Ask this process, and those forked from it, to come to an end."""
    _wanted[0] = 1


def is_wanted() -> bool:
    """Tell whether it was asked for."""
    return _wanted[0] == 1
