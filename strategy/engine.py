"""Apply all rules for one day.

First the holds that are over are lifted, which makes deferred debts active again, and each debt comes into the segment that it
fits that day. Then two connections see to half of the debtors each: the rules are weighed, all at once, and fire by priority.
What one debtor gets is one connection's, so it comes in the order of the rules. The messages of some rules and their part of
the report are committed together, so that progress shows and a run that breaks off leaves nothing half done: the next one
queues what is still missing.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from typing import Any

from django.db import connection, transaction

from collection.holds import expiry
from collection.segments import assignment
from ddc.common.nudge import nudge
from ddc.common.side_by_side import halves, side_by_side
from strategy import contact_forecast, matching, queueing
from strategy.matching import Match
from strategy.models import Reason, StrategyRule, StrategyRun

Clock = Callable[[], datetime]
#: Called after some rules with how many are done, and of how many.
Progress = Callable[[int, int], None]
Line = dict[str, Any]

#: After how many messages what was queued is committed, at the end of a rule.
AT_ONCE = 20_000


def run(run: StrategyRun, *, clock: Clock, progress: Progress | None = None) -> None:
    """Apply the rules that are active for the run's day, and write the report into the run.

    A dry run does all that a real one does before the rules fire, tells what they would do, and takes everything back.
    """
    if run.dry_run:
        _foresee(run, clock=clock)
        run.save(update_fields=["rules", "contact", "updated_at"])
        if progress:
            progress(len(run.rules), len(run.rules))
        return
    _prepare(run, clock=clock)
    rules = _rules()
    shares = halves(of="debt.debtor_id")
    tell = _telling(progress, rules=len(rules), shares=len(shares))
    side_by_side(lambda share: _apply(rules, run, share, clock=clock, tell=tell), shares)


def _apply(
    rules: list[StrategyRule], run: StrategyRun, share: str, *, clock: Clock, tell: Callable[[int], None]
) -> None:
    """Weigh the rules for a share of the debts, and have them fire."""
    matches = matching.weigh(rules, day=run.date, share=share)
    woken = False
    for portion in _portions(rules, matches):
        with transaction.atomic():
            is_due = any(matches[rule.pk].due for rule in portion)
            queued = queueing.fire(portion, run, now=clock()) if is_due else {}
            _check_keys()
            _report(run, [_line(rule, matches[rule.pk], queued=queued.get(rule.pk, 0)) for rule in portion])
            if queued and not woken:
                nudge("communications.tasks.drain_outbox")  # Once: who drains goes on while there is something.
                woken = True
        tell(len(portion))
    matching.forget()


def _check_keys() -> None:
    """Check foreign keys now instead of at COMMIT: from the report on, the other share waits for us to end."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _telling(progress: Progress | None, *, rules: int, shares: int) -> Callable[[int], None]:
    """Return what is called with how many rules were just done for one share."""
    done = 0
    one_at_a_time = Lock()

    def tell(more: int) -> None:
        nonlocal done
        with one_at_a_time:
            done += more
            if progress:
                progress(done // shares, rules)

    return tell


def _foresee(run: StrategyRun, *, clock: Clock) -> None:
    with transaction.atomic():
        _prepare(run, clock=clock)
        rules = _rules()
        matches = matching.weigh(rules, day=run.date)
        run.contact = contact_forecast.of_due(rules, at=_moment(run, clock=clock))
        transaction.set_rollback(True)
    run.rules = [_line(rule, matches[rule.pk], queued=matches[rule.pk].due) for rule in rules]


def _prepare(run: StrategyRun, *, clock: Clock) -> None:
    expiry.expire(now=_moment(run, clock=clock))
    assignment.assign_all(today=run.date)


def _moment(run: StrategyRun, *, clock: Clock) -> datetime:
    """Return when the run is made; a dry one for a day to come, at noon of it, when it is that day by most clocks."""
    now = clock()
    if run.date <= now.date():
        return now
    return datetime.combine(min(run.date, date.max - timedelta(days=1)), time(12), UTC)


def _rules() -> list[StrategyRule]:
    active = StrategyRule.objects.filter(is_active=True).select_related("template")
    return list(active.order_by("priority", "created_at", "id"))


def _portions(rules: list[StrategyRule], matches: Mapping[uuid.UUID, Match]) -> Iterator[list[StrategyRule]]:
    """Yield the rules in turn, as many at once as make enough messages for a transaction."""
    portion: list[StrategyRule] = []
    messages = 0
    for rule in rules:
        portion.append(rule)
        messages += matches[rule.pk].due
        if messages >= AT_ONCE:
            yield portion
            portion, messages = [], 0
    if portion:
        yield portion


def _line(rule: StrategyRule, match: Match, *, queued: int) -> Line:
    """Report on a rule. What another run queued between our look and our write counts as queued already."""
    left_out = dict(match.left_out)
    if others := match.due - queued:
        left_out = {Reason.ALREADY_QUEUED: left_out.pop(Reason.ALREADY_QUEUED, 0) + others, **left_out}
    return {
        "rule_id": str(rule.pk),
        "name": rule.name,
        "matched": match.matched,
        "queued": queued,
        "left_out": [{"reason": reason.value, "count": count} for reason, count in left_out.items()],
    }


def _report(run: StrategyRun, lines: list[Line]) -> None:
    """Add what a share came to. The shares go through the rules in their order, so that the report has it too."""
    told = StrategyRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    by_rule = {line["rule_id"]: line for line in told.rules}
    for line in lines:
        by_rule[line["rule_id"]] = _sum(by_rule[line["rule_id"]], line) if line["rule_id"] in by_rule else line
    told.rules = list(by_rule.values())
    told.save(update_fields=["rules", "updated_at"])


def _sum(line: Line, other: Line) -> Line:
    left_out: Counter[str] = Counter()
    for each in (*line["left_out"], *other["left_out"]):
        left_out[each["reason"]] += each["count"]
    return line | {
        "matched": line["matched"] + other["matched"],
        "queued": line["queued"] + other["queued"],
        "left_out": [{"reason": reason.value, "count": left_out[reason]} for reason in Reason if left_out[reason]],
    }
