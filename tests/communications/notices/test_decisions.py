"""Notices of decisions, templates that are sent by command, and the demo's outbox."""

import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from collection import deferrals
from communications.models import CommunicationLog
from communications.outbox import outbox
from communications.sending import worker
from communications.texts import one_time_code
from contact.models import Purpose
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db


def decide(decision, supervisor, **debtor):
    debt = factories.debt(debtor=factories.debtor(**debtor))
    request = deferrals.request(debt, debtor=debt.debtor, days=30, reason="I lost my job", now=NOON)
    decision(request, by=supervisor, notes="Noted.", now=NOON)
    return CommunicationLog.objects.get()


def test_an_approval_waits_for_the_morning_and_is_mailed_during_its_hold(smtp, supervisor):
    log = decide(deferrals.approve, supervisor)

    assert worker.drain(clock=lambda: NOON.replace(hour=23)).statuses == {"postponed": 1}
    assert worker.drain(clock=lambda: NOON + timedelta(days=1)).statuses == {"sent": 1}

    log.refresh_from_db()
    assert (log.purpose, log.communication_type) == ("answer", "email")
    assert smtp.mails[0]["Subject"] == "You have more time: ABC Credit Corp"
    assert "It is now due on Feb 13, 2026." in log.body


def test_the_agencys_template_is_preferred(smtp, supervisor):
    factories.template(name="deferral_rejected", body="No, {{debtor_first_name}}.")
    factories.template(name="deferral_rejected", language="de", body="Nein, {{debtor_first_name}}.")

    log = decide(deferrals.reject, supervisor, language_preference="de")
    worker.drain(clock=lambda: NOON)

    log.refresh_from_db()
    assert log.body == "Nein, John."


def test_a_debtor_without_usable_mail_gets_a_text_message(supervisor):
    factories.suppress("john@example.com", channel="email", reason="bounced")

    log = decide(deferrals.approve, supervisor, email="John@example.com")

    assert (log.communication_type, log.subject) == ("sms", None)


def test_a_decision_that_fails_sends_nothing(supervisor):
    debt = factories.debt()
    request = deferrals.request(debt, debtor=debt.debtor, days=30, reason="I lost my job", now=NOON)
    deferrals.reject(request, by=supervisor, notes="Noted.", now=NOON)

    with pytest.raises(deferrals.AlreadyReviewed):
        deferrals.approve(request, by=supervisor, notes="Noted.", now=NOON)

    assert CommunicationLog.objects.count() == 1


def test_the_demo_shows_messages_with_their_codes(client, settings):
    settings.DEMO, settings.SMS_BACKEND = True, "demo"
    session = uuid.uuid4()
    values = {"body": "Code {{otp_code}} <b>", "one_time_code_of": session, "purpose": Purpose.ANSWER}
    outbox.queue(debtor=factories.debtor(), channel="sms", now=NOON, **values)
    worker.drain(clock=lambda: NOON)

    page = client.get("/demo/outbox")

    assert page.status_code == 200
    assert f"Code {one_time_code.derive(session)} &lt;b&gt;" in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_outside_the_demo_there_is_no_such_page(client):
    assert client.get("/demo/outbox").status_code == 404


def run(*args):
    out = StringIO()
    call_command("process_communication_templates", *args, stdout=out)
    return out.getvalue()


def test_the_command_renders_and_counts():
    factories.template(name="a", body="Dear {{debtor_first_name}}")
    factories.template(name="b", communication_type="sms")

    out = run("--type", "email")

    assert "a (email): rendered" in out
    assert "Dear John" in out
    assert "1 processed: 1 rendered" in out
    assert run("nope").strip() == "0 processed"


def test_the_command_sends_to_one_debtor():
    factories.template(name="a")
    debt = factories.debt(current_status="disputed")

    out = run("a", "--debtor-id", str(debt.debtor_id), "--debt-id", str(debt.pk), "--send")

    assert "debt_disputed" in out
    assert "1 processed: 1 blocked" in out


def test_the_command_refuses_invalid_arguments():
    debt = factories.debt()

    nobody = ["--debtor-id", str(uuid.uuid4())]
    another = ["--debtor-id", str(factories.debtor().pk), "--debt-id", str(debt.pk)]
    for args in (["--send"], nobody, another):
        with pytest.raises(CommandError):
            run(*args)
    assert not CommunicationLog.objects.exists()


def test_codes_are_digits_of_the_set_length(settings):
    session = uuid.uuid4()
    for length in (4, 6, 8):
        settings.OTP_LENGTH = length
        code = one_time_code.derive(session)
        assert len(code) == length
        assert code.isdigit()
        assert code == one_time_code.derive(session)
    assert len({one_time_code.derive(uuid.uuid4()) for _ in range(50)}) > 45
    before = one_time_code.derive(session)
    settings.OTP_KEY = "another key" * 4
    assert one_time_code.derive(session) != before
