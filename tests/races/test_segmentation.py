"""Debts that are written while all are assigned to their segments."""

import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction

from collection import segmentation_marks
from collection.models import Debt, SegmentationMark
from collection.segments import assignment, records
from tests import factories
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = date(2026, 6, 30)


def write_across_an_assignment() -> Debt:
    """Write a debt in a transaction that begins before an assignment and ends after it; another assignment follows."""
    records.create(name="small", currency_code="GBP", max_balance=Decimal(100))
    debt = factories.debt(balance=1000, currency_code="GBP")
    assignment.assign_all(today=TODAY)
    written, assigned = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            Debt.objects.filter(pk=debt.pk).update(current_balance=50)
            written.set()
            assert assigned.wait(20)

    def assign() -> None:
        assert written.wait(20)
        for _ in range(3):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_current_xact_id()"
                )  # Others go on: the writer's transaction is an old one by now.
        assignment.assign_all(today=TODAY)
        assigned.set()

    assert refusals(at_once(write, assign)) == []
    assignment.assign_all(today=TODAY)
    debt.refresh_from_db()
    return debt


def test_a_debt_written_across_an_assignment_is_looked_at_by_the_next():
    debt = write_across_an_assignment()
    assert debt.segment is not None
    assert debt.segment.name == "small"


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


def test_a_debt_written_while_it_is_assigned_comes_where_it_fits_now():
    debt = write_between_look_and_lock()
    assert debt.segment is not None
    assert debt.segment.name == "small"


@pytest.mark.deep
def test_with_what_was_seen_before_the_lock_it_comes_where_it_fitted_then(monkeypatch: pytest.MonkeyPatch):
    blind = assignment._ASSIGN_MANY.replace("debt.xmin = misplaced.written_by", "TRUE")
    monkeypatch.setattr(assignment, "_ASSIGN_MANY", blind)
    debt = write_between_look_and_lock()
    assert debt.segment is not None
    assert debt.segment.name == "big"


def test_debts_are_moved_by_two_connections_and_not_looked_at_again():
    records.create(name="all")
    for _ in range(20):
        factories.debt()
    Debt.objects.update(segment=None)
    assert assignment.assign_all(today=TODAY) == 20
    assert len(SegmentationMark.objects.get().moved_by.split()) == 2
    assert assignment.assign_all(today=TODAY) == 0


@pytest.mark.deep
def test_with_a_mark_at_the_newest_transaction_it_is_missed(monkeypatch: pytest.MonkeyPatch):
    newest = segmentation_marks._NOW.replace("pg_snapshot_xmin", "pg_snapshot_xmax")
    monkeypatch.setattr(segmentation_marks, "_NOW", newest)
    assert write_across_an_assignment().segment is None
