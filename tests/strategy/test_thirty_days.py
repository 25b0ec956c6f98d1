"""Thirty days of the strategy against a model: lateness, withdrawals, edited rules, missed runs and dead workers."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collection.models import Debt
from communications.models import CommunicationLog
from communications.sending import worker
from strategy import rules, runs, withdrawals
from strategy.models import StrategyRule
from strategy.withdrawals import Selection
from tests import factories
from tests.strategy import makers

pytestmark = pytest.mark.django_db

DAYS = 30
#: A Monday without a public holiday in the four weeks after it.
START = date(2026, 6, 1)
ZONES = {"GB": ZoneInfo("Europe/London"), "US": ZoneInfo("America/Los_Angeles")}
#: Mail may go from 8:00 to 21:00 local time: at 9:00 UTC in London only, at 17:00 in Los Angeles too.
OPEN = {9: {"GB"}, 17: {"GB", "US"}}


@dataclass
class Rule:
    """A rule as the model knows it."""

    row: StrategyRule
    days: int
    lateness: int
    is_active: bool = True


@dataclass
class Model:
    """What should be so: the state and the end of each message, by rule and debt."""

    rules: list[Rule]
    placed: dict[Any, date]
    countries: dict[Any, str]
    state: dict[tuple[int, Any], str] = field(default_factory=dict)
    ends: dict[tuple[int, Any], datetime] = field(default_factory=dict)
    last_run: date | None = None

    def run(self, day: date) -> dict[str, tuple[int, dict[str, int]]]:
        """Queue what is due, and return by rule what is queued and left out."""
        lines = {}
        for number, rule in enumerate(self.rules):
            if not rule.is_active:
                continue
            queued, left_out = 0, Counter[str]()
            for debt, placed in self.placed.items():
                due = placed + timedelta(days=rule.days)
                late, key = (day - due).days, (number, debt)
                if 0 <= late <= rule.lateness:
                    if key in self.state:
                        left_out["already_queued"] += 1
                    else:
                        queued += 1
                        last = due + timedelta(days=rule.lateness + 1)
                        self.state[key] = "waiting"
                        self.ends[key] = datetime.combine(last, time(), ZONES[self.countries[debt]])
                elif late > rule.lateness and key not in self.state and self.last_run and due > self.last_run:
                    left_out["too_late"] += 1
            lines[rule.row.name] = (queued, dict(left_out))
        self.last_run = day
        return lines

    def drain(self, at: datetime) -> None:
        for (number, debt), state in self.state.items():
            if state != "waiting":
                continue
            if at >= self.ends[number, debt]:
                self.state[number, debt] = "STALE"
            elif self.countries[debt] in OPEN[at.hour]:
                self.state[number, debt] = "sent"

    def withdraw(self, *, rule: int | None = None, debt: Any = None) -> int:
        chosen = [
            key
            for key, state in self.state.items()
            if state == "waiting" and (key[0] == rule if debt is None else key[1] == debt)
        ]
        self.state |= dict.fromkeys(chosen, "WITHDRAWN")
        return len(chosen)


def made(rng: random.Random) -> Model:
    segment = factories.segment()
    made_rules = []
    for days in (2, 6, 11):
        lateness = rng.choice((0, 1, 3))
        row = makers.rule(segment=segment, days_since_placement=days, max_lateness_days=lateness)
        made_rules.append(Rule(row, days, lateness))
    model = Model(made_rules, {}, {})
    for _ in range(14):
        country = rng.choice(("GB", "US"))
        region = "California" if country == "US" else None
        phone = None  # Only the address gives the clock.
        debtor = factories.debtor(country_code=country, region_state=region, mobile_phone=phone)
        placed = START + timedelta(days=rng.randrange(-8, 20))
        debt = factories.debt(debtor=debtor, segment=segment, placement_date=placed)
        model.placed[debt.pk], model.countries[debt.pk] = placed, country
    Debt.objects.update(created_at=datetime.combine(START, time(), UTC) - timedelta(days=9))
    return model


def run(model: Model, at: datetime) -> None:
    expected = model.run(at.date())
    done = runs.run_now(dry_run=False, by=None, clock=lambda: at)
    assert {name: (queued, left_out) for name, (_, queued, left_out) in makers.lines(done).items()} == expected, at


def change(model: Model, rng: random.Random, supervisor: Any, at: datetime) -> None:
    """Edit a rule, switch one off or on, move a placement date, withdraw from a person, or look at another day."""
    number = rng.randrange(len(model.rules))
    rule, debt = model.rules[number], rng.choice(list(model.placed))
    match rng.choice(("edit", "switch", "place", "person", "rule", "look", "nothing", "nothing")):
        case "edit":
            rule.days = max(0, rule.days + rng.choice((-2, -1, 1, 2)))
            rules.amend(rule.row, trigger={"days_since_placement": rule.days}, now=at)
        case "switch":
            rule.is_active = not rule.is_active
            rules.amend(rule.row, is_active=rule.is_active, now=at)
            if not rule.is_active:
                model.withdraw(rule=number)
        case "place":
            model.placed[debt] += timedelta(days=rng.choice((-3, -1, 1, 4)))
            Debt.objects.filter(pk=debt).update(placement_date=model.placed[debt])
        case "person":
            debtor = Debt.objects.get(pk=debt).debtor
            found = withdrawals.withdraw(Selection(debtor=debtor), by=supervisor, now=at)
            assert found.messages == model.withdraw(debt=debt)
        case "rule":
            found = withdrawals.withdraw(Selection(rule=rule.row), by=supervisor, now=at)
            assert found.messages == model.withdraw(rule=number)
        case "look":
            day = at.date() + timedelta(days=rng.choice((-3, 5)))
            runs.run_now(dry_run=True, day=day, by=None, clock=lambda: at)


def actual() -> dict[tuple[Any, Any], str]:
    """Return the state of each message as the model names it."""
    rows = CommunicationLog.objects.values_list("strategy_step__rule", "debt", "status", "failure_reason")
    found = {}
    for rule, debt, status, reason in rows:
        assert (rule, debt) not in found, "a text was queued twice"
        waits = status in ("queued", "postponed")
        found[rule, debt] = "waiting" if waits else (reason or "").split(":")[0].upper() or status
    return found


def simulate(seed: int) -> Counter[str]:
    rng = random.Random(seed)
    model, supervisor = made(rng), factories.agent()
    for number in range(DAYS):
        for hour in (6, 9, 12, 16, 17):
            at = datetime.combine(START + timedelta(days=number), time(hour), UTC)
            if (hour == 6 and rng.random() < 0.7) or (hour == 16 and rng.random() < 0.2):
                run(model, at)
            elif hour in OPEN and rng.random() < 0.5:
                model.drain(at)
                worker.drain(clock=lambda at=at: at)
            elif hour == 12:
                change(model, rng, supervisor, at)
        expected = {(model.rules[rule].row.pk, debt): state for (rule, debt), state in model.state.items()}
        assert actual() == expected, f"seed {seed}, day {number}"
    return Counter(model.state.values())


def test_thirty_days_go_as_the_model_has_it():
    assert {"sent", "STALE", "WITHDRAWN"} <= set(simulate(3))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10, 22))
def test_many_other_months_too(seed):
    simulate(seed)
