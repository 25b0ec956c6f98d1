"""Rate limits, counted over the rows that requests leave, without races."""

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
class RateLimit:
    """The number of rows allowed in any period of this length."""

    maximum: int
    period: timedelta


def serialize(kind: str, subject: str) -> None:
    """Make requests for the same subject wait for each other, until the transaction ends.

    Otherwise two could count at once and both find room for one more. Every caller takes several subjects in the same order.
    """
    advisory_locks.lock(AdvisoryLock.RATE_LIMIT, f"{kind} {subject}")


def consume(limits: Iterable[tuple[QuerySet[Any], RateLimit]], *, now: datetime, message: str | None = None) -> None:
    """Check that each limit allows one more row.

    :raises TooMany: if one does not, with the seconds until all do
    """
    wait = max((_wait(rows, limit, now) for rows, limit in limits), default=0)
    if wait:
        raise TooMany(message, retry_after=wait)


def _wait(rows: QuerySet[Any], limit: RateLimit, now: datetime) -> int:
    """Return the seconds until one more row is allowed: until the oldest of the last ``maximum`` is a period old."""
    newest_first = rows.filter(created_at__gt=now - limit.period).order_by("-created_at")
    oldest = newest_first.values_list("created_at", flat=True)[limit.maximum - 1 : limit.maximum].first()
    return max(1, math.ceil((oldest + limit.period - now).total_seconds())) if oldest else 0
