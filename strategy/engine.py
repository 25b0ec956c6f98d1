"""Apply all rules for one day.

First the holds that are over are lifted, which makes deferred debts active again, and each debt comes into the segment that it
fits that day; then each rule fires, by priority. A rule's messages and its line in the report are committed together, so that
progress shows and a run that breaks off leaves nothing half done: the next one queues what is still missing.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from collection import hold_expiry, segmentation
from ddc.common.nudge import nudge
from strategy import firing
from strategy.models import StrategyRule, StrategyRun

Clock = Callable[[], datetime]
#: Called after each rule with how many are done, and of how many.
Progress = Callable[[int, int], None]


def run(run: StrategyRun, *, clock: Clock, progress: Progress | None = None) -> None:
    """Apply the rules that are active for the run's day, and write the report into the run.

    A dry run does all that a real one does before the rules, counts what they would do, and takes everything back.
    """
    if run.dry_run:
        run.rules = _foresee(run, clock=clock, progress=progress)
        run.save(update_fields=["rules", "updated_at"])
        return
    _prepare(run, clock=clock)
    rules, woken = _rules(), False
    for done, rule in enumerate(rules, start=1):
        with transaction.atomic():
            outcome = firing.fire(rule, run, now=clock())
            run.rules = [*run.rules, _line(rule, outcome)]
            run.save(update_fields=["rules", "updated_at"])
            if outcome.queued and not woken:
                nudge("communications.tasks.drain_outbox")  # Once: who drains goes on while there is something.
                woken = True
        if progress:
            progress(done, len(rules))


def _foresee(run: StrategyRun, *, clock: Clock, progress: Progress | None) -> list[dict[str, Any]]:
    report = []
    with transaction.atomic():
        _prepare(run, clock=clock)
        rules = _rules()
        for done, rule in enumerate(rules, start=1):
            report.append(_line(rule, firing.foresee(rule, day=run.date)))
            if progress:
                progress(done, len(rules))
        transaction.set_rollback(True)
    return report


def _prepare(run: StrategyRun, *, clock: Clock) -> None:
    hold_expiry.expire(now=_moment(run, clock=clock))
    segmentation.assign_all(today=run.date)


def _moment(run: StrategyRun, *, clock: Clock) -> datetime:
    """Return when the run is made; a dry one for a day to come, at noon of it, when it is that day by most clocks."""
    now = clock()
    if run.date <= now.date():
        return now
    return datetime.combine(min(run.date, date.max - timedelta(days=1)), time(12), UTC)


def _rules() -> list[StrategyRule]:
    active = StrategyRule.objects.filter(is_active=True).select_related("template")
    return list(active.order_by("priority", "created_at", "id"))


def _line(rule: StrategyRule, outcome: firing.Outcome) -> dict[str, Any]:
    return {
        "rule_id": str(rule.pk),
        "name": rule.name,
        "matched": outcome.matched,
        "queued": outcome.queued,
        "left_out": [{"reason": reason.value, "count": count} for reason, count in outcome.left_out.items()],
    }
