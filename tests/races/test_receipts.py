"""Receipts and credits under threads. Each race has a twin that takes the lock out and has to find a wrong sum."""

import functools
import time
from collections.abc import Collection
from decimal import Decimal
from typing import Any

import pytest

from payments import credits, funding, receipts, reconciliation
from payments.models import Credit, CreditEntry, Receipt
from payments.receipts import Line
from tests import factories
from tests.payments.receipts.makers import NOW, TODAY, receipt
from tests.races.threads import at_once, refusals

THREADS = 6
pytestmark = pytest.mark.django_db(transaction=True)


def race_of_bookings() -> list[Any]:
    """Book one receipt of 100 to several debts at once, 30 each."""
    came = receipt(100)
    debts = [factories.debt(balance="500") for _ in range(THREADS)]
    book = functools.partial(receipts.book, came, by=None, today=TODAY, now=NOW)
    return at_once(*[functools.partial(book, [Line(debt, Decimal(30))]) for debt in debts])


def test_bookings_at_once_never_exceed_the_receipt():
    assert [type(one) for one in refusals(race_of_bookings())] == [funding.ExceedsReceipt] * (THREADS - 3)
    assert list(reconciliation.differences()) == []


def unlocked_receipts(ids: Collection[Any]) -> dict[Any, Receipt]:
    return {one.pk: one for one in Receipt.objects.filter(pk__in=ids)}


@pytest.mark.deep
def test_without_the_lock_bookings_at_once_exceed_the_receipt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(funding, "lock_receipts", unlocked_receipts)
    rest = funding.rest

    def slow_rest(of: Receipt) -> Decimal:
        left = rest(of)
        time.sleep(0.3)  # So that the others read the same.
        return left

    monkeypatch.setattr(funding, "rest", slow_rest)
    race_of_bookings()
    assert list(reconciliation.differences()) != []


def race_of_uses() -> Credit:
    """Apply and refund one credit of 100 from several threads, 30 each."""
    debt = factories.debt(balance="1", external_reference="INV-100001")
    receipt(101, "INV-100001")
    credit, agent = Credit.objects.get(), factories.agent("Agent")
    debts = [factories.debt(debtor=debt.debtor, balance="500") for _ in range(THREADS // 2)]
    apply = functools.partial(credits.apply, credit, amount=Decimal(30), by=None, today=TODAY, now=NOW)
    refund = functools.partial(credits.propose_refund, credit, amount=Decimal(30), reason="x", by=agent, now=NOW)
    at_once(*[functools.partial(apply, debt=one) for one in debts], *[refund] * (THREADS // 2))
    return credit


def test_uses_of_a_credit_at_once_never_exceed_it():
    assert funding.balance(race_of_uses()) == 10
    assert list(reconciliation.differences()) == []


@pytest.mark.deep
def test_without_the_lock_uses_of_a_credit_exceed_it(monkeypatch: pytest.MonkeyPatch):
    balance = funding.balance

    def slow_balance(of: Credit) -> Decimal:
        has = balance(of)
        time.sleep(0.3)
        return has

    monkeypatch.setattr(funding, "balance", slow_balance)
    monkeypatch.setattr(funding, "lock_credit", lambda pk: Credit.objects.get(pk=pk))
    assert balance(race_of_uses()) < 0
    assert list(reconciliation.differences()) != []


def test_the_same_receipt_at_once_is_recorded_once():
    debt = factories.debt(balance="500", external_reference="INV-100001")
    record = functools.partial(receipt, 10, "INV-100001", provider_id="1")
    found = refusals(at_once(*[record] * THREADS))
    assert [type(one) for one in found] == [receipts.AlreadyRecorded] * (THREADS - 1)
    debt.refresh_from_db()
    assert debt.current_balance == 490
    assert list(reconciliation.differences()) == []


def test_two_agents_with_the_same_receipt_book_it_once_and_the_second_learns_who_did():
    came, debt = receipt(100), factories.debt(balance="500")
    agents = [factories.agent("Agent") for _ in range(2)]
    calls = [functools.partial(receipts.book_to, came, debt, by=one, today=TODAY, now=NOW) for one in agents]
    (refused,) = refusals(at_once(*calls))
    assert isinstance(refused, receipts.NothingLeft)
    assert "Ann No" in refused.message
    assert list(reconciliation.differences()) == []


def test_an_undo_and_bookings_at_once_keep_every_sum():
    for _ in range(3):
        came, debts = receipt(90), [factories.debt(balance="500") for _ in range(3)]
        (made,) = receipts.book(came, [Line(debts[0], Decimal(60))], by=None, today=TODAY, now=NOW)
        book = functools.partial(receipts.book, came, by=None, today=TODAY, now=NOW)
        undo = functools.partial(receipts.undo, made, by=None, today=TODAY, now=NOW)
        results = at_once(undo, undo, *[functools.partial(book, [Line(debt, Decimal(30))]) for debt in debts])
        kinds = {type(one) for one in refusals(results)}
        assert kinds <= {receipts.AlreadyReversed, receipts.NothingLeft, funding.ExceedsReceipt}
        assert list(reconciliation.differences()) == []


def test_first_credits_of_a_person_at_once_share_one_account():
    debt = factories.debt(balance="1", external_reference="INV-100001")
    receipt(1, "INV-100001")
    results = at_once(*[functools.partial(receipt, 10, "INV-100001")] * THREADS)
    assert refusals(results) == []
    assert funding.balance(Credit.objects.get(debtor=debt.debtor)) == 60
    assert CreditEntry.objects.count() == THREADS
    assert list(reconciliation.differences()) == []


def test_a_refund_decided_by_two_at_once_is_decided_once():
    agent, deciders = factories.agent("Agent"), [factories.agent() for _ in range(2)]
    refund = credits.propose_refund_of_receipt(receipt(10), amount=Decimal(10), reason="x", by=agent, now=NOW)
    found = refusals(
        at_once(
            functools.partial(credits.approve, refund, by=deciders[0], now=NOW),
            functools.partial(credits.reject, refund, by=deciders[1], now=NOW, note="No"),
        )
    )
    assert [type(one) for one in found] == [credits.AlreadyDecided]
    assert list(reconciliation.differences()) == []
