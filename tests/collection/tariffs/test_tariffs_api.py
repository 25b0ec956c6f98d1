"""Rate series, interest schedules and cost rules over HTTP, and their pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

RATE = {"series": "ecb_mro", "validFrom": "2026-07-01", "rate": "2.15", "source": "ECB"}
SCHEDULE = {"code": "house", "name": "House rate", "fixedPercent": "7.5", "section": "Contract", "source": "contract"}
RULE = {
    "code": "visit",
    "name": "Visit",
    "currencyCode": "eur",
    "countries": ["de"],
    "validFrom": "2026-01-01",
    "table": {
        "steps": [{"upTo": "500", "amount": "10.00"}, {"upTo": None, "amount": "20"}],
        "factors": [{"name": "usual", "factor": "0.9"}],
        "least": "5",
    },
    "section": "Contract",
    "source": "contract",
}


def rules(answer):
    return {(error["field"], error["rule"]) for error in answer.json()["errors"]}


def test_a_rate_is_added_and_listed(api: Api):
    made = api.post("/rate-series", RATE)
    assert made.status_code == 201, made.content
    assert {**made.json(), "id": 0, "createdAt": 0} == {**RATE, "series": "ECB_MRO", "id": 0, "createdAt": 0}
    found = api.get("/rate-series?series=ecb_mro").json()
    assert [row["id"] for row in found["data"]] == [made.json()["id"]]
    assert api.get(f"/rate-series/{made.json()['id']}").json() == made.json()
    assert rules(api.post("/rate-series", RATE)) == {("validFrom", "database.unique")}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rate": "1000.5"}, ("rate", "range")),
        ({"rate": "0.000001"}, ("rate", "range")),
        ({"rate": "x"}, ("rate", "number")),
        ({"validFrom": "x"}, ("validFrom", "date")),
        ({"source": ""}, ("source", "required")),
        ({"series": None}, ("series", "required")),
    ],
)
def test_what_is_not_a_rate_is_refused(api: Api, change, error):
    answer = api.post("/rate-series", RATE | change)
    assert answer.status_code == 422
    assert rules(answer) == {error}
    assert api.get("/rate-series?series=ECB_MRO").json()["meta"]["total"] == 0


def test_rates_are_written_with_two_decimals_at_least(api: Api):
    for number, (rate, shown) in enumerate([("2", "2.00"), (-0.88, "-0.88"), ("3.3125", "3.3125")], start=1):
        made = api.post("/rate-series", RATE | {"rate": rate, "validFrom": f"2026-0{number}-01"})
        assert made.json()["rate"] == shown


def test_a_schedule_tells_from_when_no_rate_is_known(api: Api):
    [german] = api.get("/interest-schedules?code=DE_B2B").json()["data"]
    assert (german["series"], german["margin"], german["noRateFrom"]) == ("DE_BASE", "9.00", "2026-07-01")
    made = api.post("/interest-schedules", SCHEDULE)
    assert made.status_code == 201, made.content
    assert (made.json()["code"], made.json()["version"], made.json()["noRateFrom"]) == ("HOUSE", 1, None)
    assert api.post("/interest-schedules", SCHEDULE).json()["version"] == 2


def test_a_schedule_needs_a_series_or_a_fixed_rate(api: Api):
    assert rules(api.post("/interest-schedules", SCHEDULE | {"series": "ECB_MRO"})) == {("series", "required")}
    assert rules(api.post("/interest-schedules", SCHEDULE | {"fixedPercent": None})) == {("series", "required")}
    assert rules(api.post("/interest-schedules", SCHEDULE | {"dayCount": "act"})) == {("dayCount", "enum")}


def test_a_cost_rule_is_added_with_its_table(api: Api):
    made = api.post("/cost-rules", RULE)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["code"], row["countries"], row["currencyCode"]) == ("VISIT", ["DE"], "EUR")
    assert row["table"]["steps"] == [{"upTo": "500.00", "amount": "10.00"}, {"upTo": None, "amount": "20.00"}]
    assert row["table"]["factors"] == [{"name": "usual", "factor": "0.90"}]
    assert (row["table"]["least"], row["table"]["bands"], row["table"]["small"]) == ("5.00", [], None)
    assert rules(api.post("/cost-rules", RULE)) == {("validFrom", "database.unique")}
    copy = {name: value for name, value in row.items() if name not in ("id", "createdAt")}
    assert api.post("/cost-rules", copy | {"validFrom": "2027-01-01"}).status_code == 201


def test_a_cost_rule_needs_a_legal_basis_and_a_table(api: Api):
    assert rules(api.post("/cost-rules", RULE | {"section": ""})) == {("section", "required")}
    assert rules(api.post("/cost-rules", RULE | {"table": {}})) == {("table", "range")}
    assert api.get("/cost-rules?code=VISIT").json()["meta"]["total"] == 0


@pytest.mark.parametrize("path", ["/rate-series", "/interest-schedules", "/cost-rules"])
@pytest.mark.usefixtures("remembered_roles")
def test_lists_do_not_query_once_per_row(api: Api, path):
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(path)
    assert answer.json()["meta"]["total"] >= 5
    assert len(queries) <= 5


@pytest.mark.parametrize("model", ["seriesrate", "interestschedule", "costrule"])
def test_pages_warn_of_missing_rates(model):
    client = Client()
    client.force_login(factories.agent("Supervisor"))
    page = client.get(f"/admin/collections/{model}/").content.decode()
    assert "DE_BASE: No rate is known from 2026-07-01 on" in page
    assert "NL_B2C: No rate is known, so" in page
    assert client.get(f"/admin/collections/{model}/add/").status_code == 200


def test_rows_are_added_in_the_back_office():
    client = Client()
    client.force_login(factories.agent("Supervisor"))
    rate = {"series": "ecb_mro", "valid_from": "2026-01-01", "rate": "2.15", "source": "ECB"}
    assert client.post("/admin/collections/seriesrate/add/", rate).status_code == 302
    again = client.post("/admin/collections/seriesrate/add/", rate).content.decode()
    assert "This series has a rate from this day on." in again
    table = {
        "code": "visit", "name": "Visit", "component": "costs", "parties": "any", "countries": "DE", "currency_code": "EUR",
        "valid_from": "2026-01-01", "section": "Contract", "source": "contract", "confidence": "primary",
    }  # fmt: skip
    refused = client.post("/admin/collections/costrule/add/", table | {"table": '{"steps": []}'}).content.decode()
    assert "A table has either steps or bands" in refused
    assert (
        client.post("/admin/collections/costrule/add/", table | {"table": '{"steps": [["", "9"]]}'}).status_code == 302
    )
    schedule = {
        "code": "house", "name": "House", "fixed_percent": "7.5", "margin": "0", "reset": "floating", "day_count": "act/365",
        "compounding": "none", "section": "Contract", "source": "contract", "confidence": "primary",
    }  # fmt: skip
    assert client.post("/admin/collections/interestschedule/add/", schedule).status_code == 302


def test_a_debt_bears_interest_by_a_schedule_from_a_day_on(api: Api):
    path = f"/debts/{factories.debt().pk}/interest"
    nothing = {"schedule": None, "since": None, "version": None, "noRateFrom": None}
    assert api.get(path).json() == nothing
    answer = api.post(path, {"schedule": "de_b2b", "since": "2026-01-01"})
    assert answer.status_code == 200, answer.content
    german = {"schedule": "DE_B2B", "since": "2026-01-01", "version": 1, "noRateFrom": "2026-07-01"}
    assert answer.json() == api.get(path).json() == german
    for body, error in (
        ({"schedule": "none", "since": "2026-01-01"}, ("schedule", "database.exists")),
        ({"schedule": "DE_B2B"}, ("since", "required")),
        ({"schedule": "DE_B2B", "since": "2999-01-01"}, ("since", "range")),
        ({}, ("schedule", "required")),
    ):
        refused = api.post(path, body)
        assert (refused.status_code, rules(refused)) == (422, {error})
        assert api.get(path).json() == german
    assert api.post(path, {"schedule": None}).json() == nothing


def test_a_closed_debt_gets_no_other_interest(api: Api):
    debt = factories.debt()
    api.put(f"/debts/{debt.pk}", {"currentStatus": "written_off"})
    refused = api.post(f"/debts/{debt.pk}/interest", {"schedule": "DE_B2B", "since": "2026-01-01"})
    assert refused.status_code == 409
