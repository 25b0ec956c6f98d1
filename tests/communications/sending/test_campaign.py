"""A campaign to thirty countries: at three in the morning UTC, and at half past seven in the evening by each receiver's clock."""

from datetime import timedelta

import pytest

from communications.models import CommunicationLog
from communications.sending import worker
from tests.deep import campaign

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("due_at", "hours"), [(campaign.at_night, 22), (campaign.in_the_evening, 46)])
@pytest.mark.parametrize("count", [320, pytest.param(5_000, marks=pytest.mark.deep)])
def test_no_message_arrives_outside_the_contact_window(smtp, twilio, count, due_at, hours):
    campaign.queue(count, due_at=due_at)
    arrivals = campaign.Arrivals(smtp, twilio)
    for at in campaign.steps(hours, step=timedelta(minutes=30)):
        waiting = CommunicationLog.objects.filter(status__in=["queued", "postponed"], due_at__lte=at)
        if waiting.exists():
            worker.drain(clock=lambda at=at: at)
        arrivals.note(at)

    arrivals.hold(count, due_at=due_at)
