"""After a restore: what may have gone since the dump does not go again, and the rest goes once."""

import csv
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from communications.callbacks import inbox
from communications.channels.events import InboundMessage
from communications.channels.message import Outcome, Result
from communications.models import (
    CommunicationLog,
    DatabaseRestore,
    MessageAttempt,
    PendingDispatch,
    UncertainMessage,
)
from communications.outbox import outbox
from communications.outbox.states import Event
from communications.providers import registry
from communications.providers.base import OfflineProvider, SentRecord
from communications.sending import evidence
from ddc.common.process import running
from debtors.channels import Channel
from debtors.models import ContactPoint
from portal import otp
from portal.models import OtpSession
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue
from tests.communications.recovery.conftest import lost

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)


def text(**values):
    return queue(channel="sms", template=factories.template(communication_type="sms", subject=None), **values)


def status(message):
    message.refresh_from_db()
    return message.status


class TestMail:
    def test_mail_that_was_due_is_uncertain_and_never_goes_again(self, smtp, after_restore):
        message = queue()
        with lost():
            assert drain().statuses == {"sent": 1}

        assert "email: 1 uncertain" in after_restore()

        assert drain(LATER).statuses == {}
        assert len(smtp.mails) == 1
        (listed,) = UncertainMessage.objects.all()
        assert (listed.pk, listed.due_at, listed.updated_at) == (message.pk, None, timezone.now())
        assert listed.failure_reason == (
            "Restored from a backup of 2026-01-14 12:00 UTC: it may have been sent until 2026-01-14 13:00 UTC."
        )

    def test_mail_that_is_due_after_the_crash_goes_once(self, smtp, after_restore):
        soon, later = queue(), queue(now=NOON + timedelta(minutes=40))
        CommunicationLog.objects.update(created_at=NOON)

        report = after_restore(stopped_at=NOON + timedelta(minutes=30))

        assert "email: 1 still waiting: due after the database stopped" in report
        assert (status(soon), status(later)) == ("uncertain", "queued")
        assert drain(LATER).statuses == {"sent": 1}

    def test_proof_of_the_time_of_the_dump_is_no_proof_any_more(self, smtp, after_restore):
        message = queue()
        CommunicationLog.objects.update(
            status="sending", attempts=1, provider="smtp", due_at=NOON + timedelta(minutes=1)
        )
        PendingDispatch.objects.create(message_id=message.pk)

        after_restore()

        assert (status(message), PendingDispatch.objects.count()) == ("uncertain", 0)
        (attempt,) = message.attempt_rows.all()
        assert (attempt.result, evidence.problem(message, [attempt])) == ("uncertain", None)

    def test_a_claim_of_the_dump_is_uncertain(self, after_restore):
        message = queue()
        outbox.claim(channel=Channel.EMAIL, now=NOON, limit=1, lease=timedelta(hours=9))
        after_restore()
        assert status(message) == "uncertain"


class TestText:
    def test_of_texts_those_that_twilio_has_were_sent_and_the_others_go_once(self, twilio, after_restore):
        went, other = text(), text()
        with lost():
            assert outbox.claim(channel=Channel.SMS, now=NOON, limit=1, lease=timedelta(0))
            CommunicationLog.objects.filter(pk=other.pk).update(due_at=LATER)
            CommunicationLog.objects.filter(pk=went.pk).update(due_at=NOON)
            assert drain().statuses == {"sent": 1}

        report = after_restore()

        assert "sms: 1 sent: the provider has it" in report
        assert "sms: 1 still waiting: the provider does not have it" in report
        assert (status(went), status(other)) == ("sent", "queued")
        (attempt,) = went.attempt_rows.all()
        (order,) = twilio.orders
        assert (attempt.result, attempt.provider_message_id, attempt.ended_at) == ("sent", order.sid, NOON)
        assert (went.sent_at, went.body, went.address) == (NOON, order.fields["Body"], order.fields["To"])
        assert evidence.problem(went, [attempt]) is None
        assert drain(LATER).statuses == {"sent": 1}
        assert [order.fields["To"] for order in twilio.orders] == [went.address, other.debtor.mobile_phone]

    def test_a_claim_is_released_if_twilio_does_not_have_it(self, twilio, after_restore):
        message = text()
        outbox.claim(channel=Channel.SMS, now=NOON, limit=1, lease=timedelta(hours=9))
        after_restore()
        assert (status(message), message.due_at) == ("queued", timezone.now())

    def test_another_text_to_the_number_leaves_the_decision_to_an_agent(self, twilio, after_restore):
        message = text()
        with lost():
            drain()
        twilio.orders[0].fields["Body"] = "Something else"

        report = after_restore()

        assert f"sent by the lost database sms {twilio.orders[0].sid}" in report
        assert status(message) == "uncertain"
        assert drain(LATER).statuses == {}

    def test_one_record_proves_one_message(self, twilio, after_restore):
        debt = factories.debt()
        template = factories.template(communication_type="sms", subject=None, body="Hello")
        first, second = (queue(channel="sms", debt=debt, template=template) for _ in range(2))
        with lost():
            CommunicationLog.objects.filter(pk=second.pk).update(due_at=LATER)
            drain()

        after_restore()

        assert sorted([status(first), status(second)]) == ["queued", "sent"]

    def test_a_text_that_the_dump_knows_as_sent_proves_nothing(self, twilio, after_restore):
        debt = factories.debt()
        template = factories.template(communication_type="sms", subject=None, body="Hello")
        queue(channel="sms", debt=debt, template=template)
        drain()
        waiting = queue(channel="sms", debt=debt, template=template)

        after_restore()

        assert status(waiting) == "queued"

    def test_what_twilio_could_not_deliver_has_failed(self, twilio, after_restore):
        message = text()
        with lost():
            drain()
        twilio.orders[0].state = "undelivered"
        after_restore()
        assert status(message) == "failed"

    def test_a_call_in_the_records_may_be_this_one(self, twilio, after_restore):
        called, other = (
            queue(channel="voice", template=factories.template(communication_type="voice", subject=None)) for _ in "12"
        )
        with lost():
            CommunicationLog.objects.filter(pk=other.pk).update(due_at=LATER)
            drain()
        assert [order.kind for order in twilio.orders] == ["call"]

        after_restore()

        assert (status(called), status(other)) == ("uncertain", "queued")

    def test_nothing_is_written_while_twilio_does_not_answer(self, settings, twilio, after_restore):
        message = text()
        settings.TWILIO_API_URL = "http://127.0.0.1:1"
        with pytest.raises(CommandError, match=r"twilio does not answer .* --without-provider"):
            after_restore()
        assert (status(message), DatabaseRestore.objects.count()) == ("queued", 0)

        after_restore(without_provider=True)

        assert status(message) == "uncertain"

    def test_a_provider_that_keeps_our_id_finds_any_text(self, settings, monkeypatch, after_restore):
        message = text()

        class Exact(OfflineProvider):
            name = "exact"

            def list_sent(self, *, since):
                return [SentRecord(Channel.SMS, "E1", "+1", NOON, Event.DELIVERED, message_id=message.pk)]

            def send_sms(self, outgoing):
                return Outcome(Result.SENT, self.name, "again")

        monkeypatch.setitem(registry.PROVIDERS, "exact", Exact())
        settings.SMS_BACKEND = "exact"

        after_restore()

        assert (status(message), message.provider_message_id, message.provider) == ("delivered", "E1", "exact")


class TestCodes:
    @pytest.fixture
    def session(self):
        debtor = factories.debtor()
        session = otp.request(debtor.mobile_phone, client_ip=None, now=NOON)
        otp.send_code(session, now=NOON)
        return session

    def test_a_code_that_went_is_found_and_its_sign_in_is_over(self, session, twilio, after_restore):
        with lost():
            drain()
        assert "Open sign-ins ended: 1." in after_restore(NOON + timedelta(minutes=1))
        message = CommunicationLog.objects.get()
        assert (message.status, "••••••" in message.body) == ("sent", True)
        session.refresh_from_db()
        assert session.replaced_at is not None

    def test_a_code_that_did_not_go_is_not_sent(self, session, twilio, after_restore):
        after_restore(NOON + timedelta(minutes=1))
        assert drain(timezone.now()).statuses == {"failed": 1}
        assert not twilio.orders

    def test_a_request_that_waits_for_its_code_gets_none(self, after_restore):
        otp.request(factories.debtor().mobile_phone, client_ip=None, now=NOON)
        after_restore(NOON + timedelta(minutes=1))
        assert otp.answer(clock=timezone.now) == 0
        assert OtpSession.objects.get().answered_at is not None


def test_a_stop_that_waits_is_obeyed_and_its_confirmation_does_not_go_again(twilio, after_restore):
    debtor = factories.debtor()
    stop = InboundMessage(Channel.SMS, "twilio", "SM1", debtor.mobile_phone, "STOP", "received:SM1")
    inbox.store([stop], now=NOON)
    with lost():
        inbox.process(clock=lambda: NOON)
        assert drain().statuses == {"sent": 1}

    assert "Waiting callbacks processed: 1" in after_restore(NOON + timedelta(minutes=1))

    assert ContactPoint.objects.filter(value=debtor.mobile_phone, messages_suppressed=True).exists()
    assert CommunicationLog.objects.get(direction="outbound").status == "sent"
    assert drain(timezone.now()).statuses == {}
    assert len(twilio.orders) == 1


class TestCommand:
    def test_a_repetition_changes_nothing_more(self, twilio, smtp, clock, after_restore):
        (
            text(),
            queue(),
            queue(now=NOON, channel="call_script", template=factories.template(communication_type="call_script")),
        )
        with lost():
            drain()
        after_restore()
        before = list(CommunicationLog.objects.order_by("pk").values())
        clock.shift(timedelta(hours=5))

        assert "This restore has been handled before." in after_restore()

        assert list(CommunicationLog.objects.order_by("pk").values()) == before
        assert MessageAttempt.objects.count() == 1

    def test_a_dry_run_reports_and_changes_nothing(self, after_restore):
        message = queue()
        report = after_restore(dry_run=True)
        assert "email: 1 uncertain" in report
        assert "Dry run: nothing was written." in report
        assert (status(message), DatabaseRestore.objects.count()) == ("queued", 0)

    @pytest.mark.parametrize(
        "options", [{"dump_taken_at": LATER}, {"stopped_at": LATER}, {"stopped_at": NOON - timedelta(1)}]
    )
    def test_times_that_cannot_be_are_refused(self, options, after_restore):
        with pytest.raises(CommandError, match="both times lie in the past"):
            after_restore(**options)

    def test_a_dump_that_is_older_than_a_message_is_refused(self, after_restore):
        queue(now=NOON + timedelta(seconds=1))
        with pytest.raises(CommandError, match="has a row of 2026-01-14T12:00:01"):
            after_restore()

    def test_a_running_site_is_refused(self, monkeypatch, after_restore):
        message = queue()
        monkeypatch.setattr(running, "found", lambda: ["worker ddc@host"])
        with pytest.raises(
            CommandError, match=r"running \(worker ddc@host\)\. Stop the web server, all workers and beat"
        ):
            after_restore()
        assert status(message) == "queued"

    def test_the_list_for_a_person_is_written_to_a_file(self, twilio, smtp, tmp_path, after_restore):
        message = queue()
        strange = text()
        with lost():
            drain()
        twilio.orders[0].fields["Body"] = "Something else"
        file = tmp_path / "check.csv"

        printed = after_restore(output=str(file))

        rows = list(csv.reader(file.read_text().splitlines()))
        assert rows[0] == ["what", "channel", "id", "details"]
        assert [row[:3] for row in rows[1:3]] == [
            ["uncertain", "email", str(message.pk)],
            ["uncertain", "sms", str(strange.pk)],
        ]
        assert rows[3][:2] == ["sent by the lost database", "sms"]
        assert strange.debtor.mobile_phone in rows[3][3]
        assert strange.debtor.mobile_phone not in printed
        assert file.stat().st_mode & 0o077 == 0
