"""How much of something is allowed in a while, counted over rows and free of races."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from ddc.common.errors import TooMany
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock


@dataclass(frozen=True)
class Ration:
    """At most so many in any stretch of this length."""

    most: int
    within: timedelta


def queue_up(kind: str, subject: str) -> None:
    """Let those who ask for the same subject pass one at a time, until their transaction ends.

    Without it two could count at once and both find room for one more. Who takes several takes them in one order.
    """
    advisory_locks.lock(AdvisoryLock.RATE_LIMIT, f"{kind} {subject}")


def spend(rations: Iterable[tuple[QuerySet[Any], Ration]], *, now: datetime) -> None:
    """Make sure that one more row may be added to each of these.

    :raises TooMany: if not, with the seconds until it may
    """
    wait = max((_wait(rows, ration, now) for rows, ration in rations), default=0)
    if wait:
        raise TooMany(retry_after=wait)


def _wait(rows: QuerySet[Any], ration: Ration, now: datetime) -> int:
    """Return the seconds until one more fits: when the oldest of the last ``most`` leaves the stretch."""
    newest_first = rows.filter(created_at__gt=now - ration.within).order_by("-created_at")
    oldest = newest_first.values_list("created_at", flat=True)[ration.most - 1 : ration.most].first()
    return max(1, math.ceil((oldest + ration.within - now).total_seconds())) if oldest else 0
