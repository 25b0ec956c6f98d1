"""How a dispatch by Twilio ends, by its answers and by their absence."""

import pytest

from communications.providers import registry
from communications.providers.twilio import Twilio
from debtors.models import ContactPoint
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "status"),
    [((429, 20429), "queued"), ((500, 20500), "queued"), ((401, 20003), "queued"), ((400, 21211), "failed")],
)
def test_an_error_of_twilio_is_temporary_or_permanent(twilio, error, status):
    twilio.errors = [error]
    log = queue(channel="sms")

    drain()

    log.refresh_from_db()
    assert log.status == status
    assert str(error[1]) in log.failure_reason


def test_twilios_error_about_an_opt_out_suppresses_the_number(twilio):
    twilio.errors = [(400, 21610)]
    log = queue(channel="sms")

    drain()

    log.refresh_from_db()
    assert log.status == "failed"
    assert ContactPoint.objects.get(messages_suppressed=True).value == log.debtor.mobile_phone
    again = queue(channel="sms", debt=log.debt)
    assert again.status == "blocked"
    assert again.failure_reason.startswith("suppressed")


def test_a_message_without_twilios_answer_is_uncertain(twilio, monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS, "twilio", Twilio(timeout_seconds=0.2))
    twilio.silent = 1
    log = queue(channel="sms")

    assert drain().statuses == {"uncertain": 1}

    log.refresh_from_db()
    assert log.status == "uncertain"
    assert len(twilio.orders) == 1


def test_twilios_client_does_not_log_each_request(twilio, caplog):
    queue(channel="sms")
    with caplog.at_level("INFO"):
        assert drain().statuses == {"sent": 1}

    assert not [record for record in caplog.records if record.name.startswith("twilio")]
