"""10,000 random money operations from 8 threads, two processes of which are killed on the way: the ledger stays right."""

from decimal import Decimal

import pytest

from collection.models import LedgerEntry
from payments import reconciliation
from tests import factories
from tests.deep.random_operations import killed_twice


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_no_sequence_of_money_operations_leaves_a_difference():
    run_random_operations(operations=10_000)


@pytest.mark.django_db(transaction=True)
def test_a_short_sequence_of_money_operations_leaves_no_difference():
    run_random_operations(operations=600)


def run_random_operations(*, operations: int) -> None:
    factories.agent("Supervisor")
    for _ in range(6):
        factories.debt(balance=Decimal(1000))
    killed_twice("tests.deep.money_worker", operations=operations)
    assert LedgerEntry.objects.count() > operations / 4
    assert list(reconciliation.differences()) == []
