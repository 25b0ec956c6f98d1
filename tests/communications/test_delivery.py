"""What a worker does with a message that is due."""

import smtplib
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection.models import Hold
from communications import delivery, facts, one_time_code, outbox, outcomes
from communications.models import CommunicationLog, Purpose
from communications.outbox import Lane
from debtors.models import Suppression
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db


def drain(at=NOON, **options):
    return delivery.drain(clock=lambda: at, **options)


def queue(**values):
    debt = values.pop("debt", None) or factories.debt()
    values.setdefault("channel", "email")
    if "body" not in values:
        values.setdefault("template", factories.template(communication_type=values["channel"]))
    return outbox.queue(debtor=debt.debtor, debt=debt, **{"now": NOON} | values)


def test_a_mail_goes_as_text_and_html_and_is_recorded_word_for_word(smtp):
    log = queue()

    assert drain().ended == {"sent": 1}

    (mail,) = smtp.mails
    log.refresh_from_db()
    assert (log.status, log.sent_at, log.due_at, log.attempts) == ("sent", NOON, None, 1)
    assert mail["Message-ID"] == f"<{log.pk}@localhost>" == log.provider_message_id
    assert mail["To"] == log.address == log.debtor.email
    assert mail["Subject"] == log.subject == "About ABC Credit Corp"
    assert mail.get_body(("plain",)).get_content().strip() == log.body == "Dear John, you owe £1,000.00."
    assert mail.get_body(("html",)).get_content().strip() == log.html
    assert "<p>Dear John, you owe £1,000.00.</p>" in log.html


def test_the_variant_is_picked_at_sending(smtp):
    english = factories.template(name="first", body="Hello {{debtor_first_name}}")
    log = queue(template=english, debt=factories.debt(debtor=factories.debtor(language_preference="de-AT")))
    german = factories.template(name="first", language="de", body="Hallo {{debtor_first_name}}: {{debt_amount}}")

    drain()

    log.refresh_from_db()
    assert log.body == "Hallo John: £\xa01.000,00"
    assert log.template == german


def test_a_template_that_was_made_inactive_sends_nothing(smtp):
    log = queue(template=factories.template(is_active=False))

    assert drain().ended == {"failed": 1}

    log.refresh_from_db()
    assert log.failure_reason.startswith("template_inactive")
    assert not smtp.mails


def test_a_one_time_code_goes_out_and_is_kept_masked(twilio):
    session = uuid.uuid4()
    log = queue(
        channel="sms",
        body="Your code is {{otp_code}}",
        one_time_code_of=session,
        purpose=Purpose.SOLICITED,
        template=None,
    )

    drain(lane=Lane.SOLICITED)

    log.refresh_from_db()
    assert twilio.orders[0].fields["Body"] == f"Your code is {one_time_code.derive(session)}"
    assert log.body == "Your code is ••••••"
    assert log.provider_message_id == twilio.orders[0].sid
    assert twilio.orders[0].fields["StatusCallback"].endswith(f"/callbacks/twilio/status?log={log.pk}")


def test_the_solicited_lane_leaves_the_rest_alone(twilio):
    other = queue(channel="sms")

    assert drain(lane=Lane.SOLICITED).ended == {}

    other.refresh_from_db()
    assert other.status == "queued"


def test_a_call_has_the_text_read_out(twilio):
    log = queue(
        channel="voice", template=factories.template(communication_type="voice", body="Tom & {{debtor_first_name}}")
    )

    drain()

    assert twilio.orders[0].kind == "call"
    assert twilio.orders[0].fields["Twiml"] == '<Response><Say language="en-GB">Tom &amp; John</Say></Response>'
    log.refresh_from_db()
    assert log.status == "sent"


def test_a_call_script_is_put_before_an_agent():
    log = queue(channel="call_script")

    drain()

    log.refresh_from_db()
    assert (log.status, log.provider, log.body) == ("sent", "agent", "Dear John, you owe £1,000.00.")


def test_what_expired_is_not_sent(smtp):
    log = queue(body="Late", subject="Late", expires_at=NOON)

    drain()

    log.refresh_from_db()
    assert log.status == "failed"
    assert log.failure_reason.startswith("expired")
    assert not smtp.mails


def test_a_row_that_sql_queued_is_a_message_like_any_other(smtp):
    debt, template = factories.debt(), factories.template()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO communication_log (debtor_id, debt_id, template_id, communication_type, purpose, status, due_at)
            VALUES (%s, %s, %s, 'email', 'collection', 'queued', %s)
            """,
            [debt.debtor_id, debt.pk, template.pk, NOON],
        )

    assert drain().ended == {"sent": 1}
    assert CommunicationLog.objects.get().body == "Dear John, you owe £1,000.00."


def test_what_is_not_due_waits(smtp):
    queue(now=NOON + timedelta(seconds=1))

    assert drain().ended == {}


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
    assert (log.status, log.attempts, log.due_at) == ("queued", 1, NOON + outcomes.BACKOFF[0])
    assert log.body == "You owe {{debt_amount}}"
    assert log.failure_reason == "451 later"

    smtp.answer = lambda mail: None
    assert drain(NOON + outcomes.BACKOFF[0]).ended == {"sent": 1}
    log.refresh_from_db()
    assert (log.body, log.failure_reason) == ("You owe £1,000.00", None)


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
    assert (log.status, log.due_at, log.body) == ("uncertain", None, "Dear John, you owe £1,000.00.")
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
    assert Suppression.objects.get().address == log.debtor.mobile_phone
    again = queue(channel="sms", debt=log.debt)
    assert drain().ended == {"blocked": 1}
    again.refresh_from_db()
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


def test_the_gate_is_asked_at_sending(smtp):
    log = queue()
    Hold.objects.create(debt=log.debt, reason="deferral", starts_on=NOON.date())

    assert drain().ended == {"blocked": 1}

    log.refresh_from_db()
    assert (log.status, log.failure_reason) == ("blocked", "debt_held: The debt is on hold.")
    assert not smtp.mails


def test_what_comes_at_night_waits_until_the_morning(smtp):
    night = NOON.replace(hour=22)
    log = queue(now=night)

    assert drain(night).ended == {"postponed": 1}

    log.refresh_from_db()
    assert (log.status, log.due_at) == ("postponed", NOON.replace(day=15, hour=8))
    assert drain(log.due_at).ended == {"sent": 1}


def test_what_a_crash_leaves_in_sending_is_never_sent_again(smtp):
    log = queue()
    CommunicationLog.objects.filter(pk=log.pk).update(status="sending", due_at=NOON + delivery.SENDING_LEASE)

    later = NOON + delivery.SENDING_LEASE
    assert drain(later).ended == {}
    assert outcomes.settle_stuck(now=later - timedelta(seconds=1)) == 0
    assert outcomes.settle_stuck(now=later) == 1

    log.refresh_from_db()
    assert (log.status, log.due_at) == ("uncertain", None)
    assert drain(later + timedelta(days=1)).ended == {}
    assert not smtp.mails


def test_a_claim_returns_when_its_lease_is_over(smtp):
    queue()
    (claimed,) = outbox.claim(now=NOON, limit=10, lease=delivery.CLAIM_LEASE)

    assert claimed.status == "claimed"
    assert drain().ended == {}
    assert drain(NOON + delivery.CLAIM_LEASE).ended == {"sent": 1}


def test_a_claim_that_was_lost_is_not_acted_on(smtp, monkeypatch):
    queue()
    claim = outbox.claim

    def slow(**options):
        logs = claim(**options)
        monkeypatch.setattr(outbox, "claim", claim)
        assert drain(NOON + delivery.CLAIM_LEASE).ended == {"sent": 1}
        return logs

    monkeypatch.setattr(outbox, "claim", slow)

    assert drain().ended == {"passed by": 1}
    assert len(smtp.mails) == 1


def test_a_turn_ends_and_gives_back_what_was_not_begun(smtp):
    for _ in range(3):
        queue()

    def clock():
        return NOON + delivery.TURN * len(smtp.mails)

    drained = delivery.drain(clock=clock, turn=delivery.TURN)

    assert drained.more
    assert drained.ended == {"sent": 1}
    assert CommunicationLog.objects.filter(status="queued").count() == 2


@pytest.fixture
def woken(monkeypatch):
    lanes = []
    monkeypatch.setattr(outbox, "nudge", lanes.append)
    return lanes


def test_a_worker_wakes_the_next_if_more_is_due(smtp, woken):
    for _ in range(3):
        queue()
    woken.clear()

    delivery.drain_alone(clock=lambda: NOON + delivery.TURN * len(smtp.mails))
    assert woken == ["communications.tasks.drain_outbox"]

    delivery.drain_alone(clock=lambda: NOON + delivery.TURN)
    assert len(woken) == 1
    assert len(smtp.mails) == 3


def test_a_solicited_message_wakes_its_own_lane(woken):
    queue(purpose=Purpose.SOLICITED)

    assert woken == ["communications.tasks.send_solicited"]


def test_a_message_that_cannot_be_written_fails_alone(smtp, monkeypatch):
    bad, _ = queue(), queue()
    gather = facts.gather

    def break_down(pairs, **options):
        if any(debtor == bad.debtor for debtor, _ in pairs):
            raise ZeroDivisionError
        return gather(pairs, **options)

    monkeypatch.setattr(facts, "gather", break_down)

    assert drain().ended == {"sent": 1}

    bad.refresh_from_db()
    assert (bad.status, bad.failure_reason) == ("failed", "unwritable: ZeroDivisionError")
    assert len(smtp.mails) == 1


def test_a_provider_that_is_not_set_up_is_tried_again(settings):
    settings.EMAIL_BACKEND, settings.ANYMAIL = "anymail.backends.mailgun.EmailBackend", {}
    settings.SMS_BACKEND = "twilio"
    queue(), queue(channel="sms")

    assert drain().ended == {"queued": 2}


def test_a_very_long_subject_is_cut(smtp):
    log = queue(subject="{{original_creditor}}" * 12, body="x", debt=factories.debt(original_creditor="x" * 255))

    assert drain().ended == {"sent": 1}

    log.refresh_from_db()
    assert log.subject == "x" * 998


def test_a_subject_stays_one_line(smtp):
    debt = factories.debt(debtor=factories.debtor(first_name="A\r\nBcc: x@example.com"))
    queue(debt=debt, subject="Hello {{debtor_first_name}}", body="x")

    drain()

    assert smtp.mails[0]["Subject"] == "Hello A Bcc: x@example.com"
    assert smtp.mails[0]["Bcc"] is None


def test_the_number_of_queries_grows_by_two_a_message_alone(settings):
    def cost(messages):
        template = factories.template(body="{{total_outstanding}} {{last_payment_amount}} {{debt_amount}}")
        for _ in range(messages):
            queue(template=template)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert drain().ended == {"sent": messages}
        return sum(not q["sql"].startswith(("SAVEPOINT", "RELEASE")) for q in queries.captured_queries)

    one = cost(1)
    assert cost(31) - one == 30 * 3
