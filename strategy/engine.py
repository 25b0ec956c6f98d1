"""Apply all rules for one day.

First, holds that are over end, which makes deferred debts active again, and each debt moves to the segment that it fits on that
day. Then the debtors are divided into slices. Each slice is one transaction: it matches all rules, queues by priority and adds
its part to the report. The process that carries out the run works on two connections at once, and every worker, on any host,
that gets a task takes slices too. So progress shows, and the run after one that broke off queues what is missing.
"""

import time as clocks
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from typing import Any

from django.db import connection, transaction

from collection.holds import expiry
from collection.segments import assignment
from ddc.common.days import agency_today
from ddc.common.postgresql import parallel
from ddc.common.process.wake import wake_worker
from strategy import contact_forecast, matching, queueing, rules, slices
from strategy.matching import LastRun, Match
from strategy.models import Reason, StrategyRule, StrategyRun

Clock = Callable[[], datetime]
#: Called after a slice with the number of slices that are done, and of all.
Progress = Callable[[int, int], None]
Line = dict[str, Any]

#: The connections of the process that carries out a run, and the tasks that ask other workers for help.
CONNECTIONS, HELPERS = 2, 8
#: How often it looks whether the others are done.
WAIT_SECONDS = 0.2
_reporting = Lock()


def run(run: StrategyRun, *, clock: Clock, progress: Progress | None = None) -> None:
    """Apply the active rules for the run's day, and write the report into the run.

    A dry run does all that a real one on that day would do before it queues, reports what would be queued, and rolls everything
    back. So looking at another day changes nothing today.
    """
    if run.dry_run:
        _dry_run(run, clock=clock)
        run.save(update_fields=["rules", "contact", "updated_at"])
        if progress:
            progress(len(run.rules), len(run.rules))
        return
    _prepare(run, clock=clock)
    slices.create(run)
    total = run.slices.count()
    for number in range(min(total, HELPERS)):
        wake_worker("strategy.tasks.help_with_run", run=str(run.pk), helper=str(number))
    parallel.run(lambda _: _work(run, clock=clock, progress=progress), range(min(total, CONNECTIONS)))
    while run.slices.filter(done_at=None).exists():  # Another worker has the last ones, or has died with them.
        clocks.sleep(WAIT_SECONDS)
        _work(run, clock=clock, progress=progress)


def help_with(run: StrategyRun, *, clock: Clock) -> None:
    """Process slices of a run that another process carries out, as long as there are some."""
    if run.status == StrategyRun.Status.RUNNING:
        _work(run, clock=clock, progress=None)


def _work(run: StrategyRun, *, clock: Clock, progress: Progress | None) -> None:
    """Process slices until all of them are done or claimed by other workers."""
    active = rules.active()
    while _process_slice(run, active, clock=clock):
        if progress:
            with _reporting:
                done = run.slices.filter(done_at__isnull=False).count()
                progress(done, run.slices.count())


@transaction.atomic
def _process_slice(run: StrategyRun, active: list[StrategyRule], *, clock: Clock) -> bool:
    part = slices.claim(run)
    if part is None:
        return False
    matches = matching.match(
        active,
        day=run.date,
        now=_now_or_noon(run, clock=clock),
        last_run=_last_run(run),
        shard=slices.condition(part),
    )
    is_due = any(match.due for match in matches.values())
    queued = queueing.queue(active, run, now=clock()) if is_due else {}
    matching.drop_matches()
    _check_foreign_keys()
    switched_off = _switched_off(active)
    lines = [
        _line(
            rule,
            matches[rule.pk],
            queued=queued.get(rule.pk, 0),
            others=Reason.RULE_INACTIVE if rule.pk in switched_off else Reason.ALREADY_QUEUED,
        )
        for rule in active
    ]
    part.done_at = clock()
    part.save(update_fields=["done_at"])
    _add_to_report(run, lines)
    if queued:
        wake_worker("communications.tasks.drain_outbox")
    return True


def _check_foreign_keys() -> None:
    """Check foreign keys now and not at COMMIT: from the report on, other slices wait for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _dry_run(run: StrategyRun, *, clock: Clock) -> None:
    with transaction.atomic():
        _prepare(run, clock=clock)
        active = rules.active()
        now = _now_or_noon(run, clock=clock)
        last_run = _last_run(run)
        if run.date > agency_today(clock()):
            last_run = replace(last_run, day=None)  # The runs of the days between are still to come.
        matches = matching.match(active, day=run.date, now=now, last_run=last_run)
        run.contact = contact_forecast.of_due(active, now=now)
        transaction.set_rollback(True)
    run.rules = [_line(rule, matches[rule.pk], queued=matches[rule.pk].due) for rule in active]


def _prepare(run: StrategyRun, *, clock: Clock) -> None:
    """End holds that are over, and assign segments: of today, even if a real run is for a past day, because they stay."""
    expiry.expire(now=_now_or_noon(run, clock=clock))
    assignment.assign_all(today=run.date if run.dry_run else agency_today(clock()))


def _last_run(run: StrategyRun) -> LastRun:
    """Return the last real run for this day or an earlier one that was done."""
    done = StrategyRun.objects.filter(status=StrategyRun.Status.DONE, dry_run=False, date__lte=run.date)
    last = done.exclude(pk=run.pk).order_by("-date", "-started_at").values_list("date", "started_at").first()
    return LastRun(*last) if last else LastRun()


def _now_or_noon(run: StrategyRun, *, clock: Clock) -> datetime:
    """Return the time of the run. For a dry run of a future day it is noon UTC, when most places have that date."""
    now = clock()
    if run.date <= agency_today(now):
        return now
    return datetime.combine(min(run.date, date.max - timedelta(days=1)), time(12), UTC)


def _switched_off(rules: list[StrategyRule]) -> set[uuid.UUID]:
    """Return the rules that were switched off since the run began."""
    now_inactive = StrategyRule.objects.filter(pk__in=[rule.pk for rule in rules], is_active=False)
    return set(now_inactive.values_list("pk", flat=True))


def _line(rule: StrategyRule, match: Match, *, queued: int, others: Reason = Reason.ALREADY_QUEUED) -> Line:
    """Return a rule's line of the report. ``others`` is the reason why due debts were not queued after the match.

    Mostly another run queued them.
    """
    left_out = dict(match.left_out)
    if count := match.due - queued:
        left_out = {others: left_out.pop(others, 0) + count, **left_out}
    return {
        "rule_id": str(rule.pk),
        "name": rule.name,
        "matched": match.matched,
        "queued": queued,
        "left_out": [{"reason": reason.value, "count": count} for reason, count in left_out.items()],
    }


def _add_to_report(run: StrategyRun, lines: list[Line]) -> None:
    """Add a slice's lines to the report, in the order of the rules."""
    report = StrategyRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    by_rule = {line["rule_id"]: line for line in report.rules}
    for line in lines:
        by_rule[line["rule_id"]] = add_lines(by_rule[line["rule_id"]], line) if line["rule_id"] in by_rule else line
    report.rules = list(by_rule.values())
    report.save(update_fields=["rules", "updated_at"])


def add_lines(line: Line, other: Line) -> Line:
    """Return the sum of two lines of the report about one rule."""
    left_out: Counter[str] = Counter()
    for each in (*line["left_out"], *other["left_out"]):
        left_out[each["reason"]] += each["count"]
    return line | {
        "matched": line["matched"] + other["matched"],
        "queued": line["queued"] + other["queued"],
        "left_out": [{"reason": reason.value, "count": left_out[reason]} for reason in Reason if left_out[reason]],
    }
