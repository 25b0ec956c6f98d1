"""A trigger is one class and one line: the API, the form and a run use one that only this test knows."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from communications.models import CommunicationLog
from ddc.common.api.serializers import reader, writer
from strategy import rules, triggers
from strategy.models import StrategyRule
from tests import factories, openapi
from tests.admin.conftest import Browser, address, errors, staff
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db


class EarlierTrigger(triggers.Trigger):
    label = "Days before the due date"
    fields = {"days_earlier": triggers.WholeNumber("Days earlier", 1, 30, "Than the due date.")}
    anchors = "SELECT debt.id, debt.due_date AS day, debt.created_at AS recorded_at"
    days = "-rule.days_earlier"

    def explain(self, values):
        return f"{values['days_earlier']} days before the due date"


@pytest.fixture
def due_date_trigger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    forget = (reader.cache_clear, writer.cache_clear, openapi.forget)
    monkeypatch.setitem(triggers.TRIGGERS, "EarlierTrigger", EarlierTrigger())
    for each in forget:
        each()
    yield
    for each in forget:
        each()


def before_due_date(days: int, **values: object) -> StrategyRule:
    template = factories.template()
    trigger = {"type": "EarlierTrigger", "days_earlier": days}
    return rules.create(name="Reminder", segment=factories.segment(), template=template, trigger=trigger, **values)


@pytest.mark.usefixtures("due_date_trigger")
def test_the_api_takes_the_values_of_a_new_trigger(api):
    body = {
        "name": "Reminder", "segmentId": str(factories.segment().pk), "templateId": str(factories.template().pk),
        "trigger": {"type": "EarlierTrigger", "daysEarlier": 3},
    }  # fmt: skip
    created = api.post("/strategy-rules", body).json()
    assert created["trigger"] == {"type": "EarlierTrigger", "daysEarlier": 3}
    path = f"/strategy-rules/{created['id']}"
    assert api.put(path, {"trigger": {"daysEarlier": 5}}).json()["trigger"] == {
        "type": "EarlierTrigger",
        "daysEarlier": 5,
    }
    assert api.put(path, created).json()["trigger"] == created["trigger"]

    refusals = [
        ({"type": "EarlierTrigger"}, "trigger.daysEarlier", "required"),
        ({"type": "EarlierTrigger", "daysEarlier": 31}, "trigger.daysEarlier", "range"),
        ({"type": "TimeTrigger"}, "trigger.daysSincePlacement", "required"),
    ]
    for trigger, field, rule in refusals:
        error = api.post("/strategy-rules", body | {"name": "Other", "trigger": trigger}).json()["errors"][0]
        assert (error["field"], error["rule"]) == (field, rule)
    assert api.put(path, {"trigger": {"type": "TimeTrigger"}}).status_code == 422
    changed = api.put(path, {"trigger": {"type": "TimeTrigger", "daysSincePlacement": 7}}).json()
    assert changed["trigger"] == {"type": "TimeTrigger", "daysSincePlacement": 7}


@pytest.mark.usefixtures("due_date_trigger")
def test_the_form_shows_the_fields_of_a_new_trigger():
    supervisor = Browser(staff("Supervisor"))
    page = address(StrategyRule, "add")
    content = supervisor.get(page).content.decode()
    assert "Days before the due date" in content
    assert "Than the due date." in content
    values = {
        "name": "Reminder", "segment": factories.segment().pk, "template": factories.template().pk,
        "trigger_type": "EarlierTrigger", "max_lateness_days": "3", "priority": "1", "is_active": "on",
    }  # fmt: skip
    assert errors(supervisor.post(page, values)) == {"days_earlier": ["This trigger needs a value here."]}
    assert supervisor.post(page, values | {"days_earlier": "3"}).status_code == 302
    rule = StrategyRule.objects.get()
    assert rule.trigger == {"type": "EarlierTrigger", "days_earlier": 3}
    assert b"3 days before the due date" in supervisor.list(StrategyRule).content

    page = address(StrategyRule, "change", rule.pk)
    assert supervisor.get(page).context["adminform"].form["days_earlier"].value() == 3
    assert supervisor.post(page, values | {"days_earlier": "4"}).status_code == 302
    rule.refresh_from_db()
    assert rule.trigger == {"type": "EarlierTrigger", "days_earlier": 4}


@pytest.mark.usefixtures("due_date_trigger")
def test_a_run_queues_on_the_day_of_a_new_trigger():
    rule = before_due_date(3, max_lateness_days=1)
    for days in (1, 2, 3, 4, None):
        factories.debt(segment=rule.segment, due_date=TODAY + timedelta(days=days) if days else None)
    by_time = makers.rule(segment=rule.segment)
    makers.due_debt(by_time, due_date=None)
    run = makers.run()
    assert makers.lines(run) == {"Reminder": (2, 2, {}), by_time.name: (1, 1, {})}
    assert CommunicationLog.objects.count() == 3


def test_a_read_only_page_explains_the_trigger():
    auditor = Browser(staff("Auditor"))
    rule = makers.rule(days_since_placement=1)
    assert b"1 day after placement" in auditor.get(address(StrategyRule, "change", rule.pk)).content
    assert b"1 day after placement" in auditor.list(StrategyRule).content


def test_the_fields_of_triggers_have_names_that_no_field_of_a_rule_has():
    own = {field.name for field in StrategyRule._meta.get_fields()} | {"type", "trigger_type"}
    assert own.isdisjoint(triggers.all_fields())
