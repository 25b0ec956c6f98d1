"""Limits on how long PostgreSQL may work on the statements of a transaction."""

import time
from typing import Any


def limit_until(deadline: float, executor: Any) -> None:
    """Let PostgreSQL cancel the later statements of this transaction at a deadline of the monotonic clock.

    ``executor`` is a cursor or a connection of psycopg.
    """
    milliseconds = max(int((deadline - time.monotonic()) * 1000), 1)
    executor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{milliseconds}ms"])


def halfway_to(deadline: float) -> float:
    """Return the deadline of one of several tasks, so that a task that hangs leaves time to the others."""
    return (time.monotonic() + deadline) / 2
