"""The sums of open debts stay right while debts change, rows are compacted and others read."""

import functools
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from collection.balances import open_totals
from collection.models import Debt
from payments import posting, reconciliation
from tests import factories
from tests.races.threads import at_once, refusals

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db(transaction=True)


def pay_often(debts: list[Debt]) -> None:
    for _ in range(15):
        for debt in debts:
            posting.record(debt=debt, amount=Decimal(1), by=None, today=TODAY)


def compact_often() -> None:
    for _ in range(40):
        open_totals.compact()


def read_often() -> list[Any]:
    """Return the stored sum and the sum of the debts, read by one statement each time."""
    found = []
    for _ in range(60):
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT sum(balance) FROM open_total), (SELECT sum(current_balance) FROM debt)")
            found.append(cursor.fetchone())
    return found


def race() -> list[Any]:
    debts = [factories.debt(balance="1000") for _ in range(3)]
    pay = [functools.partial(pay_often, order) for order in (debts, debts[::-1], debts[1:])]
    return at_once(*pay, compact_often, compact_often, read_often)


def test_the_open_totals_are_right_at_every_moment():
    results = race()
    assert refusals(results) == []
    assert [pair for pair in results[-1] if pair[0] != pair[1]] == []
    assert list(reconciliation.differences()) == []
    open_totals.compact()
    assert list(reconciliation.differences()) == []


def compact_in_two_steps() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT currency_code, due_date, sum(debts), sum(balance) FROM open_total GROUP BY 1, 2")
        sums = cursor.fetchall()
        time.sleep(0.02)  # So that others add their rows.
        cursor.execute("DELETE FROM open_total")
        cursor.executemany("INSERT INTO open_total VALUES (%s, %s, %s, %s)", sums)


@pytest.mark.deep
def test_a_compaction_that_deletes_more_than_it_summed_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(open_totals, "compact", compact_in_two_steps)
    race()
    assert list(reconciliation.differences()) != []
