"""A worker that dies in the middle of its work: one message in its hands, and a proof for those whose turn had not come."""

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
    """End the worker when it has this message in its hands."""
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


def test_the_message_in_its_hands_is_in_doubt_and_the_rest_goes_on(smtp, monkeypatch):
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


def test_a_seal_of_an_earlier_attempt_still_fits_after_a_turn_that_did_not_come(smtp, monkeypatch):
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


def test_without_the_marks_all_that_a_dead_worker_had_before_it_is_in_doubt(smtp, monkeypatch):
    for _ in range(3):
        queue()
    die_at(monkeypatch, 1)
    PendingDispatch.objects.all().delete()  # As after a crash of the server, which may have lost that a turn came.

    assert leases.expire(now=LATER) == 3
    assert drain(LATER).statuses == {}
    assert not smtp.mails


def test_a_crash_of_the_server_empties_the_table_of_marks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'pending_dispatch'::regclass")
        assert cursor.fetchone() == ("u",)  # "Unlogged": PostgreSQL truncates it after a crash.
