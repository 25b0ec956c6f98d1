"""Debts that are written while all are assigned to their segments."""

import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction

from collection.models import Debt
from collection.segments import assignment, records
from tests import factories
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = date(2026, 6, 30)


def write_between_look_and_lock() -> Debt:
    """Have a debt paid while an assignment, which has seen what was owed before, waits for it."""
    records.create(name="small", currency_code="GBP", max_balance=Decimal(100))
    records.create(name="big", currency_code="GBP", min_balance=Decimal(100))
    debt = factories.debt(balance=1000, currency_code="GBP")
    Debt.objects.update(segment=None)
    paid = threading.Event()

    def pay() -> None:
        with transaction.atomic():
            Debt.objects.filter(pk=debt.pk).update(current_balance=50)
            paid.set()
            time.sleep(0.5)

    def assign() -> None:
        assert paid.wait(20)
        assignment.assign_all(today=TODAY)

    assert refusals(at_once(pay, assign)) == []
    debt.refresh_from_db()
    return debt


def test_a_debt_written_during_an_assignment_gets_the_segment_it_fits_now():
    debt = write_between_look_and_lock()
    assert debt.segment is not None
    assert debt.segment.name == "small"


@pytest.mark.deep
def test_without_the_second_look_it_gets_the_segment_it_fitted_before(monkeypatch: pytest.MonkeyPatch):
    blind = assignment.ASSIGN_MANY.replace("debt.xmin = misplaced.written_by", "TRUE")
    monkeypatch.setattr(assignment, "ASSIGN_MANY", blind)
    debt = write_between_look_and_lock()
    assert debt.segment is not None
    assert debt.segment.name == "big"


def test_two_connections_move_half_of_the_debts_each():
    records.create(name="all")
    for _ in range(20):
        factories.debt()
    Debt.objects.update(segment=None)
    assert assignment.assign_all(today=TODAY) == 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM debt")
        assert cursor.fetchone() == (2,)
    assert assignment.assign_all(today=TODAY) == 0
