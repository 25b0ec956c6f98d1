"""Strategy rules as records, over HTTP."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from strategy.models import StrategyRule
from tests import factories
from tests.strategy import makers

pytestmark = pytest.mark.django_db


@pytest.fixture
def body():
    return {
        "name": "First letter",
        "segmentId": str(factories.segment().pk),
        "channel": "email",
        "templateId": str(factories.template().pk),
        "trigger": {"type": "TimeTrigger", "daysSincePlacement": 7},
    }


def refused(api, method, path, body, field, rule=None):
    before = list(StrategyRule.objects.order_by("id").values())
    answer = api(method, path, body)
    assert answer.status_code == 422, answer.content
    error = answer.json()["errors"][0]
    assert error["field"] == field
    assert rule in (None, error["rule"])
    assert list(StrategyRule.objects.order_by("id").values()) == before


def test_a_rule_is_created_read_changed_and_deleted(api, body):
    created = api.post("/strategy-rules", body)
    assert created.status_code == 201, created.content
    rule = created.json()
    assert (body | {"maxLatenessDays": 3, "priority": 100, "isActive": True}).items() <= rule.items()
    path = f"/strategy-rules/{rule['id']}"
    assert api.get(path).json() == rule
    changed = api.put(path, {"trigger": {"daysSincePlacement": 9}, "maxLatenessDays": 0, "priority": 1}).json()
    assert changed["trigger"] == {"type": "TimeTrigger", "daysSincePlacement": 9}
    assert (changed["maxLatenessDays"], changed["priority"], changed["name"]) == (0, 1, "First letter")
    assert [row["id"] for row in api.get("/strategy-rules").json()["data"]] == [rule["id"]]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_what_comes_back_can_be_sent_back(api, body):
    rule = api.post("/strategy-rules", body).json()
    answer = api.put(f"/strategy-rules/{rule['id']}", rule)
    assert answer.status_code == 200
    assert "X-Ignored-Fields" not in answer.headers
    assert answer.json() | {"updatedAt": None} == rule | {"updatedAt": None}


def test_an_empty_value_brings_the_default_back(api, body):
    rule = api.post("/strategy-rules", body | {"maxLatenessDays": 9, "priority": 1, "isActive": False}).json()
    empty = {"maxLatenessDays": None, "priority": "", "isActive": None, "channel": None}
    answer = api.put(f"/strategy-rules/{rule['id']}", empty).json()
    assert (answer["maxLatenessDays"], answer["priority"], answer["isActive"]) == (3, 100, True)
    assert answer["channel"] == "email"


def test_the_channel_is_the_templates(api, body):
    del body["channel"]
    assert api.post("/strategy-rules", body).json()["channel"] == "email"
    refused(api, "POST", "/strategy-rules", body | {"name": "B", "channel": "sms"}, "channel", "enum")
    refused(api, "POST", "/strategy-rules", body | {"name": "B", "channel": "pigeon"}, "channel", "enum")


def test_another_template_brings_its_channel_along(api, body):
    rule = api.post("/strategy-rules", body).json()
    text = factories.template(communication_type="sms", subject=None)
    path = f"/strategy-rules/{rule['id']}"
    refused(api, "PUT", path, {"templateId": str(text.pk), "channel": "email"}, "channel")
    assert api.put(path, {"templateId": str(text.pk)}).json()["channel"] == "sms"


def test_a_name_is_unique(api, body):
    api.post("/strategy-rules", body)
    refused(api, "POST", "/strategy-rules", body, "name", "database.unique")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("trigger.daysSincePlacement", {"type": "TimeTrigger", "daysSincePlacement": -1}, "range"),
        ("trigger.daysSincePlacement", {"type": "TimeTrigger", "daysSincePlacement": 10**9}, "range"),
        ("trigger.daysSincePlacement", {"type": "TimeTrigger", "daysSincePlacement": "soon"}, "number"),
        ("trigger.daysSincePlacement", {"type": "TimeTrigger"}, "required"),
        ("trigger.type", {"type": "MoonTrigger", "daysSincePlacement": 1}, "enum"),
        ("trigger.type", {"daysSincePlacement": 1}, "required"),
        ("trigger", None, "required"),
        ("trigger", "TimeTrigger", None),
        ("segmentId", str(uuid.UUID(int=1)), "database.exists"),
        ("segmentId", "x", "uuid"),
        ("templateId", str(uuid.UUID(int=1)), "database.exists"),
        ("templateId", None, "required"),
        ("maxLatenessDays", -1, "range"),
        ("maxLatenessDays", 10**9, "range"),
        ("priority", -1, "range"),
        ("isActive", 1, "boolean"),
        ("name", "", "required"),
    ],
)
def test_a_wrong_value_is_refused_on_its_field(api, body, field, value, rule):
    refused(api, "POST", "/strategy-rules", body | {field.split(".")[0]: value}, field, rule)


def test_an_agent_reads_rules_and_changes_none(api_as, api, body):
    rule = api.post("/strategy-rules", body).json()
    agent = api_as(factories.agent("Agent"))
    path = f"/strategy-rules/{rule['id']}"
    assert agent.get(path).status_code == 200
    assert agent.post("/strategy-rules", body | {"name": "B"}).status_code == 403
    assert agent.put(path, {"name": "B"}).status_code == 403
    assert agent.delete(path).status_code == 403
    assert StrategyRule.objects.get().name == "First letter"


@pytest.mark.usefixtures("remembered_roles")
def test_the_list_takes_as_many_queries_for_fifty_as_for_one(api):
    def rule():
        StrategyRule.objects.create(
            name=uuid.uuid4().hex, segment=factories.segment(), template=factories.template(), channel="email",
            trigger=makers.due_after(1),
        )  # fmt: skip

    rule()
    api.get("/strategy-rules?limit=100")
    with CaptureQueriesContext(connection) as one:
        api.get("/strategy-rules?limit=100")
    for _ in range(49):
        rule()
    with CaptureQueriesContext(connection) as fifty:
        assert len(api.get("/strategy-rules?limit=100").json()["data"]) == 50
    assert len(fifty) == len(one)
