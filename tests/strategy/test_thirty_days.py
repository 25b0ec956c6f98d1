"""Thirty days of the strategy against a model: triggers, lateness, withdrawals, edited rules, missed runs and dead workers."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collection.models import Debt
from communications.models import CommunicationLog
from communications.sending import worker
from payments.models import Payment
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
    #: What starts its clock: "placed", "due", "paid" or "failed".
    clock: str = "placed"


@dataclass(frozen=True)
class Anchor:
    """A record that starts a clock: its id, its day, and when it was entered."""

    id: Any
    day: date
    entered: datetime


#: By what starts the clock, the trigger and the name of its days.
CLOCKS = {
    "placed": ("TimeTrigger", "days_since_placement"),
    "due": ("DueDateTrigger", "days_from_due_date"),
    "paid": ("LastPaymentTrigger", "days_after"),
    "failed": ("PaymentFailedTrigger", "days_after"),
}
#: The rules of the second segment: what starts the clock, and after how many days.
OF_EVENTS = (("due", -2), ("paid", 3), ("failed", 1))
ENTERED = datetime.combine(START, time(), UTC) - timedelta(days=9)


@dataclass
class Model:
    """What should be so: the state and the end of each message, by rule, debt and anchor."""

    rules: list[Rule]
    placed: dict[Any, date]
    countries: dict[Any, str]
    #: The debts of the second segment: by debt and clock the anchors, of which only the last one of "due" and "paid" counts.
    happened: dict[Any, dict[str, list[Anchor]]] = field(default_factory=dict)
    state: dict[tuple[int, Any, Any], str] = field(default_factory=dict)
    ends: dict[tuple[int, Any, Any], datetime] = field(default_factory=dict)
    last_run: datetime | None = None

    def anchors(self, rule: Rule) -> Iterator[tuple[Any, Anchor]]:
        """Yield each debt of a rule's segment with what starts the rule's clock."""
        if rule.clock == "placed":
            yield from ((debt, Anchor(debt, placed, ENTERED)) for debt, placed in self.placed.items())
            return
        for debt, by_clock in self.happened.items():
            found = by_clock.get(rule.clock, [])
            yield from ((debt, each) for each in (found if rule.clock == "failed" else found[-1:]))

    def run(self, at: datetime) -> dict[str, tuple[int, dict[str, int]]]:
        """Queue what is due, and return by rule what is queued and left out."""
        lines, day = {}, at.date()
        for number, rule in enumerate(self.rules):
            if not rule.is_active:
                continue
            queued, left_out = 0, Counter[str]()
            for debt, anchor in self.anchors(rule):
                due = anchor.day + timedelta(days=rule.days)
                late, key = (day - due).days, (number, debt, anchor.id)
                if 0 <= late <= rule.lateness:
                    if key in self.state:
                        left_out["already_queued"] += 1
                    else:
                        queued += 1
                        last = due + timedelta(days=rule.lateness + 1)
                        self.state[key] = "waiting"
                        self.ends[key] = datetime.combine(last, time(), ZONES[self.countries[debt]])
                elif late > rule.lateness and key not in self.state and self.is_new(due, anchor):
                    left_out["too_late"] += 1
            lines[rule.row.name] = (queued, dict(left_out))
        self.last_run = at
        return lines

    def is_new(self, due: date, anchor: Anchor) -> bool:
        """Return whether an occurrence is of a day without a run, or its anchor was entered since the last one."""
        return self.last_run is not None and (due > self.last_run.date() or anchor.entered > self.last_run)

    def drain(self, at: datetime) -> None:
        for key, state in self.state.items():
            if state != "waiting":
                continue
            if at >= self.ends[key]:
                self.state[key] = "STALE"
            elif self.countries[key[1]] in OPEN[at.hour]:
                self.state[key] = "sent"

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
    of_events = factories.segment()
    for clock, days in OF_EVENTS:
        lateness, (kind, name) = rng.choice((0, 1, 3)), CLOCKS[clock]
        row = makers.rule(segment=of_events, trigger={"type": kind, name: days}, max_lateness_days=lateness)
        made_rules.append(Rule(row, days, lateness, clock=clock))
    model = Model(made_rules, {}, {})
    for number in range(22):
        country = rng.choice(("GB", "US"))
        region = "California" if country == "US" else None
        phone = None  # Only the address gives the clock.
        debtor = factories.debtor(country_code=country, region_state=region, mobile_phone=phone)
        placed = START + timedelta(days=rng.randrange(-8, 20))
        own = segment if number < 14 else of_events
        debt = factories.debt(debtor=debtor, segment=own, placement_date=placed, due_date=None)
        model.countries[debt.pk] = country
        if own == segment:
            model.placed[debt.pk] = placed
        else:
            model.happened[debt.pk] = {}
    Debt.objects.update(created_at=ENTERED)
    return model


def run(model: Model, at: datetime) -> None:
    expected = model.run(at)
    done = runs.run_now(dry_run=False, by=None, clock=lambda: at)
    assert {name: (queued, left_out) for name, (_, queued, left_out) in makers.lines(done).items()} == expected, at


def change(model: Model, rng: random.Random, supervisor: Any, at: datetime) -> None:
    """Edit a rule, switch one off or on, move a placement date, withdraw from a person, or look at another day."""
    number = rng.randrange(len(model.rules))
    rule, debt = model.rules[number], rng.choice(list(model.placed))
    match rng.choice(("edit", "switch", "place", "person", "rule", "look", "nothing", "nothing")):
        case "edit":
            rule.days = rule.days + rng.choice((-2, -1, 1, 2))
            rule.days = rule.days if rule.clock == "due" else max(0, rule.days)
            rules.amend(rule.row, trigger={CLOCKS[rule.clock][1]: rule.days}, now=at)
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


def happen(model: Model, rng: random.Random, at: datetime) -> None:
    """Let something start a clock, at most once in nine days for a debt, so that no cap on messages comes into it."""
    debt = rng.choice(list(model.happened))
    by_clock = model.happened[debt]
    if any(at - each.entered < timedelta(days=9) for anchors in by_clock.values() for each in anchors):
        return
    clock, day = rng.choice(("due", "paid", "failed")), at.date()
    of_debt: dict[str, Any] = {"debt_id": debt, "amount": 1, "currency_code": "GBP", "created_at": at}
    if clock == "due":
        day += timedelta(days=rng.randrange(-3, 9))
        Debt.objects.filter(pk=debt).update(due_date=day)
        # A due date has no record of its own, and is as old as its debt.
        by_clock.setdefault(clock, []).append(Anchor(uuid.UUID(f"{day:%Y%m%d}".rjust(32, "0")), day, ENTERED))
    elif clock == "paid":
        day -= timedelta(days=rng.randrange(5))
        payment = Payment.objects.create(**of_debt, payment_date=day)
        by_clock.setdefault(clock, []).append(Anchor(payment.pk, day, at))
        by_clock[clock].sort(key=lambda each: each.day)
    else:
        payment = Payment.objects.create(**of_debt, payment_date=day, status="failed")
        Payment.objects.filter(pk=payment.pk).update(updated_at=at)
        by_clock.setdefault(clock, []).append(Anchor(payment.pk, day, at))


def actual() -> dict[tuple[Any, Any, Any], str]:
    """Return the state of each message as the model names it."""
    step = ("strategy_step__rule", "debt", "strategy_step__anchor")
    rows = CommunicationLog.objects.values_list(*step, "status", "failure_reason")
    found = {}
    for *key, status, reason in rows:
        rule, debt, anchor = key
        assert (rule, debt, anchor) not in found, "a text was queued twice"
        waits = status in ("queued", "postponed")
        found[rule, debt, anchor] = "waiting" if waits else (reason or "").split(":")[0].upper() or status
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
                happen(model, rng, at)
        expected = {(model.rules[rule].row.pk, *rest): state for (rule, *rest), state in model.state.items()}
        assert actual() == expected, f"seed {seed}, day {number}"
    return Counter(model.state.values())


def test_thirty_days_go_as_the_model_has_it():
    assert {"sent", "STALE", "WITHDRAWN"} <= set(simulate(3))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10, 22))
def test_many_other_months_too(seed):
    simulate(seed)
