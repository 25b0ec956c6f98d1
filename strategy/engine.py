"""Apply all rules for one day.

First, holds that are over end, which makes deferred debts active again, and each debt moves to the segment that it fits on that
day. Then two connections process half of the debtors each: they match all rules at once and queue by priority. One debtor is
always on one connection, so that their messages follow the order of the rules. The messages of a batch of rules and its part of
the report are committed together. So progress shows, and the run after one that broke off queues what is missing.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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
from strategy import contact_forecast, matching, queueing, rules
from strategy.matching import LastRun, Match
from strategy.models import Reason, StrategyRule, StrategyRun

Clock = Callable[[], datetime]
#: Called after a batch of rules with the number of rules that are done, and of all.
Progress = Callable[[int, int], None]
Line = dict[str, Any]

#: The number of messages after which a batch of rules is committed.
MESSAGES_PER_COMMIT = 20_000


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
    active = rules.active()
    shards = parallel.shards(of="debt.debtor_id")
    count = _counter(progress, rules=len(active), shards=len(shards))
    parallel.run(lambda shard: _apply(active, run, shard, clock=clock, count=count), shards)


def _apply(
    rules: list[StrategyRule], run: StrategyRun, shard: str, *, clock: Clock, count: Callable[[int], None]
) -> None:
    """Match the rules with a shard of the debts, and queue what is due."""
    matches = matching.match(
        rules, day=run.date, now=_now_or_noon(run, clock=clock), last_run=_last_run(run), shard=shard
    )
    woken = False
    for batch in _batches(rules, matches):
        with transaction.atomic():
            is_due = any(matches[rule.pk].due for rule in batch)
            queued = queueing.queue(batch, run, now=clock()) if is_due else {}
            _check_foreign_keys()
            switched_off = _switched_off(batch)
            lines = [
                _line(
                    rule,
                    matches[rule.pk],
                    queued=queued.get(rule.pk, 0),
                    others=Reason.RULE_INACTIVE if rule.pk in switched_off else Reason.ALREADY_QUEUED,
                )
                for rule in batch
            ]
            _add_to_report(run, lines)
            if queued and not woken:
                wake_worker("communications.tasks.drain_outbox")  # Once: the worker goes on while messages are due.
                woken = True
        count(len(batch))
    matching.drop_matches()


def _check_foreign_keys() -> None:
    """Check foreign keys now and not at COMMIT: from the report on, the other shard waits for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _counter(progress: Progress | None, *, rules: int, shards: int) -> Callable[[int], None]:
    """Return a function that a shard calls with the number of rules that it has just done."""
    done = 0
    lock = Lock()

    def count(more: int) -> None:
        nonlocal done
        with lock:
            done += more
            if progress:
                progress(done // shards, rules)

    return count


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


def _batches(rules: list[StrategyRule], matches: Mapping[uuid.UUID, Match]) -> Iterator[list[StrategyRule]]:
    """Yield the rules in order, as many together as make up the messages of one commit."""
    batch: list[StrategyRule] = []
    messages = 0
    for rule in rules:
        batch.append(rule)
        messages += matches[rule.pk].due
        if messages >= MESSAGES_PER_COMMIT:
            yield batch
            batch, messages = [], 0
    if batch:
        yield batch


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
    """Add a shard's lines to the report. Each shard goes through the rules in order, and so does the report."""
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
