"""Debtors choose and change arrangements over the API, without seeing limits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from arrangements.models import Arrangement, ArrangementPolicy
from collection.models import Debt
from debtors import calendars
from portal import tokens
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def debt() -> Debt:
    return factories.debt(balance=100)


@pytest.fixture
def me(debt: Debt) -> Api:
    return Api(tokens.issue(debt.debtor, now=now())[0])


def body(debt: Debt, **schedule: Any) -> dict[str, Any]:
    first = calendars.today(debt.debtor, at=now()) + timedelta(days=10)
    return {"kind": "plan", "debtIds": [str(debt.pk)], "schedule": {"startDate": first.isoformat()} | schedule}


def test_choices_are_those_that_need_nobody(me: Api, debt: Debt) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, creditor=debt.creditor, min_instalment=30)
    options = me.get("/debtors/me/arrangement-options").json()["options"]
    assert [(row["kind"], len(row["instalments"])) for row in options] == [("promise", 1), ("plan", 2), ("plan", 3)]
    assert options[0]["debtIds"] == [str(debt.pk)]
    assert "needs" not in options[0]


def test_agreeing_within_the_rules_is_active_at_once(me: Api, debt: Debt) -> None:
    answer = me.post("/debtors/me/arrangements", body(debt, count=3))
    assert (answer.status_code, answer.json()["status"]) == (201, "active")
    mine = me.get("/debtors/me/arrangements").json()["arrangements"]
    assert [row["amount"] for row in mine[0]["instalments"]] == ["33.33", "33.33", "33.34"]


def test_what_is_beyond_the_rules_waits_for_an_agent(me: Api, debt: Debt) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, min_instalment=30)
    assert me.post("/debtors/me/arrangements", body(debt, count=10)).json()["status"] == "pending_approval"
    debt.refresh_from_db()
    assert debt.current_status == "active"


def test_another_debtors_debt_is_refused(me: Api) -> None:
    answer = me.post("/debtors/me/arrangements", body(factories.debt(), count=3))
    assert answer.status_code == 422
    assert not Arrangement.objects.exists()


def test_an_instalment_is_delayed_within_the_policy(me: Api, debt: Debt) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, delay_days=7)
    plan = me.post("/debtors/me/arrangements", body(debt, count=3, businessDays="as_is")).json()
    first = calendars.today(debt.debtor, at=now()) + timedelta(days=10)
    change = f"/debtors/me/arrangements/{plan['id']}/changes"
    later = {"instalmentNo": 1, "dueOn": (first + timedelta(days=7)).isoformat()}
    assert me.post(change, later | {"dryRun": True}).json()["instalments"][0]["agreedOn"] == later["dueOn"]
    assert me.post(change, {"instalmentNo": 1, "dueOn": (first + timedelta(days=8)).isoformat()}).status_code == 422
    assert me.post(change, later).status_code == 200
    assert me.get("/debtors/me/arrangements").json()["arrangements"][0]["instalments"][0]["agreedOn"] == later["dueOn"]


def test_another_debtors_arrangement_is_not_found(me: Api, debt: Debt, make_me: Callable[[Debt], Api]) -> None:
    other = make_me(factories.debt())
    plan = me.post("/debtors/me/arrangements", body(debt, count=3)).json()
    change = {"instalmentNo": 1, "dueOn": "2030-01-01"}
    assert other.post(f"/debtors/me/arrangements/{plan['id']}/changes", change).status_code == 404
    assert other.get("/debtors/me/arrangements").json()["arrangements"] == []


@pytest.fixture
def make_me() -> Callable[[Debt], Api]:
    return lambda debt: Api(tokens.issue(debt.debtor, now=now())[0])


def test_staff_see_it_at_the_debt(api: Api, me: Api, debt: Debt) -> None:
    assert api.get(f"/debts/{debt.pk}").json()["arrangement"] is None
    me.post("/debtors/me/arrangements", body(debt, count=4))
    shown = api.get(f"/debts/{debt.pk}").json()["arrangement"]
    assert (shown["kind"], shown["status"], shown["nextAmount"], shown["missed"]) == ("plan", "active", "25.00", 0)
