"""A text message in doubt, of which no callback came: Twilio is asked whether it has it."""

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
def doubted(twilio):
    """A message that Twilio took, and never answered."""
    twilio.silent = 0.01
    log = queue(channel="sms", template=factories.template(communication_type="sms", subject=None))
    assert drain().ended == {"uncertain": 1}
    twilio.silent = 0
    return log


def told(log):
    log.refresh_from_db()
    return log.status, log.provider_message_id, log.failure_reason


def test_what_it_has_went(twilio, doubted):
    assert polling.poll(now=LATER) == {"sent": 1}
    assert told(doubted) == ("sent", twilio.orders[0].sid, None)
    assert polling.poll(now=LATER) == {}


def test_what_it_reports_as_failed_failed(twilio, doubted):
    twilio.orders[0].state = "undelivered"
    assert polling.poll(now=LATER) == {"failed": 1}
    reason = "No callback arrived. The provider has the message and reports: failed."
    assert told(doubted) == ("failed", twilio.orders[0].sid, reason)


def test_what_it_has_not_failed_and_is_not_sent_again(twilio, doubted):
    twilio.orders.clear()

    assert polling.poll(now=LATER) == {"failed": 1}
    assert told(doubted) == ("failed", None, "No callback arrived. The provider does not have the message.")
    assert drain(LATER + timedelta(days=1)).ended == {}
    assert not twilio.orders


def test_another_message_of_which_we_know_nothing_leaves_it_to_a_person(twilio, doubted):
    twilio.orders[0].fields["Body"] = "Something else"
    assert polling.poll(now=LATER) == {"uncertain": 1}
    assert told(doubted)[:2] == ("uncertain", None)


def test_one_that_we_know_is_not_taken_for_it(twilio, doubted):
    CommunicationLog.objects.create(
        debtor=doubted.debtor, communication_type="sms", status="sent", body=doubted.body, provider="twilio",
        provider_message_id=twilio.orders[0].sid,
    )  # fmt: skip
    assert polling.poll(now=LATER) == {"failed": 1}


def test_a_callback_is_waited_for_and_what_is_long_past_left_alone(twilio, doubted):
    for at in (LATER - timedelta(seconds=1), NOON + polling.GIVE_UP_AFTER + timedelta(seconds=1)):
        assert polling.poll(now=at) == {}
    assert told(doubted)[0] == "uncertain"


def test_while_it_does_not_answer_nothing_is_settled(twilio, doubted, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:1"
    assert polling.poll(now=LATER) == {}
    assert told(doubted)[0] == "uncertain"


def test_what_cannot_be_asked_about_one_message_holds_up_no_other(twilio, doubted, monkeypatch):
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
    assert (told(doubted)[0], told(later)[0]) == ("uncertain", "sent")


def test_a_run_ends_after_some_errors_in_a_row(twilio, doubted, monkeypatch):
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


def test_another_provider_is_not_asked(doubted, settings):
    settings.SMS_BACKEND = "console"
    assert polling.poll(now=LATER) == {}
    assert told(doubted)[0] == "uncertain"


def test_a_provider_without_records_settles_nothing(doubted, monkeypatch):
    monkeypatch.setattr(Twilio, "fetch_status", lambda self, address, *, since: None)
    assert polling.poll(now=LATER) == {"uncertain": 1}
    assert told(doubted)[0] == "uncertain"
