"""Somebody says stop while their message is on its way."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from communications.models import CommunicationLog
from communications.sending import dispatch, worker
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason
from tests.communications.conftest import NOON, twilio  # noqa: F401
from tests.communications.messages import queue
from tests.races.threads import at_once, refusals


def stop_at_the_last_moment(monkeypatch):
    """A worker whose message is ready to go, and its reader, whose stop is on disk just before the hand-over begins."""
    log = queue(channel="sms")
    both, begin = Barrier(2), dispatch.start

    def wait():
        with suppress(BrokenBarrierError):
            both.wait(timeout=5)

    def after_the_stop(*args, **kwargs):
        monkeypatch.setattr(dispatch, "start", begin)
        wait()
        wait()
        return begin(*args, **kwargs)

    def say_stop():
        wait()
        phone, told = log.debtor.mobile_phone, {"reason": SuppressionReason.OPTED_OUT, "source": "STOP", "now": NOON}
        assert contact_points.suppress(phone, channel=Channel.SMS, **told)
        wait()

    monkeypatch.setattr(dispatch, "start", after_the_stop)
    assert not refusals(at_once(lambda: worker.drain(clock=lambda: NOON), say_stop))
    return CommunicationLog.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_stop_just_before_the_hand_over_begins_counts(twilio, monkeypatch):  # noqa: F811
    log = stop_at_the_last_moment(monkeypatch)

    assert (log.status, log.attempts, log.seal) == ("blocked", 0, None)
    assert log.failure_reason.startswith("suppressed")
    assert twilio.orders == []


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_without_the_look_at_the_last_moment_the_message_goes(twilio, monkeypatch):  # noqa: F811
    blind = dispatch.START[Channel.SMS].replace("AND NOT EXISTS", "OR EXISTS")
    monkeypatch.setitem(dispatch.START, Channel.SMS, blind)

    assert stop_at_the_last_moment(monkeypatch).status == "sent"
    assert len(twilio.orders) == 1
