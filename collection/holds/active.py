"""Whether a hold is active: one rule, in Python and as the database function ``hold_is_active``.

Tests compare the two. Querysets use ``Hold.objects.active_between``, other SQL calls the function.
"""

from datetime import date


def is_active(
    starts_on: date, ends_on: date | None, first_day: date, last_day: date, *, is_ended: bool = False
) -> bool:
    """Check whether a hold is active on any day from ``first_day`` to ``last_day``."""
    if is_ended or starts_on > last_day:
        return False
    return ends_on is None or (ends_on > first_day and ends_on > starts_on)


HOLD_IS_ACTIVE = """
SELECT ended_at IS NULL AND starts_on <= last_day AND (ends_on IS NULL OR (ends_on > first_day AND ends_on > starts_on))
"""
