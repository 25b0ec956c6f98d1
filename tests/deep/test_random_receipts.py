"""Random operations with receipts and credits from 8 threads, two processes of which are killed: every sum stays right."""

from decimal import Decimal

import pytest

from payments import reconciliation
from payments.models import CreditEntry, ReceiptAllocation
from tests import factories
from tests.deep.random_operations import killed_twice


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_no_sequence_of_operations_with_receipts_leaves_a_difference():
    run_random_operations(operations=6_000)


@pytest.mark.django_db(transaction=True)
def test_a_short_sequence_of_operations_with_receipts_leaves_no_difference():
    run_random_operations(operations=400)


def run_random_operations(*, operations: int) -> None:
    for _ in range(2):
        factories.agent("Supervisor")
        debtor = factories.debtor()
        for number in range(3):
            factories.debt(debtor=debtor, balance=Decimal(1000), external_reference=f"REF-{debtor.pk}-{number}")
    killed_twice("tests.deep.receipts_worker", operations=operations)
    assert ReceiptAllocation.objects.count() > operations / 10
    assert CreditEntry.objects.count() > operations / 20
    assert list(reconciliation.differences()) == []
