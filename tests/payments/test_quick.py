"""A payment that is recorded quickly is recorded as the ordinary view does it, or left to it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from agents import tokens
from agents.models import Agent
from collection.models import Debt, LedgerEntry
from ddc.common.api import quick as quick_answers
from payments.models import Payment
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

#: Bodies, which name a debt of 500.00 GBP beside.
RECORDED: tuple[dict[str, Any], ...] = (
    {"amount": 1}, {"amount": "500.00"}, {"amount": 0.1, "currencyCode": "gbp", "paymentMethod": "card"},
    {"amount": 12.5, "status": "completed", "processorTxnId": "é-1", "paymentDate": "2026-01-31"},
    {"amount": 1, "status": "", "paymentMethod": None, "currencyCode": None, "paymentDate": None, "id": "x"},
)  # fmt: skip
#: Recorded or refused by the ordinary view.
LEFT: tuple[dict[str, Any], ...] = (
    {"amount": 1, "status": "pending"}, {"amount": 1, "note": "unknown"}, {"amount": 501}, {"amount": 0.001}, {},
    {"amount": 1, "currencyCode": "EUR"}, {"amount": 1, "processorTxnId": "taken"}, {"amount": True}, {"amount": -1},
)  # fmt: skip


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch, api: Api) -> Callable[[Any], Any]:
    """Post as if there were no quick way."""

    def post(body: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr("payments.quick.ask", lambda *_, **__: None)
            return api.post("/payments", body)

    return post


def told(answer: Any) -> tuple[Any, ...]:
    """Return what two answers to the same question have in common."""
    body = {
        name: value for name, value in answer.json().items() if name not in ("id", "debtId", "createdAt", "updatedAt")
    }
    return answer.status_code, body, {**answer.headers} | {"X-Request-ID": "", "Content-Length": ""}


def kept(debt: Debt) -> tuple[Any, ...]:
    """Return what is written of the payment of a debt."""
    debt.refresh_from_db()
    entry = (
        LedgerEntry.objects.filter(debt_id=debt.pk, kind="payment").values("amount", "value_date", "by", "cause").get()
    )
    entry["cause"].pop("paymentId")
    payment = Payment.objects.values("amount", "status", "payment_method", "payment_date", "recorded_by").get(debt=debt)
    return debt.current_balance, debt.current_status, debt.status_before_closing, entry, payment


@pytest.mark.usefixtures("remembered_roles")
@pytest.mark.parametrize("terms", RECORDED)
def test_a_payment_recorded_quickly_is_as_the_view_records_it(terms: dict[str, Any], api: Api, ordinary: Any):
    first, second = factories.debt(balance="500"), factories.debt(balance="500")
    api.get("/payments")  # The role's permissions are known from here on.
    with CaptureQueriesContext(connection) as queries:
        fast = api.post("/payments", {"debtId": str(first.pk), **terms})
    assert (fast.status_code, len(queries)) == (201, 2)
    written = kept(first)
    Payment.objects.update(processor_txn_id=None)
    slow = ordinary({"debtId": str(second.pk), **terms})
    assert told(fast) == told(slow)
    assert written[:3] == kept(second)[:3]
    assert written == kept(second)


@pytest.mark.parametrize("terms", LEFT)
def test_what_is_not_sure_is_left_to_the_view(terms: dict[str, Any], api: Api, ordinary: Any):
    taken, first, second = (factories.debt(balance="500") for _ in range(3))
    assert api.post("/payments", {"debtId": str(taken.pk), "amount": 1, "processorTxnId": "taken"}).status_code == 201
    fast = api.post("/payments", {"debtId": str(first.pk), **terms})
    assert told(fast) == told(ordinary({"debtId": str(second.pk), **terms}))
    assert Payment.objects.filter(debt=first).count() == Payment.objects.filter(debt=second).count()


@pytest.mark.parametrize("body", [None, [], "x", 7, {"debtId": "x"}])
def test_what_is_no_payment_is_left_to_the_view(body: Any, api: Api, ordinary: Any):
    assert told(api.post("/payments", body)) == told(ordinary(body))
    assert not Payment.objects.exists()


def test_a_query_is_left_to_the_view(api: Api):
    body = {"debtId": str(factories.debt(balance="500").pk), "amount": 1}
    assert api.post("/payments?note=%00", body).status_code == 422
    assert not Payment.objects.exists()
    assert api.post("/payments?note=x", body).status_code == 201


def test_a_debt_that_was_written_since_it_was_read_is_locked(api: Api, monkeypatch: pytest.MonkeyPatch):
    debt = factories.debt(balance="500")
    asked = quick_answers.ask

    def ask(*args: Any, **kwargs: Any) -> Any:
        row = asked(*args, **kwargs)
        Debt.objects.filter(pk=debt.pk).update(current_balance=20)
        return row

    monkeypatch.setattr("payments.quick.ask", ask)
    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 30})
    assert answer.status_code == 422
    assert not Payment.objects.exists()
    assert api.post("/payments", {"debtId": str(debt.pk), "amount": 15}).status_code == 201
    debt.refresh_from_db()
    assert debt.current_balance == 5


def test_nobody_records_a_payment_who_may_not(api: Api, supervisor: Agent):
    debt = factories.debt(balance="500")
    body = {"debtId": str(debt.pk), "amount": 1}
    token, text = tokens.create_api_token(supervisor, now=now())
    assert Api(text).post("/payments", body).status_code == 201
    tokens.revoke_api_token(token, now=now())
    assert Api(text).post("/payments", body).status_code == 401
    for role in ("Auditor", None):
        _, text = tokens.create_api_token(factories.agent(role), now=now())
        assert Api(text).post("/payments", body).status_code == 403
    assert Api().post("/payments", body).status_code == Api("ddc_wrong").post("/payments", body).status_code == 401
    assert Payment.objects.count() == 1
    debt.refresh_from_db()
    assert debt.current_balance == Decimal(499)
