"""STOP twice at the same moment, and two agents at one call."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from communications.callbacks import replies
from communications.calls import start
from communications.channels.events import InboundMessage
from communications.models import CommunicationLog
from debtors import contact_points
from tests import factories
from tests.communications.conftest import NOON
from tests.races.threads import at_once, refusals

PHONE = "+447700900001"


def stop_twice() -> int:
    """A stranger writes STOP twice, and two workers read it at once; return how many confirmations they get."""
    said = [InboundMessage("sms", "twilio", f"SM{number}", PHONE, "STOP") for number in range(2)]
    results = at_once(*[lambda one=one: replies.receive(one, now=NOON) for one in said])
    assert not refusals(results)
    return CommunicationLog.objects.filter(direction="outbound", confirms_opt_out=True).count()


@pytest.mark.django_db(transaction=True)
def test_of_two_stops_at_once_one_is_confirmed():
    assert stop_twice() == 1


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_on_the_address_both_are_confirmed(monkeypatch):
    both, is_opted_out = Barrier(2), contact_points.is_opted_out

    def looked_together(points, channel):
        found = is_opted_out(points, channel)
        with suppress(BrokenBarrierError):
            both.wait(timeout=3)
        return found

    monkeypatch.setattr(contact_points, "locked", contact_points.rows)
    monkeypatch.setattr(contact_points, "is_opted_out", looked_together)
    assert stop_twice() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_agents_at_one_call_one_makes_it():
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))
    task = CommunicationLog.objects.create(
        debtor=debt.debtor,
        debt=debt,
        communication_type="call_script",
        status="sent",
        sent_at=NOON,
        address=PHONE,
        body="x",
    )
    agents = [factories.agent("Agent") for _ in range(2)]

    results = at_once(*[lambda agent=agent: start.begin(task, by=agent, now=NOON) for agent in agents])

    (refused,) = refusals(results)
    assert isinstance(refused, start.CallTaken)
    task.refresh_from_db()
    assert task.begun_by in agents
