"""How long PostgreSQL may think about what is asked besides."""

import time
from typing import Any


def wait_until(ends: float, asked: Any) -> None:
    """Have it give up by then (by the monotonic clock) what this transaction asks next, over a cursor or a connection."""
    patience = max(int((ends - time.monotonic()) * 1000), 1)
    asked.execute("SELECT set_config('statement_timeout', %s, true)", [f"{patience}ms"])


def half_way_to(ends: float) -> float:
    """Return when half of what time is left has passed, so that one of several that hangs leaves the others theirs."""
    return (time.monotonic() + ends) / 2
