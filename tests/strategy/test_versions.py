"""Every change of a rule publishes a version, which never changes; running debts move to it or stay with theirs."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from collection.models import Debt
from communications.models import CommunicationLog
from strategy import explain, rules, runs
from strategy.models import StrategyRule, StrategyRuleVersion, StrategyStep
from tests import factories
from tests.admin.conftest import Browser, address, staff
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db


def published(rule: StrategyRule) -> list[tuple[int, int, str]]:
    rows = rule.versions.order_by("number")
    return [(row.number, row.content["trigger"]["days_since_placement"], row.running_debts) for row in rows]


def test_a_change_publishes_a_version_and_what_no_run_reads_does_not():
    rule = makers.rule()
    assert published(rule) == [(1, 7, "move")]
    rules.amend(rule, now=clock(), trigger={"days_since_placement": 9}, running_debts="stay")
    rules.amend(rule, now=clock(), name="Another name", priority=3)
    rules.amend(rule, now=clock(), is_active=False)
    rules.amend(rule, now=clock(), trigger={"days_since_placement": 9})
    assert published(rule) == [(1, 7, "move"), (2, 9, "stay")]
    assert StrategyRuleVersion.objects.get(number=2).published_at == clock()
    with pytest.raises(DatabaseError, match=r"never changed|permission denied"), transaction.atomic():
        StrategyRuleVersion.objects.update(number=9)
    rules.delete(rule)
    assert not StrategyRuleVersion.objects.exists()


def entered(debt: Debt, at: datetime) -> Debt:
    Debt.objects.filter(pk=debt.pk).update(created_at=at)
    return debt


@pytest.mark.parametrize(("running_debts", "expected"), [("move", {"new"}), ("stay", {"running"})])
def test_running_debts_move_or_stay(running_debts, expected):
    rule = makers.rule(days_since_placement=7, max_lateness_days=0)
    before, after = clock() - timedelta(days=3), clock() - timedelta(days=1)
    running = entered(makers.due_debt(rule), before)  # Due today by the first version.
    new = factories.debt(segment=rule.segment, placement_date=TODAY - timedelta(days=5))
    # Due today by the second version; its clock started before that was published, unless running debts move.
    entered(new, before)
    rules.amend(rule, now=clock() - timedelta(days=2), trigger={"days_since_placement": 5}, running_debts=running_debts)
    fresh = entered(factories.debt(segment=rule.segment, placement_date=TODAY - timedelta(days=5)), after)
    makers.run()
    queued = set(StrategyStep.objects.values_list("debt", flat=True))
    by_name = {"running": running.pk, "new": new.pk}
    assert queued == {fresh.pk, *(by_name[name] for name in expected)}
    numbers = dict(StrategyStep.objects.values_list("debt", "version__number"))
    assert numbers[fresh.pk] == 2
    assert numbers.get(running.pk, 1) == 1
    assert [step.state for step in explain.plan(running, now=clock()).steps] == [
        explain.State.DONE if running_debts == "stay" else explain.State.MISSED
    ]


def test_debts_that_stay_keep_the_text_and_the_channel_and_are_not_written_to_twice():
    rule = makers.rule(days_since_placement=7)
    first = rule.template
    running = entered(makers.due_debt(rule), clock() - timedelta(days=3))
    sms = factories.template(communication_type="sms")
    rules.amend(rule, now=clock() - timedelta(days=2), template=sms, running_debts="stay")
    new = entered(makers.due_debt(rule), clock() - timedelta(days=1))
    makers.run()
    sent = {row.debt_id: (row.template_id, row.communication_type) for row in CommunicationLog.objects.all()}
    assert sent == {running.pk: (first.pk, "email"), new.pk: (sms.pk, "sms")}
    # A third version to which all move: what was done stays done.
    rules.amend(rule, now=clock(), trigger={"days_since_placement": 6})
    assert runs.run_now(dry_run=False, by=None, clock=clock).rules[0]["queued"] == 0


def test_the_api_publishes_under_the_same_id(api):
    body = {
        "name": "Letter", "segmentId": str(factories.segment().pk), "templateId": str(factories.template().pk),
        "trigger": {"type": "TimeTrigger", "daysSincePlacement": 7},
    }  # fmt: skip
    created = api.post("/strategy-rules", body).json()
    assert created["runningDebts"] == "move"
    path = f"/strategy-rules/{created['id']}"
    changed = api.put(path, {"trigger": {"daysSincePlacement": 9}, "runningDebts": "stay"}).json()
    assert (changed["id"], changed["runningDebts"]) == (created["id"], "stay")
    assert published(StrategyRule.objects.get()) == [(1, 7, "move"), (2, 9, "stay")]
    assert api.put(path, {"runningDebts": "leave"}).json()["errors"][0]["field"] == "runningDebts"


def test_the_page_of_a_rule_lists_its_versions():
    rule = makers.rule(days_since_placement=7)
    rules.amend(rule, now=clock(), trigger={"days_since_placement": 9}, running_debts="stay")
    page = Browser(staff("Auditor")).get(address(StrategyRule, "change", rule.pk)).content.decode()
    assert "7 days after placement" in page
    assert "stay with the version" in page
