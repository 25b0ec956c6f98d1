"""10,000 random money operations from 8 threads, two processes of which are killed on the way: the ledger stays right."""

import signal
import subprocess
from decimal import Decimal

import pytest

from collection.models import LedgerEntry
from payments import reconciliation
from tests import factories
from tests.deep.processes import start


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
    done = 0
    kills = {operations // 4, operations // 2}
    for life in range(3):
        left = operations - done
        worker = start(
            "-m", "tests.deep.money_worker", str(life), str(left + 8), "8", stdout=subprocess.PIPE
        )  # fmt: skip
        assert worker.stdout
        for _ in worker.stdout:
            done += 1
            if done in kills:
                worker.send_signal(signal.SIGKILL)
                break
        worker.stdout.close()
        worker.wait()
    assert done >= operations
    assert LedgerEntry.objects.count() > operations / 4
    assert list(reconciliation.differences()) == []
