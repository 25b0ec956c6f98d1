"""A campaign of 5,000 messages over thirty countries in the running system, whose clock is moved on hour by hour."""

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from django.conf import settings
from django.db.models import Q

from communications.models import CommunicationLog
from tests.deep import campaign, processes
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN, TwilioStandIn

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]
COUNT, STEP = 5_000, timedelta(hours=1)


def test_of_5000_messages_none_arrives_at_night_and_what_was_put_off_goes_when_its_window_opens():
    campaign.queue(COUNT)
    broker = Celery(broker=settings.REDIS_URL)
    with SmtpStandIn() as smtp, TwilioStandIn() as twilio:
        environment = processes.environment(
            EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}", EMAIL_RATE="100000", SMS_BACKEND="twilio", SMS_RATE="100000",
            TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN, TWILIO_FROM_NUMBER=NUMBER, TWILIO_API_URL=twilio.url,
            OUTBOX_DRAINS="2",
        )  # fmt: skip
        arrivals = campaign.Arrivals(smtp, twilio)
        for at in campaign.steps(22, step=STEP):
            if due(at).exists():
                work(at, broker, environment)
            arrivals.note(at)

    arrivals.hold(COUNT)
    assert set(CommunicationLog.objects.values_list("status", flat=True)) == {"sent"}


def due(at: datetime):
    """What a worker has to look at by then, or has in its hands, or tries again in a moment."""
    soon = at + timedelta(minutes=5)
    return CommunicationLog.objects.filter(
        Q(status__in=["claimed", "sending"]) | Q(status__in=["queued", "postponed"], due_at__lte=soon)
    )


def work(at: datetime, broker: Celery, environment: dict[str, str]) -> None:
    """Let a worker whose clock shows this moment send what is due."""
    shift = int((at - datetime.now(UTC)).total_seconds()) + 1
    options = "-A ddc worker -Q ddc,fast -c 2 -l ERROR --without-mingle --without-gossip --without-heartbeat"
    worker = processes.start(
        "-m", "tests.faults.jumped", str(shift), *options.split(), env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        tick = broker.signature("communications.tasks.drain_outbox", queue="ddc")
        wait_until(lambda: not due(at).exists(), meanwhile=lambda: tick.apply_async(retry=False))
    finally:
        worker.terminate()
        worker.wait()


def wait_until(is_so: Callable[[], bool], *, meanwhile: Callable[[], object], seconds: float = 300) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it took too long"
        meanwhile()
        time.sleep(1)
