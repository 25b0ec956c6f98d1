"""At three in the morning UTC, to everybody: nobody's telephone rings at night."""

from datetime import timedelta

import pytest

from communications.models import CommunicationLog
from communications.sending import worker
from tests.deep import campaign

pytestmark = pytest.mark.django_db


def test_of_a_campaign_over_thirty_countries_nothing_arrives_outside_the_receivers_window(smtp, twilio):
    step = timedelta(minutes=30)
    campaign.queue(96)
    arrivals = campaign.Arrivals(smtp, twilio)
    for at in campaign.steps(22, step=step):
        waiting = CommunicationLog.objects.filter(status__in=["queued", "postponed"], due_at__lte=at)
        if waiting.exists():
            worker.drain(clock=lambda at=at: at)
        arrivals.note(at)

    arrivals.hold(96)
