"""Cases of contact law on their way to the provider: what is queued, taken by a worker and handed over, or not."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from communications.callbacks import replies
from communications.calls import start
from communications.channels.events import InboundMessage
from communications.models import CommunicationLog
from communications.sending import worker
from contact.engine.decision import ReasonCode
from tests import factories
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

NEW_JERSEY = {"country_code": "US", "region_state": "NJ", "mobile_phone": "+12015550123"}
HOUSTON = {"country_code": "US", "region_state": "TX", "city": "Houston", "postal_code": "77002"}
EL_PASO_PHONE = {"mobile_phone": "+19155550123"}
BUFFALO = {"country_code": "US", "region_state": "NY", "city": "Buffalo", "postal_code": "14201", "mobile_phone": None}
MONTREAL = {
    "country_code": "CA", "region_state": "QC", "city": "Montreal", "postal_code": "H2Y 1C6", "mobile_phone": "+15145550123",
}  # fmt: skip
MUMBAI = {"country_code": "IN", "region_state": "MH", "city": "Mumbai", "mobile_phone": "+919812345678"}
MELBOURNE = {"country_code": "AU", "region_state": "VIC", "city": "Melbourne", "mobile_phone": "+61412345678"}


def at(zone, hour, minute=0, second=0):
    """A Wednesday on which none of these places has a holiday."""
    return datetime(2026, 11, 18, hour, minute, second, tzinfo=ZoneInfo(zone))


def message(where, channel, now, *, consented=True):
    debt = factories.debt(debtor=factories.debtor(**where), due_date=now.date() - timedelta(days=30))
    if consented:
        factories.consent(debt.debtor, channel, now - timedelta(days=3))
    template = None if channel == "email" else factories.template(communication_type=channel, subject=None)
    return queue(debt=debt, channel=channel, now=now, **({"template": template} if template else {}))


def ended(log):
    log.refresh_from_db()
    return log.status


@pytest.mark.parametrize(
    ("where", "channel", "now", "consented", "status", "reason"),
    [
        # R1: 12 CFR 1006.6(b)(1)(i): not after 21:00 where the consumer is. Houston has 21:45, the phone's El Paso 20:45.
        (HOUSTON | EL_PASO_PHONE, "email", at("America/Chicago", 21, 45), True, "postponed", "outside_window"),
        (HOUSTON | EL_PASO_PHONE, "voice", at("America/Chicago", 21, 45), True, "postponed", "outside_window"),
        (HOUSTON | EL_PASO_PHONE, "email", at("America/Chicago", 20, 45), True, "sent", None),
        (HOUSTON | EL_PASO_PHONE, "voice", at("America/Chicago", 20, 45), True, "sent", None),
        # R5: RG 96, section 4: from 7:30 on weekdays; the agency's own hours begin at 8:00. The mobile is not Perth's.
        (MELBOURNE, "email", at("Australia/Melbourne", 9), True, "sent", None),
        # DB10: 23 NYCRR 1.6: no e-mail without consent in the whole state of New York.
        (BUFFALO, "email", at("America/New_York", 12), False, "blocked", "consent_missing"),
        # DB10: RLRQ c.: 8:00 to 20:00 in Quebec.
        (MONTREAL, "email", at("America/Toronto", 20, 30), True, "postponed", "outside_window"),
        (MONTREAL, "email", at("America/Toronto", 19, 59), True, "sent", None),
        # DB10: RBI circular of 12 August 2022: 8:00 to 19:00.
        (MUMBAI, "sms", at("Asia/Kolkata", 19, 45), True, "postponed", "outside_window"),
        (MUMBAI, "sms", at("Asia/Kolkata", 18, 59), True, "sent", None),
    ],
)  # fmt: skip
def test_what_reaches_the_provider(smtp, twilio, where, channel, now, consented, status, reason):
    log = message(where, channel, now, consented=consented)
    drain(now)

    assert ended(log) == status
    assert len(smtp.mails) + len(twilio.orders) == (status == "sent")
    if reason:
        assert (log.failure_reason or "").startswith(reason)


def test_stop_by_text_ends_the_consent_to_machine_calls(twilio):
    """DB1: 47 CFR 64.1200(a)(10): a STOP in reply to a text revokes consent to robocalls to that number, too."""
    noon = at("America/New_York", 12)
    log = message(NEW_JERSEY, "voice", noon)
    stop = InboundMessage(
        channel="sms", provider="twilio", provider_message_id="SM1", address=NEW_JERSEY["mobile_phone"], body="STOP"
    )
    replies.receive(stop, now=noon + timedelta(minutes=1))
    drain(noon + timedelta(minutes=2))

    assert ended(log) == "blocked"
    assert log.failure_reason.startswith("suppressed: ")
    assert "consent_missing: " in log.failure_reason
    assert [order.kind for order in twilio.orders] == ["message"], "only the text that confirms the STOP"


def test_a_message_queued_before_nine_is_not_sent_after_nine(smtp):
    """DB5: 12 CFR 1006.6(b)(1)(i): queued at 20:59:30, taken by a worker at 21:00:05."""
    zone = "America/New_York"
    log = message(NEW_JERSEY, "email", at(zone, 20, 59, 30))
    drain(at(zone, 21, 0, 5))

    assert (ended(log), smtp.mails) == ("postponed", [])
    assert log.due_at == at(zone, 8) + timedelta(days=1)


def test_a_message_that_a_worker_took_before_nine_is_not_handed_over_after_nine(smtp):
    """DB5 between claim and hand-over: the worker's clock passes nine while it prepares the message."""
    zone = "America/New_York"
    log = message(NEW_JERSEY, "email", at(zone, 20, 59, 30))
    times = [at(zone, 20, 59, 58)]

    def clock():
        return times[0] if len(CommunicationLog.objects.filter(status="queued")) else at(zone, 21, 0, 5)

    worker.drain(clock=clock)

    assert ended(log) != "sent"
    assert smtp.mails == []


def test_a_number_that_moved_gets_no_text_on_the_former_owners_consent(twilio):
    """R3: 12 CFR 1006.6(d)(5)(ii): consent is that of the person, and the number has another owner now."""
    noon = at("America/New_York", 12)
    former = factories.debtor(**NEW_JERSEY)
    factories.consent(former, "sms", noon - timedelta(days=3))
    type(former).objects.filter(pk=former.pk).update(mobile_phone=None)
    log = message(NEW_JERSEY, "sms", noon, consented=False)
    drain(noon)

    assert (ended(log), twilio.orders) == ("blocked", [])
    assert log.failure_reason.startswith("consent_missing")


def test_a_call_handed_out_before_nine_is_not_begun_after_nine():
    """R6: 12 CFR 1006.6(b)(1)(i): a task of 20:30 that an agent begins at 21:00:30."""
    zone, agent = "America/New_York", factories.agent("Agent")
    task = message(NEW_JERSEY, "call_script", at(zone, 20, 30))
    assert drain(at(zone, 20, 30)).statuses == {"sent": 1}
    task.refresh_from_db()
    late = start.begin(task, by=agent, now=at(zone, 21, 0, 30))

    assert {reason.code for reason in late.reasons} == {ReasonCode.OUTSIDE_WINDOW}
    task.refresh_from_db()
    assert task.begun_at is None
    assert start.begin(task, by=agent, now=at(zone, 20, 59, 59)).verdict == "allow"
