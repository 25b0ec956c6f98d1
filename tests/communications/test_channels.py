"""What a provider says, and what becomes of the message then."""

import smtplib
import socket
import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from collection.balances import ledger
from collection.models import LedgerEntry
from communications.models import CommunicationLog
from communications.sending import outcomes
from debtors.models import ContactPoint
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue, words

pytestmark = pytest.mark.django_db


def test_one_connection_serves_a_batch(smtp):
    for _ in range(3):
        queue()

    drain()

    assert len(smtp.mails) == 3
    assert smtp.connections == 1


def test_a_failure_for_now_is_tried_again_with_the_text_of_then(smtp):
    log = queue(subject="Hi", body="You owe {{debt_amount}}")
    smtp.answer = lambda mail: "451 later"

    assert drain().ended == {"queued": 1}

    log.refresh_from_db()
    assert (log.status, log.attempts, words(log.body)) == ("queued", 1, "You owe £1,000.00")
    assert NOON + outcomes.BACKOFF[0] / 2 <= log.due_at <= NOON + outcomes.BACKOFF[0]
    assert log.failure_reason == "451 later"

    kind, day = LedgerEntry.Kind.ADJUSTMENT, NOON.date()
    ledger.post(ledger.lock_debt(log.debt_id), kind=kind, amount=Decimal(-400), value_date=day, by=None, cause={})
    smtp.answer = lambda mail: None
    assert drain(NOON + outcomes.BACKOFF[0]).ended == {"sent": 1}
    log.refresh_from_db()
    assert (words(log.body), log.failure_reason) == ("You owe £600.00", None)


def test_a_failure_for_now_is_one_for_good_after_the_last_try(smtp):
    log = queue()
    smtp.answer = lambda mail: "451 later"
    at = NOON
    for pause in outcomes.BACKOFF:
        drain(at)
        at += pause

    CommunicationLog.objects.filter(pk=log.pk).update(due_at=at, purpose="solicited")
    drain(at)

    log.refresh_from_db()
    assert (log.status, log.failure_reason, log.due_at) == ("failed", "451 later", None)
    assert log.attempts == len(outcomes.BACKOFF) + 1
    assert not smtp.mails


@pytest.mark.parametrize("where", ["answer", "answer_to_recipient"])
def test_a_refusal_for_good_is_final(smtp, where):
    log, _ = queue(), queue()
    setattr(smtp, where, lambda what: "550 5.1.1 no such user" if log.debtor.email in str(what) else None)

    assert drain().ended == {"failed": 1, "sent": 1}

    log.refresh_from_db()
    assert (log.status, log.failure_reason) == ("failed", "550 5.1.1 no such user")


def test_a_server_that_is_down_is_tried_again(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    log = queue()

    assert drain().ended == {"queued": 1}

    log.refresh_from_db()
    assert "ConnectionRefusedError" in log.failure_reason


def test_a_connection_lost_after_the_end_of_the_mail_leaves_it_uncertain(smtp, monkeypatch):
    from communications.channels import smtp as channel

    reply = smtplib.SMTP.getreply

    def lost(self):
        if getattr(self, "in_doubt", False):
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        return reply(self)

    monkeypatch.setattr(channel._SMTP, "getreply", lost)
    log = queue()

    assert drain().ended == {"uncertain": 1}

    log.refresh_from_db()
    assert (log.status, log.due_at, words(log.body)) == ("uncertain", None, "Dear John, you owe £1,000.00.")
    assert drain(NOON + timedelta(hours=5)).ended == {}
    assert len(smtp.mails) == 1


def test_a_connection_that_the_server_closed_between_two_mails_is_opened_anew(smtp, monkeypatch):
    from communications.channels.senders import Senders

    send = Senders.send

    def hang_up(self, channel, outgoing):
        outcome = send(self, channel, outgoing)
        self._open[channel].connection.connection.sock.close()
        return outcome

    monkeypatch.setattr(Senders, "send", hang_up)
    queue(), queue()

    assert drain().ended == {"sent": 2}
    assert len(smtp.mails) == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [((429, 20429), "queued"), ((500, 20500), "queued"), ((401, 20003), "queued"), ((400, 21211), "failed")],
)
def test_twilios_errors_are_for_now_or_for_good(twilio, error, status):
    twilio.errors = [error]
    log = queue(channel="sms")

    drain()

    log.refresh_from_db()
    assert log.status == status
    assert str(error[1]) in log.failure_reason


def test_twilio_knowing_of_an_opt_out_puts_the_number_on_the_list(twilio):
    twilio.errors = [(400, 21610)]
    log = queue(channel="sms")

    drain()

    log.refresh_from_db()
    assert log.status == "failed"
    assert ContactPoint.objects.get(messages_stopped=True).value == log.debtor.mobile_phone
    again = queue(channel="sms", debt=log.debt)
    assert again.status == "blocked"
    assert again.failure_reason.startswith("suppressed")


def test_twilio_not_answering_leaves_the_message_uncertain(twilio, monkeypatch):
    from communications.channels import twilio_api

    monkeypatch.setattr(twilio_api, "_TIMEOUT_SECONDS", 0.2)
    twilio_api._client.cache_clear()
    twilio.silent = 1
    log = queue(channel="sms")

    assert drain().ended == {"uncertain": 1}

    log.refresh_from_db()
    assert log.status == "uncertain"
    assert len(twilio.orders) == 1


def test_a_provider_that_is_not_set_up_is_tried_again(settings):
    settings.EMAIL_BACKEND, settings.ANYMAIL = "anymail.backends.mailgun.EmailBackend", {}
    settings.SMS_BACKEND = "twilio"
    queue(), queue(channel="sms")

    assert drain().ended == {"queued": 2}


def test_a_connection_lost_before_the_end_of_the_mail_is_written_is_tried_again(settings):
    """The end comes last, so a mail that can't be written whole was not taken (RFC 5321, 4.1.1.4)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = *server.getsockname(), 5
        threading.Thread(target=_hang_up_amid_the_mail, args=(server,), daemon=True).start()
        log = queue(subject="Long", body="Pay. " * 2_400_000)

        assert drain().ended == {"queued": 1}

    log.refresh_from_db()
    assert log.attempt_rows.get().result == "retry"


def _hang_up_amid_the_mail(server):
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        for answer in (b"250 here", b"250 fine", b"250 fine", b"354 go on"):
            lines.readline()
            connection.sendall(answer + b"\r\n")
        lines.readline()


def test_twilios_own_client_does_not_log_each_request(twilio, caplog):
    queue(channel="sms")
    with caplog.at_level("INFO"):
        assert drain().ended == {"sent": 1}

    assert not [record for record in caplog.records if record.name.startswith("twilio")]
