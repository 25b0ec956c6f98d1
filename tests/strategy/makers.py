"""Rules, runs and clocks for the tests of the strategy."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from strategy import runs
from strategy.models import StrategyRule, StrategyRun
from tests import factories

TODAY = date(2026, 6, 30)
_numbers = itertools.count(1)


def clock() -> datetime:
    return datetime(2026, 6, 30, 9, tzinfo=UTC)


def due_after(days: int) -> dict[str, Any]:
    """A time trigger, as a rule stores it."""
    return {"type": "TimeTrigger", "days_since_placement": days}


def rule(**values: Any) -> StrategyRule:
    """A rule of the mail channel, 7 days after placement; it and its template are active."""
    template = values.pop("template", None) or factories.template()
    return StrategyRule.objects.create(
        **{
            "name": f"Rule {next(_numbers)}",
            "segment": values.pop("segment", None) or factories.segment(),
            "template": template,
            "channel": template.communication_type,
            "trigger": due_after(values.pop("days_since_placement", 7)),
        }
        | values
    )


def due_debt(rule: StrategyRule, *, late: int = 0, **values: Any) -> Any:
    """A debt in the rule's segment whose occurrence was ``late`` days before TODAY."""
    placed = TODAY - timedelta(days=rule.trigger["days_since_placement"] + late)
    return factories.debt(segment=rule.segment, placement_date=placed, **values)


def run(*, day: date = TODAY, dry_run: bool = False, **values: Any) -> StrategyRun:
    return runs.run_now(day=day, dry_run=dry_run, by=None, clock=clock, **values)


def lines(run: StrategyRun) -> dict[str, tuple[int, int, dict[str, int]]]:
    """The report by rule: matched, queued, left out."""
    return {
        line["name"]: (line["matched"], line["queued"], {each["reason"]: each["count"] for each in line["left_out"]})
        for line in run.rules
    }
