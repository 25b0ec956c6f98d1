"""Workers send due messages."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection import debts, states
from collection.holds import holds
from collection.models import DebtStatus, Hold
from communications.models import CommunicationLog
from communications.outbox import may_go, outbox
from communications.outbox.outbox import Queue
from communications.sending import dispatch, evidence, leases, worker
from communications.texts import facts, one_time_code
from contact.models import Purpose
from debtors.channels import Channel
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue, words

pytestmark = pytest.mark.django_db


def test_a_mail_is_sent_as_text_and_html_and_stored_as_sent(smtp):
    log = queue()

    assert drain().statuses == {"sent": 1}

    (mail,) = smtp.mails
    log.refresh_from_db()
    assert (log.status, log.sent_at, log.due_at, log.attempts) == ("sent", NOON, None, 1)
    assert mail["Message-ID"] == f"<{log.pk}@localhost>" == log.provider_message_id
    assert mail["To"] == log.address == log.debtor.email
    assert mail["Subject"] == log.subject == "About ABC Credit Corp"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == log.body
    assert words(log.body) == "Dear John, you owe £1,000.00."
    assert mail.get_body(("html",)).get_content().strip() == log.html
    assert "<p>Dear John, you owe £1,000.00.</p>" in log.html


def test_the_variant_is_chosen_at_sending(smtp):
    english = factories.template(name="first", body="Hello {{debtor_first_name}}")
    log = queue(template=english, debt=factories.debt(debtor=factories.debtor(language_preference="de-AT")))
    german = factories.template(name="first", language="de", body="Hallo {{debtor_first_name}}: {{debt_amount}}")

    drain()

    log.refresh_from_db()
    assert words(log.body) == "Hallo John: £\xa01.000,00"
    assert log.template == german


def test_an_inactive_template_is_not_sent(smtp):
    log = queue(template=factories.template(is_active=False))

    assert drain().statuses == {"failed": 1}

    log.refresh_from_db()
    assert log.failure_reason.startswith("template_inactive")
    assert not smtp.mails


def test_a_one_time_code_is_sent_and_stored_masked(twilio):
    session = uuid.uuid4()
    log = queue(
        channel="sms",
        body="Your code is {{otp_code}}",
        one_time_code_of=session,
        purpose=Purpose.CODE,
        template=None,
    )

    drain(queue=Queue.AWAITED)

    log.refresh_from_db()
    assert twilio.orders[0].fields["Body"] == f"Your code is {one_time_code.derive(session)}"
    assert log.body == "Your code is ••••••"
    assert log.provider_message_id == twilio.orders[0].sid
    assert twilio.orders[0].fields["StatusCallback"].endswith(f"/callbacks/twilio/status?log={log.pk}")


def test_the_awaited_queue_leaves_other_messages(twilio):
    other = queue(channel="sms")

    assert drain(queue=Queue.AWAITED).statuses == {}

    other.refresh_from_db()
    assert other.status == "queued"


def test_a_call_script_is_handed_to_the_agents():
    log = queue(channel="call_script")

    drain()

    log.refresh_from_db()
    assert (log.status, log.provider, log.body) == ("sent", "agent", "Dear John, you owe £1,000.00.")


def test_an_expired_message_is_not_sent(smtp):
    log = queue(body="Late", subject="Late", expires_at=NOON)

    drain()

    log.refresh_from_db()
    assert log.status == "failed"
    assert log.failure_reason.startswith("expired")
    assert not smtp.mails


def test_a_message_that_sql_queued_is_sent(smtp):
    debt, template = factories.debt(), factories.template()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO communication_log (debtor_id, debt_id, template_id, communication_type, purpose, status, due_at)
            VALUES (%s, %s, %s, 'email', 'collection', 'queued', %s)
            """,
            [debt.debtor_id, debt.pk, template.pk, NOON],
        )

    assert drain().statuses == {"sent": 1}
    assert words(CommunicationLog.objects.get().body) == "Dear John, you owe £1,000.00."


def test_a_message_that_is_not_due_waits(smtp):
    queue(now=NOON + timedelta(seconds=1))

    assert drain().statuses == {}


def test_the_gate_is_asked_at_sending(smtp):
    log = queue()
    Hold.objects.create(debt=log.debt, reason="deferral", starts_on=NOON.date())

    assert drain().statuses == {"blocked": 1}

    log.refresh_from_db()
    assert (log.status, log.failure_reason) == ("blocked", "debt_held: The debt is on hold.")
    assert not smtp.mails


def test_a_message_at_night_waits_until_the_morning(smtp):
    night = NOON.replace(hour=22)
    log = queue(now=night)

    assert drain(night).statuses == {"postponed": 1}

    log.refresh_from_db()
    assert (log.status, log.due_at) == ("postponed", NOON.replace(day=15, hour=8))
    assert drain(log.due_at).statuses == {"sent": 1}


def test_a_message_that_a_crash_left_in_sending_is_never_sent_again(smtp):
    log = queue()
    CommunicationLog.objects.filter(pk=log.pk).update(status="sending", due_at=NOON + dispatch.SENDING_LEASE)

    later = NOON + dispatch.SENDING_LEASE
    assert drain(later).statuses == {}
    assert leases.expire(now=later - timedelta(seconds=1)) == 0
    assert leases.expire(now=later) == 1

    log.refresh_from_db()
    assert (log.status, log.due_at) == ("uncertain", None)
    assert drain(later + timedelta(days=1)).statuses == {}
    assert not smtp.mails


def test_a_claimed_message_is_due_again_after_the_lease(smtp):
    queue()
    (claimed,) = outbox.claim(channel=Channel.EMAIL, now=NOON, limit=10, lease=worker.CLAIM_LEASE)

    assert claimed.status == "claimed"
    assert drain().statuses == {}
    assert drain(NOON + worker.CLAIM_LEASE).statuses == {"sent": 1}


def test_a_lost_claim_sends_nothing(smtp, monkeypatch):
    queue()
    claim = outbox.claim

    def slow(**options):
        logs = claim(**options)
        monkeypatch.setattr(outbox, "claim", claim)
        assert drain(NOON + worker.CLAIM_LEASE).statuses == {"sent": 1}
        return logs

    monkeypatch.setattr(outbox, "claim", slow)

    assert drain().statuses == {"released": 1}
    assert len(smtp.mails) == 1


def test_a_run_ends_after_its_time_budget_and_releases_the_rest(smtp):
    for _ in range(3):
        queue()

    def clock():
        return NOON + worker.TIME_BUDGET * len(smtp.mails)

    drained = worker.drain(clock=clock, time_budget=worker.TIME_BUDGET)

    assert drained.is_cut_short
    assert drained.statuses == {"sent": 1}
    assert CommunicationLog.objects.filter(status="queued").count() == 2


@pytest.fixture
def woken(monkeypatch):
    queues = []
    monkeypatch.setattr(outbox, "wake_worker", queues.append)
    return queues


def test_a_worker_wakes_the_next_if_more_is_due(smtp, woken):
    for _ in range(3):
        queue()
    woken.clear()

    worker.run(clock=lambda: NOON + worker.TIME_BUDGET * len(smtp.mails))
    assert woken == ["communications.tasks.drain_outbox"]

    worker.run(clock=lambda: NOON + worker.TIME_BUDGET)
    assert len(woken) == 1
    assert len(smtp.mails) == 3


def test_an_awaited_message_wakes_its_own_queue(woken):
    queue(purpose=Purpose.CODE)

    assert woken == ["communications.tasks.send_awaited"]


def test_a_message_that_cannot_be_written_delays_no_other(smtp, monkeypatch):
    bad, _ = queue(), queue()
    gather = facts.gather

    def failing(recipients, **options):
        if any(recipient.debtor == bad.debtor for recipient in recipients):
            raise ZeroDivisionError
        return gather(recipients, **options)

    monkeypatch.setattr(facts, "gather", failing)

    assert drain().statuses == {"sent": 1, "failed": 1}

    bad.refresh_from_db()
    assert (bad.status, bad.failure_reason) == ("failed", "unwritable: ZeroDivisionError")
    assert len(smtp.mails) == 1


def test_a_subject_that_no_mail_takes_fails_with_the_reason(smtp):
    log = queue(subject="{{original_creditor}}" * 12, body="x", debt=factories.debt(original_creditor="x" * 255))

    assert drain().statuses == {"failed": 1}

    log.refresh_from_db()
    assert log.failure_reason == "too_long: The subject has 3,060 characters. A mail takes 998."
    assert not smtp.mails


def test_a_subject_stays_one_line(smtp):
    debt = factories.debt(debtor=factories.debtor(first_name="A\r\nBcc: x@example.com"))
    queue(debt=debt, subject="Hello {{debtor_first_name}}", body="x")

    drain()

    assert smtp.mails[0]["Subject"] == "Hello A Bcc: x@example.com"
    assert smtp.mails[0]["Bcc"] is None


def test_the_number_of_queries_grows_by_two_for_each_message(settings):
    def cost(messages):
        template = factories.template(body='{{total_outstanding}} {{last_payment_amount|"none"}} {{debt_amount}}')
        for _ in range(messages):
            queue(template=template)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert drain().statuses == {"sent": messages}
        return sum(not q["sql"].startswith(("SAVEPOINT", "RELEASE")) for q in queries.captured_queries)

    one = cost(1)
    assert cost(1 + dispatch.WINDOW) - one == 2 * dispatch.WINDOW + 1


@pytest.mark.parametrize("scope", ["person", "debt"])
@pytest.mark.parametrize(
    ("purpose", "reason", "status"),
    [
        ("collection", "cease", "blocked"), ("collection", "complaint", "blocked"), ("code", "cease", "sent"),
        ("answer", "cease", "blocked"), ("answer", "attorney", "blocked"), ("answer", "complaint", "sent"),
    ],
)  # fmt: skip
def test_a_hold_that_is_opened_after_the_decision_stops_the_message(smtp, monkeypatch, scope, purpose, reason, status):
    log = queue(purpose=purpose)
    start, placed = dispatch.start, []

    def late(prepared):
        if not placed:
            on = {"debt": log.debt} if scope == "debt" else {"debtor": log.debtor}
            placed.append(holds.open_hold(reason=reason, source="A call", by=None, now=NOON, **on))
        return start(prepared)

    monkeypatch.setattr(dispatch, "start", late)

    drain()
    log.refresh_from_db()
    assert log.status == status
    assert len(smtp.mails) == (status == "sent")


@pytest.mark.parametrize("asks", [True, False])
def test_a_late_hold_of_payment_requests_stops_only_a_template_that_asks_for_payment(smtp, monkeypatch, asks):
    log = queue(template=factories.template(asks_for_payment=asks))
    start, opened = dispatch.start, []

    def late(prepared):
        if not opened:
            values = {"reason": "arrangement", "debt": log.debt, "starts_on": NOON.date(), "blocks_contact": False}
            opened.append(Hold.objects.create(**values))
        return start(prepared)

    monkeypatch.setattr(dispatch, "start", late)

    drain()
    log.refresh_from_db()
    assert log.status == ("blocked" if asks else "sent")
    assert len(smtp.mails) == (0 if asks else 1)


@pytest.mark.parametrize(
    ("change", "subjects"),
    [
        (lambda debt: factories.dispute(debt=debt, portion=Decimal("400.00"), now=NOON), ["Open: £600.00"]),
        (lambda debt: debts.adjust(debt, Decimal("300.00"), by=None, today=NOON.date()), ["Open: £300.00"]),
        (lambda debt: states.change(debt, DebtStatus.RECALLED, by=None, today=NOON.date()), []),
    ],
    ids=["disputed in part", "corrected", "recalled"],
)
def test_a_debt_that_changes_after_the_decision_is_read_again(smtp, monkeypatch, change, subjects):
    log = queue(subject="Open: {{debt_amount}}", body="Hello")
    start, changed = dispatch.start, []

    def late(prepared):
        if not changed:
            changed.append(change(log.debt))
        return start(prepared)

    monkeypatch.setattr(dispatch, "start", late)

    drain()
    log.refresh_from_db()
    assert [mail["Subject"] for mail in smtp.mails] == subjects
    assert (log.status, log.attempts) == (("sent", 1) if subjects else ("blocked", 0))
    assert not list(evidence.differences())


def test_every_check_comes_before_the_hand_over(smtp, monkeypatch):
    calls = []

    def record(module, name):
        function = getattr(module, name)

        def recorded(*args, **options):
            calls.append(name)
            return function(*args, **options)

        monkeypatch.setattr(module, name, recorded)

    for module, name in (
        (outbox, "claim"), (may_go, "decide_claimed"), (dispatch, "mark_sending"), (may_go, "may_still_go"),
        (dispatch, "start"), (dispatch, "hand_over"),
    ):  # fmt: skip
        record(module, name)
    queue()

    assert drain().statuses == {"sent": 1}

    once = [name for name in calls if name != "claim"]
    assert calls[0] == "claim"
    assert once == ["decide_claimed", "mark_sending", "may_still_go", "start", "hand_over"]


@pytest.mark.parametrize("check", [(may_go, "may_still_go"), (dispatch, "start")])
def test_a_message_that_fails_a_last_check_is_queued_again_and_not_handed_over(smtp, monkeypatch, check):
    log = queue()
    with monkeypatch.context() as patched:
        patched.setattr(*check, lambda *_, **__: False)
        patched.setattr(outbox, "claim", once(outbox.claim))
        assert drain().statuses == {"released": 1}

    log.refresh_from_db()
    assert (log.status, log.attempts, log.seal, log.due_at) == ("queued", 0, None, NOON)
    assert not smtp.mails
    assert drain().statuses == {"sent": 1}


def once(claim):
    """Let the first claim succeed and the next ones find nothing."""
    claimed = []

    def limited(**options):
        if claimed:
            return []
        claimed.extend(claim(**options))
        return list(claimed)

    return limited
