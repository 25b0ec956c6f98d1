"""A simulation of some days equals the real runs of these days, and leaves nothing behind."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from collection.models import Debt, Hold
from communications.models import CommunicationLog
from communications.sending import worker
from strategy import runs
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db

DAYS = 14


def portfolio() -> None:
    """Rules by several triggers, debts that change their segment, and a deferral that ends."""
    young = factories.segment(name="young", priority=1, max_days_since_placement=10)
    old = factories.segment(name="old", priority=2)
    makers.rule(segment=young, name="first", days_since_placement=2)
    makers.rule(segment=old, name="second", days_since_placement=12)
    makers.rule(segment=old, name="due", trigger={"type": "DueDateTrigger", "days_from_due_date": -1})
    makers.rule(
        segment=old, name="again", trigger={"type": "LastContactTrigger", "contact_channel": "email", "days_after": 5},
        conditions={"max_age_days": 30},
    )  # fmt: skip
    for number in range(30):
        placed = TODAY - timedelta(days=number % 12)
        due = TODAY + timedelta(days=number % 9) if number % 3 else None
        debt = factories.debt(segment=young, placement_date=placed, due_date=due)
        if number % 5 == 0:
            ends = TODAY + timedelta(days=number % 7)
            Hold.objects.create(debt=debt, reason="complaint", starts_on=TODAY - timedelta(days=2), ends_on=ends)
    Debt.objects.update(segment_is_pinned=False)


def noon(number: int) -> datetime:
    return datetime.combine(TODAY + timedelta(days=number), time(12), UTC)


def counts(run: StrategyRun) -> dict[str, Counter[str]]:
    """The messages queued by day and rule."""
    found: dict[str, Counter[str]] = {}
    for day in run.days or []:
        found[day["date"]] = Counter()
        for line in day["lines"]:
            found[day["date"]][line["name"]] += line["queued"]
        found[day["date"]] = +found[day["date"]]
    return found


def simulate(**values: Any) -> StrategyRun:
    days = {"day": TODAY, "until": TODAY + timedelta(days=DAYS - 1)}
    return runs.run_now(dry_run=True, by=None, clock=lambda: noon(0), **days | values)


def test_it_equals_the_real_runs_of_these_days():
    portfolio()
    segments = dict(Debt.objects.values_list("pk", "segment"))
    simulated = simulate()
    assert not StrategyStep.objects.exists()
    assert not CommunicationLog.objects.exists()
    assert dict(Debt.objects.values_list("pk", "segment")) == segments
    assert StrategyRun.objects.count() == 1

    real: dict[str, Counter[str]] = {}
    for number in range(DAYS):
        run = runs.run_now(dry_run=False, by=None, clock=lambda number=number: noon(number))
        real[run.date.isoformat()] = +Counter({line["name"]: line["queued"] for line in run.rules})
        for hours in (0, 6):  # At noon, and before the evening.
            worker.drain(clock=lambda number=number, hours=hours: noon(number) + timedelta(hours=hours))
    assert counts(simulated) == real
    assert {name for day in real.values() for name in day} == {"first", "second", "due", "again"}
    totals = sum(real.values(), Counter())
    assert {line["name"]: line["queued"] for line in simulated.rules} == totals


def test_a_message_that_the_contact_rules_postpone_waits_and_goes_later():
    rule = makers.rule(days_since_placement=7, max_lateness_days=9)
    # A country without a pack of its own: one message a day, three in seven days.
    debtor = factories.debtor(country_code="NO", mobile_phone=None)
    for _ in range(5):
        makers.due_debt(rule, debtor=debtor)
    first, *others = simulate().days
    (line,) = first["lines"]
    assert (line["queued"], line["channel"], line["country"]) == (5, "email", "NO")
    assert line["sent"] + line["waiting"] == 5
    assert line["waiting"] > 0
    assert sum(each["sent"] for day in others for each in day["lines"]) > 0, others


def test_the_api_plans_one_and_a_worker_carries_it_out(api, monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", clock)
    makers.due_debt(makers.rule())
    body = {"dryRun": True, "from": "2026-06-30", "to": "2026-07-02"}
    planned = api.post("/strategy/runs", body)
    assert planned.status_code == 202, planned.content
    assert (planned.json()["date"], planned.json()["until"], planned.json()["days"]) == (
        "2026-06-30",
        "2026-07-02",
        None,
    )
    runs.start_planned(clock=clock)
    done = api.get(f"/strategy/runs/{planned.json()['id']}").json()
    assert (done["status"], [day["date"] for day in done["days"]]) == (
        "done", ["2026-06-30", "2026-07-01", "2026-07-02"],
    )  # fmt: skip
    assert done["days"][0]["lines"][0]["queued"] == 1

    for wrong, field in (
        ({"from": "2026-06-30"}, "to"),
        ({"to": "2026-06-30"}, "from"),
        ({"from": "2026-07-02", "to": "2026-07-01"}, "to"),
        ({"from": "2026-06-29", "to": "2026-07-01"}, "to"),
        ({"from": "2026-06-30", "to": "2027-06-30"}, "to"),
        ({"from": "2026-06-30", "to": "2026-07-01", "dryRun": False}, "to"),
    ):
        refused = api.post("/strategy/runs", {"dryRun": True} | wrong)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), wrong


def test_the_command_prints_the_days(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", clock)
    rule = makers.rule(name="First letter")
    makers.due_debt(rule)
    out = StringIO()
    call_command("simulate_strategy", "--from=2026-06-30", "--to=2026-07-01", verbosity=0, stdout=out)
    assert "2026-06-30  First letter" in out.getvalue()
    assert "no payments" in out.getvalue()
    with pytest.raises(CommandError, match="Simulate from today"):
        call_command("simulate_strategy", "--from=2026-06-30", "--to=2026-06-01", verbosity=0, stdout=out)
