"""Charge-backs, refunds and write-offs under threads. Each race has a twin that takes the lock out and finds a wrong sum."""

import functools
import time
import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from collection import charges
from collection.balances import ledger
from collection.charges import Reason
from collection.models import Debt
from payments import posting, reconciliation, returns
from payments.models import Payment
from tests import factories
from tests.races.threads import at_once, refusals

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db(transaction=True)


def without_lock(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    debts = {debt.pk: debt for debt in Debt.objects.filter(pk__in=debt_ids)}
    time.sleep(0.05)  # So that the others read the same.
    return debts


def pay(debt: Debt, amount: int) -> Payment:
    return posting.record(debt=debt, amount=Decimal(amount), by=None, today=TODAY)


def charge_back(payment: Payment) -> Payment:
    return returns.charge_back(payment, by=None, now=NOW, today=TODAY)


def refund(payment: Payment) -> Payment:
    return returns.refund(payment, amount=Decimal(30), by=None, today=TODAY)


def write_off(debt: Debt) -> Debt:
    return charges.write_off(debt, amount=Decimal(30), by=None, today=TODAY, reason=Reason.UNCOLLECTIBLE)


def race_of_refunds() -> tuple[Payment, list[Any]]:
    debt = factories.debt(balance="100")
    payment = pay(debt, 40)
    results = at_once(*[functools.partial(refund, payment)] * 4)
    payment.refresh_from_db()
    return payment, results


def race(act: Any) -> tuple[Debt, list[Any]]:
    """Pay a debt from some threads, and do something else to it from others."""
    debt = factories.debt(balance="1000")
    payments = [pay(debt, 10) for _ in range(3)]
    others = [functools.partial(act, debt, payment) for payment in payments]
    results = at_once(*others, *[functools.partial(pay, debt, 10)] * 4)
    debt.refresh_from_db()
    return debt, results


def of_payment(debt: Debt, payment: Payment) -> Payment:
    return charge_back(payment)


def of_debt(debt: Debt, payment: Payment) -> Debt:
    return write_off(debt)


def test_two_refunds_of_a_payment_never_exceed_it():
    payment, results = race_of_refunds()
    assert [type(refused) for refused in refusals(results)] == [returns.ExceedsPayment] * 3
    assert payment.refunded_amount == 30
    assert list(reconciliation.differences()) == []


@pytest.mark.parametrize(("act", "balance"), [(of_payment, 960), (of_debt, 840)])
def test_payments_beside_a_charge_back_or_a_write_off_keep_the_balance(act: Any, balance: int):
    debt, results = race(act)
    assert refusals(results) == []
    assert debt.current_balance == balance
    assert list(reconciliation.differences()) == []


@pytest.mark.parametrize("act", [of_payment, of_debt])
def test_without_the_lock_they_lose_money(act: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "lock_debts", without_lock)
    race(act)
    assert list(reconciliation.differences()) != []
