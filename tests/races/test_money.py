"""Money under threads. Each race has a twin that takes the lock out and has to find a wrong sum."""

import functools
import time
import uuid
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from agents import api_tokens
from collection.balances import ledger
from collection.models import Debt
from payments import locks, posting, reconciliation
from payments.models import Payment
from tests import factories
from tests.conftest import Api
from tests.races.threads import at_once, refusals

TODAY = date(2026, 2, 1)
THREADS = 8

pytestmark = pytest.mark.django_db(transaction=True)


def pay(debt: Debt, amount: int) -> Payment:
    return posting.record(debt=debt, amount=Decimal(amount), by=None, today=TODAY)


def without_lock(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    debts = {debt.pk: debt for debt in Debt.objects.filter(pk__in=debt_ids)}
    time.sleep(0.05)  # So that the others read the same.
    return debts


def race_of_payments() -> tuple[Debt, list[Any]]:
    """Pay one debt from several threads at once."""
    debt = factories.debt(balance="100")
    results = at_once(*[functools.partial(pay, debt, 30)] * THREADS)
    debt.refresh_from_db()
    return debt, results


def test_payments_at_once_never_exceed_the_balance():
    debt, results = race_of_payments()
    assert [type(refused) for refused in refusals(results)] == [ledger.ExceedsBalance] * (THREADS - 3)
    assert debt.current_balance == 10
    assert list(reconciliation.differences()) == []


@pytest.mark.deep
def test_without_the_lock_payments_at_once_lose_money(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "lock_debts", without_lock)
    race_of_payments()
    assert list(reconciliation.differences()) != []


def test_payments_over_the_api_at_once_never_exceed_the_balance():
    debt = factories.debt(balance="100")
    _, token = api_tokens.create(factories.agent(), now=now())
    body = {"debtId": str(debt.pk), "amount": 30}
    answers = at_once(*[lambda: Api(token).post("/payments", body).status_code] * THREADS)
    assert sorted(answers) == [201] * 3 + [422] * (THREADS - 3)
    debt.refresh_from_db()
    assert debt.current_balance == 10
    assert list(reconciliation.differences()) == []


def test_a_repeated_transaction_over_the_api_is_recorded_once():
    debt = factories.debt(balance="100")
    _, token = api_tokens.create(factories.agent(), now=now())
    body = {"debtId": str(debt.pk), "amount": 10, "processorTxnId": "TXN-1"}
    answers = at_once(*[lambda: Api(token).post("/payments", body).status_code] * THREADS)
    assert sorted(answers) == [201] + [409] * (THREADS - 1)
    debt.refresh_from_db()
    assert debt.current_balance == 90


def race_of_moves() -> list[Any]:
    """Move four payments to and fro between two debts, from both sides at once."""
    first, second = factories.debt(balance="1000"), factories.debt(balance="1000")
    payments = [pay(debt, 10) for debt in (first, second, first, second)]

    def move(payment: Payment, target: Debt) -> None:
        posting.amend(payment, by=None, today=TODAY, debt=target)

    moves = [functools.partial(move, payment, target) for payment in payments for target in (first, second)]
    return at_once(*moves)


def test_payments_that_move_at_once_keep_both_debts_right():
    for _ in range(5):
        assert refusals(race_of_moves()) == []
    assert list(reconciliation.differences()) == []


@pytest.mark.deep
def test_without_the_lock_payments_that_move_at_once_lose_money(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "lock_debts", without_lock)
    for _ in range(5):
        race_of_moves()
    assert list(reconciliation.differences()) != []


def test_a_payment_that_is_voided_twice_at_once_is_restored_once():
    debt = factories.debt(balance="100")
    payment = pay(debt, 40)
    results = at_once(*[lambda: posting.void(payment, by=None, today=TODAY)] * 4)
    assert [type(refused) for refused in refusals(results)] == [locks.PaymentNotFound] * 3
    debt.refresh_from_db()
    assert debt.current_balance == 100
    assert list(reconciliation.differences()) == []


def test_the_same_transaction_at_once_is_recorded_once():
    debt = factories.debt(balance="100")
    record = functools.partial(
        posting.record, debt=debt, amount=Decimal(10), processor_txn_id="TXN-1", by=None, today=TODAY
    )
    results = at_once(*[record] * 4)
    assert [type(refused) for refused in refusals(results)] == [posting.DuplicateTransaction] * 3
    debt.refresh_from_db()
    assert debt.current_balance == 90
