"""A worker that dies during a hand-over: one message is uncertain, the others are queued again."""

from collections import Counter

import pytest
from django.db import connection

from communications.models import CommunicationLog, PendingDispatch
from communications.sending import dispatch, evidence, leases
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

LATER = NOON + dispatch.SENDING_LEASE


def die_at(monkeypatch, number):
    """End the worker during the hand-over of this message."""
    handed = []

    def hand_over(prepared, senders, its_own=dispatch.hand_over):
        handed.append(prepared)
        if len(handed) == number:
            raise SystemExit
        return its_own(prepared, senders)

    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "hand_over", hand_over)
        with pytest.raises(SystemExit):
            drain()


def statuses():
    return Counter(CommunicationLog.objects.values_list("status", flat=True))


def test_one_message_is_uncertain_and_the_rest_is_sent_later(smtp, monkeypatch):
    for _ in range(4):
        queue()
    die_at(monkeypatch, 2)
    assert statuses() == {"sent": 1, "sending": 3}

    assert leases.expire(now=LATER) == 1

    waiting = CommunicationLog.objects.filter(status="queued")
    assert [(log.attempts, log.seal) for log in waiting] == [(0, None), (0, None)]
    assert not PendingDispatch.objects.exists()
    assert drain(LATER).statuses == {"sent": 2}
    assert statuses() == {"sent": 3, "uncertain": 1}
    assert len(smtp.mails) == 3
    assert not list(evidence.differences())


def test_the_seal_of_an_earlier_attempt_stays_valid_after_a_hand_over_that_did_not_start(smtp, monkeypatch):
    smtp.answer = lambda mail: "451 later"
    _, second = queue(), queue()
    drain()
    CommunicationLog.objects.update(due_at=NOON)
    smtp.answer = lambda mail: None
    die_at(monkeypatch, 1)

    assert leases.expire(now=LATER) == 1

    second.refresh_from_db()
    assert (second.status, second.attempts) == ("queued", 1)
    assert not list(evidence.differences())


def test_without_pending_dispatches_the_whole_window_is_uncertain(smtp, monkeypatch):
    for _ in range(3):
        queue()
    die_at(monkeypatch, 1)
    PendingDispatch.objects.all().delete()  # As after a crash of the server.

    assert leases.expire(now=LATER) == 3
    assert drain(LATER).statuses == {}
    assert not smtp.mails


def test_a_crash_of_the_server_empties_the_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'pending_dispatch'::regclass")
        assert cursor.fetchone() == ("u",)  # "Unlogged": PostgreSQL truncates it after a crash.
