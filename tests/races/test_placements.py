"""Placement files while others work."""

import io
import threading
import time

import pytest
from django.db import transaction

from collection.models import Debt
from collection.placements import loading
from debtors.models import Debtor
from tests import factories
from tests.races.threads import at_once
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    "email,firstName,lastName,originalCreditor,externalReference,originalBalance\n"
    "ann@example.com,Ann,Doe,Acme,A-1,100\n"
    "bob@example.com,Bob,Doe,Acme,A-2,100\n"
)


def load(progress: loading.Progress | None = None) -> loading.Report:
    return loading.load(io.BytesIO(FILE.encode()), by=None, today=TODAY, now=clock(), progress=progress)


def test_a_debtor_created_at_the_same_time_is_matched_and_not_doubled():
    written = threading.Event()

    def enter() -> None:
        with transaction.atomic():
            factories.debtor(first_name="Ann", email="ANN@example.com")
            written.set()
            time.sleep(0.3)

    def take() -> loading.Report:
        written.wait(10)
        return load()

    _, report = at_once(enter, take)
    assert (report.accepted, report.debtors, report.refused) == (2, 1, 0)
    assert Debtor.objects.count() == Debt.objects.count() == 2


def test_a_debt_placed_at_the_same_time_is_known():
    written = threading.Event()
    owner = factories.debtor(first_name="Ann", email="ann@example.com")
    factories.creditor("Acme")  # Otherwise the file waits for the creditor, not for the debt.

    def place() -> None:
        with transaction.atomic():
            factories.debt(
                debtor=owner, original_creditor="Acme", external_reference="A-1", balance=100, currency_code="USD"
            )
            written.set()
            time.sleep(0.3)

    def take() -> loading.Report:
        written.wait(10)
        return load()

    _, report = at_once(place, take)
    assert (report.accepted, report.known, report.refused) == (1, 1, 0)
    for debt in Debt.objects.all():
        assert debt.current_balance == sum(entry.amount for entry in debt.ledger_entries.all())


def test_a_creditor_created_at_the_same_time_is_not_doubled():
    written = threading.Event()

    def create() -> None:
        with transaction.atomic():
            factories.creditor("ACME")
            written.set()
            time.sleep(0.3)

    def take() -> loading.Report:
        written.wait(10)
        return load()

    _, report = at_once(create, take)
    assert report.accepted == 2
    assert {debt.original_creditor for debt in Debt.objects.all()} == {"ACME"}


def test_of_two_files_at_once_one_is_taken_and_the_other_refused():
    begun, refused = threading.Event(), threading.Event()

    def first() -> loading.Report:
        def wait(_doing: str, _read: int) -> None:
            begun.set()
            refused.wait(10)

        return load(wait)

    def second() -> None:
        begun.wait(10)
        try:
            load()
        finally:
            refused.set()

    report, refusal = at_once(first, second)
    assert report.accepted == 2
    assert isinstance(refusal, loading.ImportInProgress)
    assert Debt.objects.count() == 2
