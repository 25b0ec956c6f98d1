"""Ending deferrals by time while others pay, move payments and end deferrals by hand: debts first, in the order of their ids."""

import time
import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, transaction

from collection import deferrals
from collection.balances import ledger
from collection.holds import expiry
from collection.models import Debt, DeferralRequest, Hold
from payments import posting, reconciliation
from tests import factories
from tests.races.threads import at_once, refusals

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=9)

pytestmark = pytest.mark.django_db(transaction=True)


def deferred() -> DeferralRequest:
    debt = factories.debt(balance="100")
    asked = deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=NOW)
    return deferrals.approve(asked, by=factories.agent(), notes=None, now=NOW)


def race_of_ends() -> list[Any]:
    """End a deferral by hand, and by time while the agent's transaction has locked the debt."""
    asked, agent = deferred(), factories.agent()

    def by_hand() -> None:
        with transaction.atomic():
            ledger.lock_debt(asked.debt_id)
            time.sleep(0.6)
            deferrals.end(asked, by=agent, why="Paid by friends.", now=LATER)

    def by_time() -> int:
        time.sleep(0.2)
        return expiry.expire(now=LATER)

    return at_once(by_hand, by_time)


def test_a_deferral_ended_by_hand_and_by_time_at_once_ends_once():
    assert race_of_ends() == [None, 0]
    assert Hold.objects.get().events.filter(kind__in=["ended", "expired"]).count() == 1
    assert Debt.objects.get().current_status == "active"


@pytest.mark.deep
def test_with_the_hold_locked_before_its_debt_the_two_block_each_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expiry, "ledger", SimpleNamespace(lock_existing=lambda ids: ids))
    assert [type(refused) for refused in refusals(race_of_ends())] == [OperationalError]


def race_with_a_move() -> list[Any]:
    """End two deferrals by time, while a payment moves from one of the debts to the other."""
    first, second = sorted(deferred().debt_id for _ in range(2))
    payment = posting.record(debt=Debt.objects.get(pk=first), amount=Decimal(10), by=None, today=NOW.date())

    def move() -> None:
        with transaction.atomic():
            ledger.lock_debt(first)
            time.sleep(0.4)
            posting.amend(payment, by=None, today=NOW.date(), debt=Debt.objects.get(pk=second))

    return at_once(move, lambda: expiry.expire(now=LATER))


def test_deferrals_end_while_a_payment_moves_between_their_debts():
    assert race_with_a_move() == [None, 2]
    assert set(Debt.objects.values_list("current_status", flat=True)) == {"active"}
    assert list(reconciliation.differences()) == []


@pytest.mark.deep
def test_with_the_debts_locked_in_another_order_the_two_block_each_other(monkeypatch: pytest.MonkeyPatch):
    def backwards(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
        time.sleep(0.2)
        return {pk: ledger.lock_debt(pk) for pk in sorted(ids, reverse=True)}

    monkeypatch.setattr(expiry, "ledger", SimpleNamespace(lock_existing=backwards))
    assert OperationalError in [type(refused) for refused in refusals(race_with_a_move())]
