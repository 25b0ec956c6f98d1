"""Circuit breakers: a provider that is down gets nothing for a while, then one message tries."""

from datetime import timedelta

import pytest

from communications.models import Circuit, CommunicationLog
from communications.outbox import outbox
from communications.sending import circuits
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue
from tests.standins.smtp import SmtpStandIn

pytestmark = pytest.mark.django_db

AFTER = NOON + circuits.FIRST_PAUSE


@pytest.fixture
def unreachable(settings):
    settings.EMAIL_BACKEND = "communications.channels.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def untried():
    return CommunicationLog.objects.filter(status="queued", attempts=0).count()


def test_failures_in_a_row_open_the_circuit(unreachable):
    for _ in range(circuits.FAILURES + 3):
        queue()

    assert drain().statuses == {"queued": circuits.FAILURES}

    assert untried() == 3
    assert drain().statuses == {}
    circuit = Circuit.objects.get()
    assert (circuit.provider, circuit.opened_at) == ("smtp", NOON)
    assert "ConnectionRefusedError" in circuit.last_error


def test_other_channels_continue(unreachable, twilio):
    for _ in range(circuits.FAILURES):
        queue()
    drain()
    queue(), queue(channel="sms")

    assert drain().statuses == {"sent": 1}
    assert len(twilio.orders) == 1


def test_after_the_pause_one_message_tries_and_each_failure_doubles_it(unreachable):
    for _ in range(circuits.FAILURES + 3):
        queue()
    drain()

    assert drain(AFTER - timedelta(seconds=1)).statuses == {}
    assert drain(AFTER).statuses == {"queued": 1}
    assert untried() == 2
    assert Circuit.objects.get().open_until == AFTER + 2 * circuits.FIRST_PAUSE
    assert Circuit.objects.get().opened_at == NOON


def test_the_pause_has_a_limit(unreachable):
    for _ in range(12):
        circuits.record_failure("smtp", "x", now=NOON)

    assert Circuit.objects.get().open_until == NOON + circuits.MAX_PAUSE


def test_a_provider_that_works_again_gets_all_messages(unreachable, settings):
    for _ in range(circuits.FAILURES + 3):
        queue()
    drain()
    with SmtpStandIn() as smtp:
        settings.EMAIL_PORT = smtp.port

        assert drain(AFTER).statuses == {"sent": 3}

        assert len(smtp.mails) == 3
    assert Circuit.objects.get().opened_at is None


def test_one_worker_at_a_time_tries():
    for _ in range(circuits.FAILURES):
        circuits.record_failure("smtp", "x", now=NOON)
    seen = circuits.known()["smtp"]

    assert circuits.take_trial(seen, now=AFTER)
    assert not circuits.take_trial(seen, now=AFTER)
    assert circuits.is_open("smtp", circuits.known(), now=AFTER)


def test_a_success_resets_the_count(smtp):
    for _ in range(circuits.FAILURES - 1):
        circuits.record_failure("smtp", "x", now=NOON)
    queue()

    assert drain().statuses == {"sent": 1}

    assert Circuit.objects.get().failures == 0


def test_a_refused_message_is_no_failure_of_the_provider(smtp):
    smtp.answer = lambda mail: "550 no such user"
    for _ in range(circuits.FAILURES + 1):
        queue()

    assert drain().statuses == {"failed": circuits.FAILURES + 1}

    assert not Circuit.objects.exists()


def test_no_worker_is_woken_for_a_provider_that_is_down(unreachable, monkeypatch):
    from communications.sending import worker

    woken = []
    monkeypatch.setattr(outbox, "wake_worker", woken.append)
    for _ in range(circuits.FAILURES + 3):
        queue()
    woken.clear()

    worker.run(clock=lambda: NOON)

    assert woken == []


def test_health_lists_providers_that_are_down_and_stays_ok(transactional_db, anonymous):
    assert anonymous.get("/health").json()["providersDown"] == []
    for _ in range(circuits.FAILURES):
        circuits.record_failure("smtp", "x", now=NOON)

    answer = anonymous.get("/health")

    assert (answer.status_code, answer.json()["status"], answer.json()["providersDown"]) == (200, "ok", ["smtp"])
