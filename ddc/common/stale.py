"""Whether a caller changes what they saw, or what somebody else made of it meanwhile."""

from datetime import datetime

from ddc.common.errors import DomainError


class Stale(DomainError):
    """Somebody changed the row since the caller saw it."""

    field = "updated_at"
    code = "stale"
    message = "This has changed since you read it. Read it again before you change money."


def check(updated_at: datetime, *, seen_at: datetime | None) -> None:
    """Compare when the row changed with what the caller saw of it, by the milliseconds that answers carry.

    :raises Stale: if the caller saw another state; who doesn't say what they saw (None) isn't held to it
    """
    if seen_at is not None and _milliseconds(seen_at) != _milliseconds(updated_at):
        raise Stale


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
