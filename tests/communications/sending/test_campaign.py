"""A campaign that is queued at night in many time zones."""

from datetime import timedelta

import pytest

from communications.models import CommunicationLog
from communications.sending import worker
from tests.deep import campaign

pytestmark = pytest.mark.django_db


def test_no_message_of_a_campaign_in_thirty_countries_arrives_outside_the_contact_window(smtp, twilio):
    step = timedelta(minutes=30)
    campaign.queue(96)
    arrivals = campaign.Arrivals(smtp, twilio)
    for at in campaign.steps(22, step=step):
        waiting = CommunicationLog.objects.filter(status__in=["queued", "postponed"], due_at__lte=at)
        if waiting.exists():
            worker.drain(clock=lambda at=at: at)
        arrivals.note(at)

    arrivals.hold(96)
