"""The strategy after a restore from a backup: ``matching`` leaves out what a lost database may have done."""

from datetime import datetime

from ddc.common.days import agency_today
from strategy import matching, rules
from strategy.models import StrategyRun

_ENDED = "Restored from a backup: the lost database may have carried it out."


def end_unfinished_runs(*, now: datetime) -> int:
    """Cancel planned runs and fail those under way at the time of the dump; return how many."""
    ended = {
        StrategyRun.Status.PLANNED: StrategyRun.Status.CANCELLED,
        StrategyRun.Status.RUNNING: StrategyRun.Status.FAILED,
    }
    return sum(
        StrategyRun.objects.filter(status=before).update(
            status=after, finished_at=now, updated_at=now, failure_reason=_ENDED
        )
        for before, after in ended.items()
    )


def due(*, now: datetime) -> dict[str, int]:
    """Return for how many debts each active rule is due on the agency's day and has queued nothing yet, by the rule's name."""
    active = rules.active()
    matches = matching.match(active, day=agency_today(now), now=now)
    matching.drop_matches()
    return {rule.name: matches[rule.pk].due for rule in active if matches[rule.pk].due}
