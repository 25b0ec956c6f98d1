"""The id of a processor's transaction, which guards against recording a payment twice."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from collection.models import LedgerEntry
from payments import posting
from payments.models import Payment
from payments.reconciliation import differences
from tests import factories
from tests.conftest import Api

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


def record(**fields: Any) -> Payment:
    debt = fields.pop("debt", None) or factories.debt(balance="100")
    values = {"amount": Decimal(100), "processor_txn_id": "TXN-1"} | fields
    return posting.record(debt=debt, by=None, today=TODAY, **values)


@pytest.mark.parametrize("other", [None, "", "TXN-2"])
def test_an_agent_can_not_change_the_transaction_of_a_completed_payment(api_as: Any, other: str | None):
    payment = record(amount=Decimal(40))
    agent = api_as(factories.agent("Agent"))
    assert agent.put(f"/payments/{payment.pk}", {"processorTxnId": other}).status_code == 403
    payment.refresh_from_db()
    assert payment.processor_txn_id == "TXN-1"
    again = {"debtId": str(payment.debt_id), "amount": 40, "processorTxnId": "TXN-1"}
    assert agent.post("/payments", again).status_code == 409
    assert agent.put(f"/payments/{payment.pk}", {"processorTxnId": "TXN-1", "paymentMethod": "card"}).status_code == 200
    assert LedgerEntry.objects.count() == 2


def test_a_supervisor_corrects_it_and_the_ledger_keeps_both(api: Api):
    payment = record()
    assert api.put(f"/payments/{payment.pk}", {"processorTxnId": "TXN-2"}).status_code == 200
    kinds = LedgerEntry.objects.filter(payment_id=payment.pk).values_list("kind", "amount", "cause__processorTxnId")
    assert list(kinds) == [("payment", -100, "TXN-1"), ("reversal", 100, "TXN-2"), ("payment", -100, "TXN-2")]
    payment.debt.refresh_from_db()
    assert (payment.debt.current_status, payment.debt.current_balance) == ("paid", 0)
    assert list(differences()) == []


def test_a_pending_payment_gets_its_transaction_from_an_agent(api_as: Any):
    payment = record(status="pending", processor_txn_id=None)
    agent = api_as(factories.agent("Agent"))
    assert agent.put(f"/payments/{payment.pk}", {"processorTxnId": "TXN-3"}).status_code == 200
    body = {"processorTxnId": "TXN-4", "status": "completed"}
    assert agent.put(f"/payments/{payment.pk}", body).status_code == 200
    assert list(differences()) == []
