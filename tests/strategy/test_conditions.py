"""Conditions of a rule beyond its segment: which debts meet them, over the API, in the form and in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collection.models import Debt
from communications.models import CommunicationLog
from strategy import conditions
from strategy.models import StrategyRule, StrategyStep
from tests import factories
from tests.admin.conftest import Browser, address, errors, staff
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db


def debts(rule: StrategyRule) -> dict[str, Debt]:
    """Two debts that differ in all that a condition looks at."""
    german = factories.debtor(country_code="DE", language_preference="de", mobile_phone=None)
    far = factories.debtor(country_code="JP", language_preference="ja")
    other = factories.creditor("Other")
    old, new = TODAY - timedelta(days=90), TODAY - timedelta(days=10)
    return {
        "german": makers.due_debt(rule, debtor=german, balance=100, currency_code="EUR", due_date=old),
        "far": makers.due_debt(
            rule, debtor=far, balance=900, currency_code="JPY", due_date=new, original_creditor=other.name
        ),
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"balances": [{"currency_code": "EUR", "minimum": 100, "maximum": None}]}, {"german"}),
        ({"balances": [{"currency_code": "EUR", "maximum": 100}, {"currency_code": "JPY"}]}, {"far"}),
        ({"min_age_days": 90}, {"german"}),
        ({"max_age_days": 90}, {"far"}),
        ({"countries": ["DE", "AT"]}, {"german"}),
        ({"languages": ["ja"]}, {"far"}),
        ({"reachable": ["email"]}, {"german", "far"}),
        ({"reachable": ["email", "sms"]}, {"far"}),
        ({"countries": ["DE"], "languages": ["ja"]}, set()),
    ],
)
def test_a_debt_has_to_meet_all_conditions(given, expected):
    rule = makers.rule(conditions=given)
    by_name = debts(rule)
    unmet = {"conditions_not_met": 2 - len(expected)} if len(expected) < 2 else {}
    assert makers.lines(makers.run()) == {rule.name: (2, len(expected), unmet)}
    queued = set(StrategyStep.objects.values_list("debt_id", flat=True))
    assert queued == {by_name[name].pk for name in expected}


def test_a_rule_for_one_creditor():
    rule = makers.rule()
    by_name = debts(rule)
    StrategyRule.objects.update(conditions={"creditor_ids": [str(by_name["far"].creditor_id)]})
    assert makers.lines(makers.run())[rule.name][1:] == (1, {"conditions_not_met": 1})
    assert StrategyStep.objects.get().debt == by_name["far"]


def test_a_suppressed_address_is_not_reachable():
    rule = makers.rule(conditions={"reachable": ["sms"]})
    debt = makers.due_debt(rule)
    factories.suppress(debt.debtor.normal_phone, channel="sms")
    assert makers.lines(makers.run())[rule.name][1:] == (0, {"conditions_not_met": 1})


@pytest.mark.parametrize(
    ("wanted", "is_met"),
    [
        ({"is_sent": True}, True),
        ({"is_sent": False}, False),
        ({"is_sent": True, "channel": "email"}, True),
        ({"is_sent": False, "channel": "sms"}, True),
        ({"is_sent": True, "within_days": 5}, True),
        ({"is_sent": True, "within_days": 4}, False),
        ({"is_sent": False, "within_days": 4}, True),
    ],
)
def test_earlier_messages(wanted: dict[str, Any], is_met: bool):
    rule = makers.rule(conditions={"earlier_messages": [wanted]})
    debt = makers.due_debt(rule)
    five_days_ago = datetime(2026, 6, 25, 9, tzinfo=UTC)
    fields = {"debtor": debt.debtor, "communication_type": "email", "status": "sent", "sent_at": five_days_ago}
    CommunicationLog.objects.create(debt=debt, **fields)
    assert makers.lines(makers.run())[rule.name][1] == is_met


def test_earlier_messages_of_a_rule():
    first = makers.rule(days_since_placement=0, max_lateness_days=30)
    second = makers.rule(
        segment=first.segment, conditions={"earlier_messages": [{"is_sent": True, "rule_id": str(first.pk)}]}
    )
    debt = makers.due_debt(second)
    assert makers.lines(makers.run())[second.name][1:] == (0, {"conditions_not_met": 1})
    CommunicationLog.objects.filter(debt=debt).update(status="sent", sent_at=makers.clock())
    assert makers.lines(makers.run())[second.name][1] == 1


ALL = {
    "balances": [{"currencyCode": "EUR", "minimum": 100, "maximum": 5000}], "minAgeDays": 3, "maxAgeDays": 90,
    "countries": ["DE", "AT"], "languages": ["de"], "reachable": ["sms"],
    "earlierMessages": [{"isSent": False, "ruleId": None, "channel": "sms", "withinDays": 7}],
}  # fmt: skip


def test_the_api_takes_and_returns_them(api):
    body = {
        "name": "Reminder", "segmentId": str(factories.segment().pk), "templateId": str(factories.template().pk),
        "trigger": {"type": "TimeTrigger", "daysSincePlacement": 7},
    }  # fmt: skip
    assert api.post("/strategy-rules", body).json()["conditions"] == {}
    rule = api.post("/strategy-rules", body | {"name": "Other", "conditions": ALL, "afterPause": "skip"}).json()
    assert (rule["conditions"], rule["afterPause"]) == (ALL, "skip")
    path = f"/strategy-rules/{rule['id']}"
    assert api.put(path, {"priority": 3}).json()["conditions"] == ALL
    assert api.put(path, {"conditions": None, "afterPause": None}).json()["conditions"] == {}
    for wrong, field in (
        ({"countries": ["XX"]}, "conditions.countries.0"),
        ({"minAgeDays": -1}, "conditions.minAgeDays"),
        ({"earlierMessages": [{"isSent": True, "channel": "pigeon"}]}, "conditions.earlierMessages.0.channel"),
    ):
        answer = api.put(path, {"conditions": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_the_form_takes_them_and_refuses_what_it_does_not_know():
    supervisor, rule = Browser(staff("Supervisor")), makers.rule()
    page = address(StrategyRule, "change", rule.pk)
    values = {
        "name": "Reminder", "segment": rule.segment_id, "template": rule.template_id, "trigger_type": "TimeTrigger",
        "days_since_placement": "7", "after_pause": "shift", "max_lateness_days": "3", "priority": "1", "is_active": "on",
    }  # fmt: skip
    assert errors(supervisor.post(page, values | {"conditions": '{"planets": ["Mars"]}'})) == {
        "conditions": ["There is no condition planets."]
    }
    assert supervisor.post(page, values | {"conditions": '{"countries": ["de"]}'}).status_code == 302
    rule.refresh_from_db()
    assert rule.conditions == {"countries": ["DE"]}
    assert "country DE" in Browser(staff("Auditor")).get(page).content.decode()


def test_they_are_in_words():
    stored = {
        "balances": [{"currency_code": "EUR", "minimum": 1000, "maximum": 5000}], "min_age_days": 3, "max_age_days": 90,
        "countries": ["DE", "AT"], "languages": ["de"], "reachable": ["sms"], "creditor_ids": ["a", "b"],
        "earlier_messages": [{"is_sent": False, "channel": "sms", "within_days": 7}, {"is_sent": True, "rule_id": "x"}],
    }  # fmt: skip
    assert conditions.explain({}) == ""
    assert conditions.explain(stored).split("; ") == [
        "balance from 1,000 below 5,000 in EUR", "at least 3 days old", "less than 90 days old", "country DE or AT",
        "language de", "2 creditors", "reachable by text message", "no message by text message in the last 7 days",
        "a message of rule x before",
    ]  # fmt: skip
    assert set(stored) == set(conditions.CONDITIONS)
