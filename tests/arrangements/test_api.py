"""Arrangements and their policies over HTTP."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from arrangements.models import Arrangement, ArrangementPolicy
from collection.models import Debt
from debtors import calendars
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def body(*debts: Debt, **fields: Any) -> dict[str, Any]:
    today = calendars.today(debts[0].debtor, at=now())
    schedule = {"startDate": (today + timedelta(days=10)).isoformat(), "count": 3, "businessDays": "as_is"}
    return {
        "kind": "plan",
        "debtorId": str(debts[0].debtor_id),
        "debtIds": [str(debt.pk) for debt in debts],
        "schedule": schedule | fields.pop("schedule", {}),
    } | fields


def test_a_plan_from_proposal_to_the_changed_schedule(api: Api) -> None:
    debt = factories.debt(balance=100)
    answer = api.post("/arrangements", body(debt, note="By phone"))
    assert answer.status_code == 201, answer.json()
    plan = answer.json()
    assert (plan["status"], plan["total"], plan["note"]) == ("offered", "100.00", "By phone")
    assert [row["amount"] for row in plan["instalments"]] == ["33.33", "33.33", "33.34"]
    assert plan["debts"] == [{"debtId": str(debt.pk), "share": "100.00"}]
    accepted = api.put(f"/arrangements/{plan['id']}/accept").json()
    assert accepted["status"] == "active"
    assert api.get(f"/debts/{debt.pk}").json()["currentStatus"] == "payment_plan"
    change = {"instalmentNo": 1, "change": "amount", "amount": 20, "dryRun": True}
    shown = api.post(f"/arrangements/{plan['id']}/changes", change).json()["instalments"]
    assert [row["amount"] for row in shown] == ["20.00", "33.33", "46.67"]
    assert api.get(f"/arrangements/{plan['id']}").json()["instalments"][0]["amount"] == "33.33"
    api.post("/payments", {"debtId": str(debt.pk), "amount": 40})
    paid = [row["paid"] for row in api.get(f"/arrangements/{plan['id']}").json()["instalments"]]
    assert paid == ["33.33", "6.67", "0.00"]


def test_a_settlement_in_percent(api: Api) -> None:
    debt = factories.debt(balance="1234.56")
    discount = {"type": "percent", "value": 40}
    answer = api.post("/arrangements", body(debt, kind="settlement", discount=discount, schedule={"count": 2})).json()
    assert (answer["total"], answer["discount"], answer["status"]) == ("740.74", "493.82", "pending_approval")
    assert answer["needs"] == [
        {"kind": "consent", "text": "Creditor's rule: A settlement is at least 100 % of the balance."}
    ]


def test_the_same_key_makes_one_arrangement(api: Api) -> None:
    debt = factories.debt()
    first, second = (api.post("/arrangements", body(debt), **{"Idempotency-Key": "k1"}).json() for _ in range(2))
    assert first == second
    assert Arrangement.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"debtIds": []}, "debtIds"),
        ({"debtIds": [str(uuid.uuid4())]}, "debtIds"),
        ({"total": "0.001"}, "total"),
        ({"schedule": {"startDate": "2020-01-01"}}, "schedule"),
        ({"schedule": {"amount": "5", "count": 2}}, "schedule"),
        ({"discount": {"type": "percent", "value": "5"}}, "discount"),
        ({"totall": 5}, "totall"),
    ],
)
def test_bad_bodies_name_the_field(api: Api, change: dict[str, Any], field: str) -> None:
    answer = api.post("/arrangements", body(factories.debt(), **change))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] == field


def test_options_say_what_each_needs(api: Api) -> None:
    debt = factories.debt(balance=100)
    ArrangementPolicy.objects.create(
        currency_code="GBP", version=1, creditor=debt.creditor, min_instalment=20, min_settlement_percent=70
    )
    answer = api.post(f"/debtors/{debt.debtor_id}/arrangement-options", {"debtIds": [str(debt.pk)]}).json()
    found = {(row["kind"], len(row["instalments"])): row for row in answer["options"]}
    assert found["promise", 1]["needs"] == []
    assert found["plan", 3]["needs"] == []
    assert found["plan", 6]["needs"][0]["text"] == "Creditor's rule: An instalment is at least 20.00 GBP."
    assert found["settlement", 1]["total"] == "70.00"
    assert not Arrangement.objects.exists()


def test_another_persons_debt_has_no_options(api: Api) -> None:
    answer = api.post(f"/debtors/{factories.debtor().pk}/arrangement-options", {"debtIds": [str(factories.debt().pk)]})
    assert answer.status_code == 422


def test_a_policy_is_replaced_by_a_new_version(api: Api) -> None:
    first = api.post("/arrangement-policies", {"currencyCode": "gbp", "graceDays": 5}).json()
    second = api.put(f"/arrangement-policies/{first['id']}", {"maxMonths": 12}).json()
    assert (second["version"], second["graceDays"], second["maxMonths"]) == (2, 5, 12)
    assert [row["id"] for row in api.get("/arrangement-policies").json()["data"]] == [second["id"]]
    assert ArrangementPolicy.objects.get(pk=first["id"]).replaced_at


def test_lists_filter_by_status_and_debt(api: Api) -> None:
    debt, other = factories.debt(), factories.debt()
    for one in (debt, other):
        api.post("/arrangements", body(one))
    assert api.get("/arrangements?status=offered").json()["meta"]["total"] == 2
    found = api.get(f"/arrangements?debt_id={debt.pk}").json()["data"]
    assert [row["debtorId"] for row in found] == [str(debt.debtor_id)]
