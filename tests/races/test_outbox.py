"""Several workers at one outbox."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from communications.models import CommunicationLog, UncertainResolution
from communications.outbox import outbox, states
from communications.sending import dispatch, uncertain, worker
from tests import factories
from tests.communications.conftest import NOON, smtp, twilio  # noqa: F401
from tests.races.threads import at_once, refusals

MESSAGES = 60


def queue(messages):
    template, debt = factories.template(), factories.debt()
    for _ in range(messages):
        outbox.queue(debtor=debt.debtor, debt=debt, channel="email", template=template, now=NOON)


def seen(smtp):  # noqa: F811
    return Counter(smtp.message_ids)


@pytest.mark.django_db(transaction=True)
def test_four_drains_at_once_send_each_message_once(smtp, monkeypatch):  # noqa: F811
    monkeypatch.setattr(worker, "MAX_BATCH", 5)
    queue(MESSAGES)

    results = at_once(*[lambda: worker.drain(clock=lambda: NOON)] * 4)

    assert not refusals(results)
    assert set(seen(smtp).values()) == {1}
    assert len(seen(smtp)) == MESSAGES
    assert CommunicationLog.objects.filter(status="sent").count() == MESSAGES
    assert smtp.connections == 4


@pytest.mark.django_db(transaction=True)
def test_of_two_drains_alone_one_leaves_the_lane_to_the_other(smtp, settings):  # noqa: F811
    settings.OUTBOX_DRAINS = 1
    queue(20)
    smtp.delay = 0.01

    results = at_once(*[lambda: worker.run(clock=lambda: NOON)] * 2)

    assert not refusals(results)
    assert set(seen(smtp).values()) == {1}
    assert smtp.connections == 1


@pytest.mark.django_db(transaction=True)
def test_a_lane_has_as_many_places_as_it_was_given(smtp, settings, monkeypatch):  # noqa: F811
    monkeypatch.setattr(worker, "MAX_BATCH", 5)
    settings.OUTBOX_DRAINS = 2
    queue(40)
    smtp.delay = 0.02

    results = at_once(*[lambda: worker.run(clock=lambda: NOON)] * 3)

    assert not refusals(results)
    assert set(seen(smtp).values()) == {1}
    assert smtp.connections == 2


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_and_the_conditional_update_messages_go_twice(smtp, monkeypatch):  # noqa: F811
    monkeypatch.setattr(worker, "MAX_BATCH", 5)
    # Without the lock, and with a pause between looking and taking.
    unlocked = outbox.CLAIM.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    slow = unlocked.replace("FROM due WHERE", "FROM due, (SELECT pg_sleep(0.5)) AS pause WHERE")
    monkeypatch.setattr(outbox, "CLAIM", slow)
    mark_sending = dispatch.MARK_SENDING.replace(
        "AND log.status || '' = 'claimed' AND log.due_at = prepared.claimed_until", ""
    )
    monkeypatch.setattr(dispatch, "MARK_SENDING", mark_sending)
    monkeypatch.setattr(dispatch, "start", lambda *_, **__: True)
    queue(5)

    results = at_once(*[lambda: worker.drain(clock=lambda: NOON)] * 4)

    assert not refusals(results)
    assert max(seen(smtp).values()) > 1


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_a_lease_that_ends_in_the_middle_of_a_batch_makes_no_second_mail(smtp, monkeypatch):  # noqa: F811
    monkeypatch.setattr(worker, "CLAIM_LEASE", timedelta(milliseconds=50))
    smtp.delay = 0.02
    queue(MESSAGES)
    CommunicationLog.objects.update(due_at=timezone.now(), purpose="code")
    results = at_once(*[lambda: worker.drain(clock=timezone.now)] * 3)

    assert not refusals(results)
    assert set(seen(smtp).values()) == {1}
    assert CommunicationLog.objects.filter(status="sent").count() == MESSAGES


def doubtful():
    debt = factories.debt()
    return CommunicationLog.objects.create(
        debtor=debt.debtor,
        debt=debt,
        communication_type="email",
        status="uncertain",
        attempts=1,
        subject="S",
        body="Hello",
    )


def decide(log):
    agents = [factories.agent("Agent") for _ in range(4)]
    rules = [uncertain.confirm, uncertain.send_again] * 2
    return at_once(
        *[
            lambda rule=rule, agent=agent: rule(CommunicationLog.objects.get(pk=log.pk), by=agent, reason="x", now=NOON)
            for rule, agent in zip(rules, agents, strict=True)
        ]
    )


@pytest.mark.django_db(transaction=True)
def test_of_agents_who_decide_at_once_one_wins():
    log = doubtful()

    results = decide(log)

    assert [type(error) for error in refusals(results)] == [uncertain.NotUncertain] * 3
    made = UncertainResolution.objects.get()
    assert CommunicationLog.objects.count() == (1 if made.decision == "sent" else 2)


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_without_the_condition_two_agents_both_go_ahead(monkeypatch):
    monkeypatch.setattr(states, "advance", lambda *_, **__: states.Advance.MOVED)
    log = doubtful()

    results = decide(log)

    assert {type(error) for error in refusals(results)} != {uncertain.NotUncertain}


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_hangs_holds_up_nobody_elses_messages(smtp, twilio):  # noqa: F811
    queue(3)
    debt = factories.debt()
    template = factories.template(communication_type="sms", subject=None)
    outbox.queue(debtor=debt.debtor, debt=debt, channel="sms", template=template, now=NOON)
    smtp.delay = 2
    gone = []

    def later():
        while not smtp.mails:  # The other is about to begin with them.
            time.sleep(0.01)
        worker.run(clock=lambda: NOON)
        gone.append((len(twilio.orders), len(smtp.mails)))

    results = at_once(lambda: worker.run(clock=lambda: NOON), later)

    assert not refusals(results)
    [(texts, mails)] = gone
    assert texts == 1
    assert mails < 3
