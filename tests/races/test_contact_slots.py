"""Two workers and the seventh call."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest

from communications.models import CommunicationLog
from communications.outbox import history, may_go
from communications.sending import worker
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import queue
from tests.races.threads import at_once, refusals

AT = NOON.replace(hour=17)


def two_calls_at_the_seventh_slot():
    debtor = factories.debtor(country_code="US", region_state="NJ", mobile_phone="+12015550123")
    debt = factories.debt(debtor=debtor)
    for n in range(6):
        CommunicationLog.objects.create(
            debtor=debtor, debt=debt, communication_type="voice", status="sent", body="x",
            sent_at=AT - timedelta(hours=n + 1),
        )  # fmt: skip
    template = factories.template(communication_type="call_script", subject=None)
    for _ in range(2):
        queue(debt=debt, channel="call_script", template=template, now=AT)


def drain_twice(monkeypatch):
    """Two workers, each with one of the two messages, neither of whom has counted yet."""
    monkeypatch.setattr(worker, "MAX_BATCH", 1)
    both, decide = Barrier(2), may_go.decide_claimed

    def together(*args, **kwargs):
        with suppress(BrokenBarrierError):
            both.wait(timeout=3)
        return decide(*args, **kwargs)

    monkeypatch.setattr(may_go, "decide_claimed", together)
    results = at_once(*[lambda: worker.drain(clock=lambda: AT)] * 2)
    assert not refusals(results)
    return CommunicationLog.objects.filter(communication_type="call_script", status="sent").count()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_the_seventh_slot_one_takes_it(monkeypatch):
    two_calls_at_the_seventh_slot()

    assert drain_twice(monkeypatch) == 1
    assert CommunicationLog.objects.filter(status="postponed").count() == 1


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_take_the_seventh_slot(monkeypatch):
    two_calls_at_the_seventh_slot()
    both, requests = Barrier(2), history.requests

    def counted_together(*args, **kwargs):
        found = requests(*args, **kwargs)
        with suppress(BrokenBarrierError):
            both.wait(timeout=3)
        return found

    monkeypatch.setattr(may_go, "lock", lambda messages: None)
    monkeypatch.setattr(history, "requests", counted_together)

    assert drain_twice(monkeypatch) == 2
