"""Segments as records, over the rules and over HTTP."""

from decimal import Decimal

import pytest

from collection.models import Segment
from collection.segments import records
from ddc.common.errors import DomainError, Duplicate
from tests import factories
from tests.strategy import makers

pytestmark = pytest.mark.django_db


def refused(api, method, path, body, field, rule=None):
    before = list(Segment.objects.order_by("id").values())
    answer = api(method, path, body)
    assert answer.status_code == 422, answer.content
    error = answer.json()["errors"][0]
    assert error["field"] == field
    assert rule in (None, error["rule"])
    assert list(Segment.objects.order_by("id").values()) == before


def test_a_segment_is_created_read_changed_and_deleted(api):
    body = {
        "name": "Small fry", "priority": 1, "minP2pScore": 0.25, "maxP2pScore": "1", "minBalance": 10, "maxBalance": "99.5",
        "currencyCode": "gbp", "minDaysSincePlacement": 0, "maxDaysSincePlacement": 30,
    }  # fmt: skip
    created = api.post("/segments", body)
    assert created.status_code == 201
    segment = created.json()
    expected = {
        "name": "Small fry", "priority": 1, "minP2pScore": "0.250", "maxP2pScore": "1.000", "minBalance": "10.00",
        "maxBalance": "99.50", "currencyCode": "GBP", "minDaysSincePlacement": 0, "maxDaysSincePlacement": 30,
        "isActive": True,
    }  # fmt: skip
    assert expected.items() <= segment.items()
    assert "debtsCount" not in segment
    path = f"/segments/{segment['id']}"
    assert api.get(path).json() == segment | {"debtsCount": 0}
    changed = api.put(path, {"maxBalance": 200, "isActive": False}).json()
    assert (changed["maxBalance"], changed["isActive"], changed["minBalance"]) == ("200.00", False, "10.00")
    assert [row["id"] for row in api.get("/segments").json()["data"]] == [segment["id"]]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_an_answer_can_be_sent_back(api):
    segment = api.post("/segments", {"name": "A", "minBalance": 5, "currencyCode": "KWD"}).json()
    answer = api.put(f"/segments/{segment['id']}", api.get(f"/segments/{segment['id']}").json())
    assert answer.status_code == 200
    assert "X-Ignored-Fields" not in answer.headers
    assert answer.json()["minBalance"] == "5.000"


def test_an_empty_value_sets_the_default_or_removes_the_bound(api):
    segment = factories.segment(priority=3, is_active=False, min_days_since_placement=5)
    body = {"priority": None, "isActive": None, "minDaysSincePlacement": ""}
    answer = api.put(f"/segments/{segment.pk}", body).json()
    assert (answer["priority"], answer["isActive"], answer["minDaysSincePlacement"]) == (100, True, None)


def test_a_name_is_unique(api):
    factories.segment(name="Taken")
    refused(api, "POST", "/segments", {"name": "Taken"}, "name", "database.unique")
    other = factories.segment()
    refused(api, "PUT", f"/segments/{other.pk}", {"name": "Taken"}, "name", "database.unique")


@pytest.mark.parametrize(
    ("least", "most", "extra"),
    [
        ("minP2pScore", "maxP2pScore", {}),
        ("minBalance", "maxBalance", {"currencyCode": "GBP"}),
        ("minDaysSincePlacement", "maxDaysSincePlacement", {}),
    ],
)
@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 0)])
def test_an_empty_band_is_refused(api, least, most, extra, low, high):
    refused(api, "POST", "/segments", {"name": "Empty", least: low, most: high, **extra}, most, "range")


def test_a_bound_that_empties_its_band_is_refused(api):
    segment = factories.segment(min_days_since_placement=10, max_days_since_placement=20)
    refused(api, "PUT", f"/segments/{segment.pk}", {"minDaysSincePlacement": 20}, "minDaysSincePlacement")


@pytest.mark.parametrize("bound", ["minBalance", "maxBalance"])
def test_a_balance_band_needs_a_currency(api, bound):
    refused(api, "POST", "/segments", {"name": "Poor", bound: 100}, "currencyCode", "required")


def test_the_currency_of_a_balance_band_can_not_be_removed(api):
    segment = factories.segment(min_balance=Decimal(5), currency_code="GBP")
    refused(api, "PUT", f"/segments/{segment.pk}", {"currencyCode": None}, "currencyCode")


def test_bounds_have_no_more_decimals_than_the_currency(api):
    refused(
        api, "POST", "/segments", {"name": "Yen", "minBalance": "10.5", "currencyCode": "JPY"}, "minBalance", "range"
    )
    segment = factories.segment(min_balance=Decimal("5.25"), currency_code="GBP")
    refused(api, "PUT", f"/segments/{segment.pk}", {"currencyCode": "JPY"}, "minBalance", "range")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", None), ("name", 5), ("name", "x" * 101), ("priority", -1), ("priority", 2**31),
        ("priority", "high"), ("priority", True), ("minP2pScore", "-0.1"), ("maxP2pScore", "1.1"), ("minP2pScore", "0.1234"),
        ("minBalance", -1), ("minBalance", "1e3"), ("currencyCode", "EURO"), ("minDaysSincePlacement", -1),
        ("maxDaysSincePlacement", 1.5), ("maxDaysSincePlacement", 2**31), ("isActive", "yes"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_on_its_field(api, field, value):
    refused(api, "POST", "/segments", {"name": "Wrong", "currencyCode": "GBP", field: value}, field)


def test_the_count_of_debts_is_of_this_segment(api):
    segment = factories.segment()
    factories.debt(segment=segment)
    factories.debt(segment=segment)
    factories.debt(segment=factories.segment())
    assert api.get(f"/segments/{segment.pk}").json()["debtsCount"] == 2


def test_a_segment_with_debts_or_rules_is_not_deleted(api):
    with_debt, with_rule = factories.segment(), factories.segment()
    factories.debt(segment=with_debt)
    from strategy import rules

    rules.create(
        name="R",
        segment=with_rule,
        template=factories.template(),
        trigger=makers.due_after(1),
    )
    for segment in (with_debt, with_rule):
        assert api.delete(f"/segments/{segment.pk}").status_code == 409
        assert Segment.objects.filter(pk=segment.pk).exists()


def test_an_agent_reads_segments_and_changes_none(api_as):
    api = api_as(factories.agent("Agent"))
    segment = factories.segment()
    assert api.get("/segments").status_code == 200
    assert api.post("/segments", {"name": "Mine"}).status_code == 403
    assert api.put(f"/segments/{segment.pk}", {"name": "Mine"}).status_code == 403
    assert api.delete(f"/segments/{segment.pk}").status_code == 403
    assert Segment.objects.get().name == segment.name


def test_the_list_takes_as_many_queries_for_fifty_as_for_one(api, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    factories.segment()
    api.get("/segments?limit=100")
    with CaptureQueriesContext(connection) as one:
        api.get("/segments?limit=100")
    for _ in range(49):
        factories.segment()
    with CaptureQueriesContext(connection) as fifty:
        assert len(api.get("/segments?limit=100").json()["data"]) == 50
    assert len(fifty) == len(one)


def test_the_domain_functions_refuse_too():
    factories.segment(name="Taken")
    with pytest.raises(Duplicate):
        records.create(name="Taken")
    with pytest.raises(DomainError) as refusal:
        records.create(name="B", min_balance=Decimal(1))
    assert refusal.value.field == "currency_code"
    assert Segment.objects.count() == 1
