"""Polling: Twilio is asked about an uncertain text message for which no callback arrived."""

from datetime import timedelta

import pytest

from communications.callbacks import polling
from communications.models import CommunicationLog
from communications.providers.twilio import Twilio
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
LATER = NOON + polling.WAIT_FOR_CALLBACK


@pytest.fixture
def uncertain(twilio):
    """A message that Twilio took, and never answered."""
    twilio.silent = 0.01
    log = queue(channel="sms", template=factories.template(communication_type="sms", subject=None))
    assert drain().statuses == {"uncertain": 1}
    twilio.silent = 0
    return log


def state_of(log):
    log.refresh_from_db()
    return log.status, log.provider_message_id, log.failure_reason


def test_a_message_that_twilio_has_was_sent(twilio, uncertain):
    assert polling.poll(now=LATER) == {"sent": 1}
    assert state_of(uncertain) == ("sent", twilio.orders[0].sid, None)
    assert polling.poll(now=LATER) == {}


def test_a_message_that_twilio_reports_as_failed_has_failed(twilio, uncertain):
    twilio.orders[0].state = "undelivered"
    assert polling.poll(now=LATER) == {"failed": 1}
    reason = "No callback arrived. The provider has the message and reports: failed."
    assert state_of(uncertain) == ("failed", twilio.orders[0].sid, reason)


def test_a_message_that_twilio_does_not_have_has_failed_and_is_not_sent_again(twilio, uncertain):
    twilio.orders.clear()

    assert polling.poll(now=LATER) == {"failed": 1}
    assert state_of(uncertain) == ("failed", None, "No callback arrived. The provider does not have the message.")
    assert drain(LATER + timedelta(days=1)).statuses == {}
    assert not twilio.orders


def test_an_unknown_message_to_the_number_leaves_the_decision_to_an_agent(twilio, uncertain):
    twilio.orders[0].fields["Body"] = "Something else"
    assert polling.poll(now=LATER) == {"uncertain": 1}
    assert state_of(uncertain)[:2] == ("uncertain", None)


def test_a_known_message_with_the_same_text_proves_nothing(twilio, uncertain):
    CommunicationLog.objects.create(
        debtor=uncertain.debtor, communication_type="sms", status="sent", body=uncertain.body, provider="twilio",
        provider_message_id=twilio.orders[0].sid,
    )  # fmt: skip
    assert polling.poll(now=LATER) == {"failed": 1}


def test_polling_waits_for_a_callback_and_gives_up_after_an_hour(twilio, uncertain):
    for at in (LATER - timedelta(seconds=1), NOON + polling.GIVE_UP_AFTER + timedelta(seconds=1)):
        assert polling.poll(now=at) == {}
    assert state_of(uncertain)[0] == "uncertain"


def test_nothing_changes_while_twilio_does_not_answer(twilio, uncertain, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:1"
    assert polling.poll(now=LATER) == {}
    assert state_of(uncertain)[0] == "uncertain"


def test_an_error_about_one_message_does_not_delay_the_others(twilio, uncertain, monkeypatch):
    fetch_status = Twilio.fetch_status
    later = queue(channel="sms", template=factories.template(communication_type="sms", subject=None))
    twilio.silent = 0.01
    drain()
    later.refresh_from_db()

    def fetch(self, address, *, since):
        if address != later.address:
            raise ValueError
        return fetch_status(self, address, since=since)

    monkeypatch.setattr(Twilio, "fetch_status", fetch)
    assert polling.poll(now=LATER) == {"sent": 1}
    assert (state_of(uncertain)[0], state_of(later)[0]) == ("uncertain", "sent")


def test_a_run_ends_after_some_errors_in_a_row(twilio, uncertain, monkeypatch):
    for _ in range(4):
        queue(channel="sms", template=factories.template(communication_type="sms", subject=None))
    twilio.silent = 0.01
    drain()
    asked = []

    def fail(self, address, *, since):
        asked.append(address)
        raise ValueError

    monkeypatch.setattr(Twilio, "fetch_status", fail)
    assert polling.poll(now=LATER) == {}
    assert len(asked) == 3


def test_another_provider_is_not_asked(uncertain, settings):
    settings.SMS_BACKEND = "console"
    assert polling.poll(now=LATER) == {}
    assert state_of(uncertain)[0] == "uncertain"


def test_a_provider_without_records_changes_nothing(uncertain, monkeypatch):
    monkeypatch.setattr(Twilio, "fetch_status", lambda self, address, *, since: None)
    assert polling.poll(now=LATER) == {"uncertain": 1}
    assert state_of(uncertain)[0] == "uncertain"
