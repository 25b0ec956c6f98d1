"""Payments over HTTP: answers, idempotency keys and repeated requests by the contract."""

import functools
from typing import Any

import pytest

from collection.models import Debt
from payments.models import IdempotencyKey, Payment
from tests import factories
from tests.conftest import Api
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db


def body(debt: Debt, **values: Any) -> dict[str, Any]:
    return {"debtId": str(debt.pk), "amount": 500.00, "currencyCode": "GBP", **values}


def test_a_payment_is_answered_with_its_defaults(api: Api):
    debt = factories.debt(balance="5000")
    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 500}).json()
    assert (answer["amount"], answer["currencyCode"], answer["status"], answer["paymentMethod"]) == (
        "500.00", "GBP", "completed", "other",
    )  # fmt: skip
    shown = api.get(f"/payments/{answer['id']}").json()
    assert shown["debt"]["currentBalance"] == "4500.00"


def test_an_amount_above_the_balance_is_422(api: Api):
    answer = api.post("/payments", body(factories.debt(balance="100")))
    assert answer.status_code == 422
    assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("amount", "range")]
    assert not Payment.objects.exists()


def test_an_unknown_debt_is_422(api: Api):
    payment = api.post("/payments", body(factories.debt(balance="5000"))).json()
    gone = str(payment["id"])
    for answer in (
        api.post("/payments", {"debtId": gone, "amount": 1}),
        api.put(f"/payments/{payment['id']}", {"debtId": gone}),
    ):
        assert answer.status_code == 422
        assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("debtId", "database.exists")]
    assert Payment.objects.count() == 1


def test_a_second_payment_of_a_transaction_is_409(api: Api):
    debt = factories.debt(balance="5000")
    assert api.post("/payments", body(debt, processorTxnId="T")).status_code == 201
    answer = api.post("/payments", body(debt, processorTxnId="T"))
    assert answer.status_code == 409
    assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("processorTxnId", "database.unique")]


def test_a_repeated_request_gets_the_first_answer_and_pays_once(api: Api):
    debt = factories.debt(balance="5000")
    first, second = (api.post("/payments", body(debt), **{"Idempotency-Key": "K"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Payment.objects.count() == 1


def test_a_key_belongs_to_one_body_and_one_caller(api: Api, api_as: Any):
    debt = factories.debt(balance="5000")
    api.post("/payments", body(debt), **{"Idempotency-Key": "K"})
    assert api.post("/payments", body(debt, amount=1), **{"Idempotency-Key": "K"}).status_code == 422
    other = api_as(factories.agent("Agent"))
    assert other.post("/payments", body(debt, amount=1), **{"Idempotency-Key": "K"}).status_code == 201
    assert Payment.objects.count() == 2


def test_a_refusal_frees_the_key(api: Api):
    debt = factories.debt(balance="100")
    assert api.post("/payments", body(debt), **{"Idempotency-Key": "K"}).status_code == 422
    assert not IdempotencyKey.objects.exists()
    assert api.post("/payments", body(debt, amount=50), **{"Idempotency-Key": "K"}).status_code == 201


def test_a_key_is_free_again_after_a_day(api: Api):
    debt = factories.debt(balance="5000")
    api.post("/payments", body(debt), **{"Idempotency-Key": "K"})
    IdempotencyKey.objects.update(created_at="2020-01-01T00:00:00Z")
    assert api.post("/payments", body(debt, amount=1), **{"Idempotency-Key": "K"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_repeated_requests_at_once_pay_once(api: Api):
    debt = factories.debt(balance="5000")
    send = functools.partial(api.post, "/payments", body(debt), **{"Idempotency-Key": "K"})
    statuses = sorted(answer.status_code for answer in at_once(*[send] * 6))
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert Payment.objects.count() == 1


def test_a_deleted_payment_is_gone_and_its_debt_restored(api: Api):
    debt = factories.debt(balance="500")
    key = api.post("/payments", body(debt)).json()["id"]
    assert api.get(f"/debts/{debt.pk}").json()["currentStatus"] == "paid"
    assert api.delete(f"/payments/{key}").status_code == 204
    assert api.get(f"/payments/{key}").status_code == 404
    shown = api.get(f"/debts/{debt.pk}").json()
    assert (shown["currentStatus"], shown["currentBalance"]) == ("active", "500.00")
    kinds = [entry["kind"] for entry in api.get(f"/debts/{debt.pk}/ledger").json()["data"]]
    assert kinds == ["placement", "payment", "reversal"]


def test_a_change_of_money_by_a_stale_read_is_refused(api: Api):
    debt = factories.debt(balance="5000")
    read = api.post("/payments", body(debt)).json()
    api.put(f"/payments/{read['id']}", {"paymentMethod": "cash"})
    answer = api.put(f"/payments/{read['id']}", {**read, "amount": 1})
    assert answer.status_code == 409
    assert api.get(f"/payments/{read['id']}").json()["amount"] == "500.00"
