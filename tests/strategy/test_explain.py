"""Why a debt gets a message or none: the explanation agrees with the run."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from collection.models import Debt, DebtStatus, Hold
from debtors.models import Debtor
from strategy import explain, matching, rules, runs
from strategy.explain import State
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.admin.conftest import Browser, address, staff
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db


def steps(debt: Debt) -> dict[str, tuple[State, str]]:
    debt.refresh_from_db()
    return {step.rule.name: (step.state, step.explanation) for step in explain.plan(debt, now=clock()).steps}


def test_each_rule_of_the_segment_is_explained():
    segment = factories.segment(currency_code="GBP", min_balance=100)
    names = {"sent": 7, "next": 20, "missed": 1, "today": 8}
    for name, days in names.items():
        makers.rule(segment=segment, name=name, days_since_placement=days, max_lateness_days=3)
    makers.rule(segment=segment, name="reply", trigger={"type": "RepliedTrigger", "days_after": 0})
    makers.rule(name="of another segment")
    debt = factories.debt(segment=segment, placement_date=TODAY - timedelta(days=8))
    makers.run(day=TODAY - timedelta(days=1))
    assert steps(debt) == {
        "missed": (State.MISSED, "It is later than the rule allows"),
        "sent": (State.DONE, ""),
        "today": (State.DUE, ""),
        "next": (State.UPCOMING, ""),
        "reply": (State.WAITING, "Nothing has started its clock yet"),
    }
    Debt.objects.update(segment_is_pinned=False)
    debt.refresh_from_db()
    plan = explain.plan(debt, now=clock())
    assert plan.segment_reason == (
        "The first segment by priority that the debt fits: currency GBP, balance from 100.0000."
    )
    Hold.objects.create(debt=debt, reason="complaint", starts_on=TODAY)
    assert steps(debt)["today"] == (State.PAUSED, "A hold stops the strategy")
    Debt.objects.update(segment_is_pinned=True)
    debt.refresh_from_db()
    assert explain.plan(debt, now=clock()).segment_reason == "An agent chose this segment."


def test_the_api_and_the_page_of_the_debt_show_it(api):
    rule = makers.rule()
    debt = makers.due_debt(rule)
    makers.run()
    step = StrategyStep.objects.get()
    answer = api.get(f"/debts/{debt.pk}/strategy").json()
    assert (answer["segmentId"], answer["segmentName"]) == (str(rule.segment.pk), rule.segment.name)
    assert answer["steps"] == [
        {
            "ruleId": str(rule.pk), "ruleName": rule.name, "channel": "email", "trigger": "7 days after placement",
            "anchorId": str(debt.pk), "date": "2026-06-30", "state": "done", "reason": "already_queued",
            "explanation": "", "messageId": str(step.message_id),
        }
    ]  # fmt: skip
    assert api.get(f"/debts/{rule.pk}/strategy").status_code == 404
    Debt.objects.update(segment=None)
    nothing = api.get(f"/debts/{debt.pk}/strategy").json()
    assert nothing == {
        "segmentId": None, "segmentName": None, "steps": [],
        "segmentReason": "The debt fits no active segment, so no rule reaches it.",
    }  # fmt: skip
    Debt.objects.update(segment=rule.segment)
    page = Browser(staff("Agent")).get(address(Debt, "change", debt.pk) + "?panel=strategy").content.decode()
    assert rule.name in page
    assert "7 days after placement" in page
    assert "Done" in page


def made(rng: random.Random, count: int) -> list[Debt]:
    """Debts of all kinds: closed, held, on hold until yesterday, suppressed, without an address, paid, early and late."""
    segment = factories.segment()
    for days in (3, 6, 9):
        makers.rule(
            segment=segment, days_since_placement=days, max_lateness_days=2,
            after_pause=rng.choice(("catch_up", "shift", "skip")),
            conditions=rng.choice(({}, {"countries": ["GB"]}, {"reachable": ["sms"]})),
        )  # fmt: skip
    made_debts = []
    for number in range(count):
        debtor = factories.debtor(
            country_code=rng.choice(("GB", "DE")), mobile_phone=rng.choice((None, f"+44740099{number:04d}"))
        )
        placed = TODAY - timedelta(days=rng.randrange(14))
        debt = factories.debt(debtor=debtor, segment=segment, placement_date=placed)
        fields: dict[str, Any] = {}
        match rng.randrange(8):
            case 0:
                ends = rng.choice((None, TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=2)))
                Hold.objects.create(debt=debt, reason="complaint", starts_on=placed, ends_on=ends and max(ends, placed))
            case 1:
                fields = {"current_status": rng.choice((DebtStatus.RECALLED, DebtStatus.DISPUTED, DebtStatus.DEFERRED))}
            case 2:
                fields = {"current_balance": 0}
            case 3:
                Debtor.objects.filter(pk=debtor.pk).update(email="")
            case 4:
                factories.suppress(debtor.email)
        if fields:
            Debt.objects.filter(pk=debt.pk).update(**fields)
        made_debts.append(debt)
    return made_debts


def agrees(count: int) -> None:
    rng = random.Random(count)
    debts = made(rng, count)
    for days in (3, 1):
        makers.run(day=TODAY - timedelta(days=days))
    # What a run does before it matches.
    runs.run_now(dry_run=False, by=None, clock=clock, day=TODAY - timedelta(days=1))
    active = rules.active()
    by_id = {rule.pk: rule for rule in active}
    before = matching.occurrences(active, [debt.pk for debt in debts], day=TODAY, now=clock())
    expected: dict[Any, Counter[str]] = {rule.pk: Counter() for rule in active}
    due = set()
    for each in before:
        late = (TODAY - each.day).days
        if 0 <= late <= by_id[each.rule_id].max_lateness_days:
            expected[each.rule_id][each.reason or "due"] += 1
        if explain.state(each, day=TODAY) == State.DUE:
            due.add((each.rule_id, each.debt_id))
    queued = set(StrategyStep.objects.values_list("rule", "debt"))
    run = makers.run()
    assert set(StrategyStep.objects.filter(run=run).values_list("rule", "debt")) == due
    assert due
    assert not due & queued
    for line in StrategyRun.objects.get(pk=run.pk).rules:
        counted = {each["reason"]: each["count"] for each in line["left_out"] if each["reason"] != "too_late"}
        of_rule = expected[next(rule.pk for rule in active if rule.name == line["name"])]
        assert line["queued"] == of_rule.pop("due", 0)
        assert counted == dict(of_rule)


def test_the_explanation_agrees_with_the_run():
    agrees(120)


@pytest.mark.deep
def test_the_explanation_agrees_with_the_run_on_two_thousand_debts():
    agrees(2000)
