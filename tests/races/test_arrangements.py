"""Two decisions on an arrangement at once, and a process that dies while a settlement is kept."""

import time
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from agents.models import Agent
from arrangements import decisions, effects, progress, settlements
from arrangements.models import Arrangement, ArrangementDebt, ArrangementPolicy, Kind
from collection.models import Debt, LedgerEntry
from tests import factories
from tests.arrangements.conftest import START, agree, follow, noon, offer, pay  # noqa: F401
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_offers(offer: Any) -> list[Arrangement]:  # noqa: F811
    debt = factories.debt()
    return [offer(debt, number=3), offer(debt, number=6)]


def accept_both(offers: list[Arrangement]) -> list[Any]:
    agent = factories.agent("Agent")
    return at_once(*(lambda each=each: decisions.accept(each, by=agent, now=noon(START)) for each in offers))


def test_of_two_acceptances_at_once_the_later_supersedes(two_offers: list[Arrangement]) -> None:
    assert refusals(accept_both(two_offers)) == []
    statuses = set(Arrangement.objects.values_list("status", flat=True))
    assert statuses == {"active", "superseded"}
    assert ArrangementDebt.objects.filter(is_active=True).count() == 1


def test_without_the_lock_the_constraint_refuses_one(
    two_offers: list[Arrangement], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(arrangement: Arrangement) -> dict[Any, Debt]:
        return {debt.pk: debt for debt in Debt.objects.filter(arrangement_parts__arrangement=arrangement)}

    activate = effects.activate

    def later(*args: Any, **kwargs: Any) -> None:
        time.sleep(0.5)  # Until the other one has looked for active arrangements, too.
        activate(*args, **kwargs)

    monkeypatch.setattr(decisions, "lock_debts", unlocked)
    monkeypatch.setattr(effects, "activate", later)
    (refused,) = refusals(accept_both(two_offers))
    assert isinstance(refused, effects.DebtHasArrangement)
    assert ArrangementDebt.objects.filter(is_active=True).count() == 1


def test_two_approvers_at_once_decide_once(offer: Any, supervisor: Agent) -> None:  # noqa: F811
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, max_months=1)
    waiting = offer(factories.debt(), number=6)
    others = [factories.agent("Supervisor") for _ in range(2)]
    results = at_once(*(lambda by=by: decisions.approve(waiting, by=by, now=noon(START)) for by in others))
    (refused,) = refusals(results)
    assert isinstance(refused, decisions.WrongStatus)
    assert waiting.events.filter(kind="approved").count() == 1


def paid_settlement(agree: Any) -> tuple[Arrangement, Debt]:  # noqa: F811
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, min_settlement_percent=D(50))
    debt = factories.debt(balance=100)
    arrangement = agree(debt, kind=Kind.SETTLEMENT, percent=D(40))
    return arrangement, debt


def test_a_connection_that_dies_before_the_discount_leaves_nothing_half(
    agree: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrangement, debt = paid_settlement(agree)
    pay(debt, "60.00", START)
    complete = settlements.complete

    def die(*_: Any, **__: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(settlements, "complete", die)
    (died,) = refusals(at_once(lambda: progress.follow([arrangement.pk], now=noon(START))))
    assert died is not None
    debt.refresh_from_db()
    arrangement.refresh_from_db()
    assert (arrangement.status, debt.current_status, debt.current_balance) == ("active", "payment_plan", D(40))
    monkeypatch.setattr(settlements, "complete", complete)
    assert progress.follow_days(now=noon(START)) == 1
    debt.refresh_from_db()
    assert (debt.current_status, debt.current_balance) == ("settled", 0)


def test_a_settlement_is_completed_once_by_two_ticks_at_once(agree: Any) -> None:  # noqa: F811
    arrangement, debt = paid_settlement(agree)
    pay(debt, "60.00", START)
    results = at_once(*[lambda: progress.follow([arrangement.pk], now=noon(START))] * 4)
    assert sorted(results) == [0, 0, 0, 1] or sorted(results) == [
        0,
        0,
        0,
        0,
    ]  # The payment's own COMMIT may have done it.
    assert LedgerEntry.objects.filter(debt=debt, kind="write_off").count() == 1
    assert follow(arrangement, date(2027, 1, 5)).status == "kept"
