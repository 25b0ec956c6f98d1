"""How a dispatch of mail ends, by the answer of the server and by their absence."""

import socket
import threading
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from unittest.mock import Mock
from uuid import uuid4

import pytest

from collection.balances import ledger
from collection.models import LedgerEntry
from communications.channels import email
from communications.channels.message import Outgoing
from communications.models import CommunicationLog
from communications.sending import outcomes
from ddc import configuration
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue, words
from tests.standins.failing_smtp import STAGES, FailingSmtp

pytestmark = pytest.mark.django_db


def test_one_connection_serves_a_batch(smtp):
    for _ in range(3):
        queue()

    drain()

    assert len(smtp.mails) == 3
    assert smtp.connections == 1


def test_a_temporary_failure_is_tried_again_with_the_text_of_that_time(smtp):
    log = queue(subject="Hi", body="You owe {{debt_amount}}")
    smtp.answer = lambda mail: "451 later"

    assert drain().statuses == {"queued": 1}

    log.refresh_from_db()
    assert (log.status, log.attempts, words(log.body)) == ("queued", 1, "You owe £1,000.00")
    assert NOON + outcomes.BACKOFF[0] / 2 <= log.due_at <= NOON + outcomes.BACKOFF[0]
    assert log.failure_reason == "451 later"

    kind, day = LedgerEntry.Kind.ADJUSTMENT, NOON.date()
    ledger.post(ledger.lock_debt(log.debt_id), kind=kind, amount=Decimal(-400), value_date=day, by=None, cause={})
    smtp.answer = lambda mail: None
    assert drain(NOON + outcomes.BACKOFF[0]).statuses == {"sent": 1}
    log.refresh_from_db()
    assert (words(log.body), log.failure_reason) == ("You owe £600.00", None)


def test_a_temporary_failure_is_final_after_the_last_try(smtp):
    log = queue()
    smtp.answer = lambda mail: "451 later"
    at = NOON
    for pause in outcomes.BACKOFF:
        drain(at)
        at += pause

    CommunicationLog.objects.filter(pk=log.pk).update(due_at=at, purpose="code")
    drain(at)

    log.refresh_from_db()
    assert (log.status, log.failure_reason, log.due_at) == ("failed", "451 later", None)
    assert log.attempts == len(outcomes.BACKOFF) + 1
    assert not smtp.mails


@pytest.mark.parametrize("where", ["answer", "answer_to_recipient"])
def test_a_permanent_refusal_is_final(smtp, where):
    log, _ = queue(), queue()
    setattr(smtp, where, lambda what: "550 5.1.1 no such user" if log.debtor.email in str(what) else None)

    assert drain().statuses == {"failed": 1, "sent": 1}

    log.refresh_from_db()
    assert (log.status, log.failure_reason) == ("failed", "550 5.1.1 no such user")


def test_a_server_that_is_down_is_tried_again(settings):
    settings.EMAIL_BACKEND = "communications.channels.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    log = queue()

    assert drain().statuses == {"queued": 1}

    log.refresh_from_db()
    assert "ConnectionRefusedError" in log.failure_reason


@pytest.mark.parametrize("silence", [0, 2], ids=["hang-up", "silence"])
@pytest.mark.parametrize("stage", STAGES)
def test_only_a_connection_lost_after_the_end_of_the_mail_leaves_it_uncertain(settings, stage, silence):
    """What can't be written to its end was not taken (RFC 5321, 4.1.1.4)."""
    text = "Pay. " * 1_600_000 if stage == "text" else "Pay."
    with failing(settings, stage, silence=silence), closing(email.Sender()) as sender:
        outcome = sender.send(Outgoing(uuid4(), "a@example.com", "Hi", text))

    assert (outcome.result, outcome.down) == ("uncertain" if stage == "end" else "retry", True)


def test_an_uncertain_mail_is_not_sent_again(settings):
    with failing(settings, "end") as server:
        log = queue()

        assert drain().statuses == {"uncertain": 1}
        assert drain(NOON + timedelta(hours=5)).statuses == {}

        log.refresh_from_db()
        assert (log.status, log.due_at, words(log.body)) == ("uncertain", None, "Dear John, you owe £1,000.00.")
        assert len(server.mails) == 1


@pytest.mark.parametrize("reply", [None, "421 idle for too long"], ids=["hang-up", "421"])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_connection_that_the_server_closed_between_two_mails_is_opened_again(settings, stage, reply):
    with failing(settings, stage, reply=reply, failures=0) as server:
        queue(), queue()
        sender = email.Sender()
        first, second = (Outgoing(uuid4(), f"{name}@example.com", "Hi", "Pay.") for name in "ab")

        assert sender.send(first).result == "sent"
        server.failures = 1
        assert sender.send(second).result == "sent"
        sender.close()

        assert len(server.mails) == 2


def test_a_connection_lost_after_the_end_of_a_later_mail_leaves_that_one_uncertain(settings):
    with failing(settings, "end", failures=0) as server:
        sender = email.Sender()
        for expected, server.failures in (("sent", 0), ("uncertain", 1), ("sent", 0)):
            outgoing = Outgoing(uuid4(), "a@example.com", "Hi", "Pay.")
            assert sender.send(outgoing).result == expected
        sender.close()

        assert len(server.mails) == 3


@pytest.mark.parametrize(
    ("stage", "reply", "result", "down"),
    [
        ("greeting", "554 no service", "retry", True),
        ("mail", "550 not you", "failed", False),
        ("rcpt", "450 mailbox busy", "retry", False),
        ("data", "451 later", "retry", False),
        ("end", "552 too much", "failed", False),
        ("end", "421 closing", "retry", True),
    ],
)
def test_a_reply_refuses_a_mail_permanently_or_for_now(settings, stage, reply, result, down):
    with failing(settings, stage, reply=reply):
        sender = email.Sender()
        outcome = sender.send(Outgoing(uuid4(), "a@example.com", "Hi", "Pay."))
        sender.close()

    assert (outcome.result, outcome.down, outcome.reason_text) == (result, down, reply)


def test_a_mail_without_a_recipient_or_with_a_header_in_its_subject_is_refused(smtp):
    sender = email.Sender()
    for to, subject in (("", "Hi"), ("a@example.com", "Hi\nBcc: b@example.com")):
        assert sender.send(Outgoing(uuid4(), to, subject, "Pay.")).result == "failed"
    sender.close()
    assert not smtp.mails


@contextmanager
def failing(settings, stage, **options):
    with FailingSmtp(stage, **options) as server:
        for name, value in server.settings().items():
            setattr(settings, name, value)
        yield server


def test_a_provider_without_settings_is_tried_again(settings):
    settings.EMAIL_BACKEND, settings.ANYMAIL = "anymail.backends.mailgun.EmailBackend", {}
    settings.SMS_BACKEND = "twilio"
    queue(), queue(channel="sms")

    assert drain().statuses == {"queued": 2}


def postmark(settings, *, answer):
    """Send one mail by Postmark's API, served by a stand-in with this answer; None refuses the connection."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "x", "POSTMARK_API_URL": f"http://127.0.0.1:{port}/", "REQUESTS_TIMEOUT": 5,
        }  # fmt: skip
        if answer is None:
            server.close()
        else:
            threading.Thread(target=_answer_once, args=(server, answer), daemon=True).start()
        sender = email.Sender()
        outcome = sender.send(Outgoing(uuid4(), "a@example.com", "Hi", "Pay."))
        sender.close()
        return outcome


def _answer_once(server, answer):
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def http(status, body=b"{}"):
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status, len(body), body,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (None, "retry"),
        (b"", "uncertain"),
        (http(503), "retry"),
        (http(429), "retry"),
        (http(401), "retry"),
        (http(413), "failed"),
        (http(200, b"no JSON"), "uncertain"),
    ],
    ids=["refused", "hang-up", "503", "429", "401", "413", "unreadable"],
)
def test_a_mail_by_an_api_is_certain_to_have_failed_or_uncertain(settings, answer, result):
    assert postmark(settings, answer=answer).result == result


@pytest.fixture
def amazon(settings, monkeypatch):
    """Point Amazon's client at a stand-in that reads each request and hangs up; return the requests."""
    requests = []
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    settings.ANYMAIL = configuration.anymail_settings({})

    def serve(server):
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    requests.append(connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield requests
        server.shutdown(socket.SHUT_RDWR)


def test_amazons_client_sends_a_mail_once_and_leaves_it_uncertain_without_an_answer(amazon):
    with closing(email.Sender()) as sender:
        assert sender.send(Outgoing(uuid4(), "a@example.com", "Hi", "Pay.")).result == "uncertain"
    assert len(amazon) == 1


def test_a_mail_that_amazons_client_cannot_send_is_tried_again(amazon, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with closing(email.Sender()) as sender:
        assert sender.send(Outgoing(uuid4(), "a@example.com", "Hi", "Pay.")).result == "retry"
    assert amazon == []


@pytest.mark.parametrize(("status", "result"), [(429, "retry"), (503, "retry"), (400, "failed")])
def test_amazons_status_is_read_from_its_own_error(amazon, monkeypatch, status, result):
    from anymail.backends import amazon_ses

    monkeypatch.setattr(amazon_ses.boto3, "session", Mock())
    client = amazon_ses.boto3.session.Session.return_value.client.return_value
    response = {"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    client.send_email.side_effect = amazon_ses.ClientError(response, "SendEmail")
    assert email.Sender().send(Outgoing(uuid4(), "a@example.com", "Hi", "Pay.")).result == result
