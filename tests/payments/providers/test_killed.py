"""A worker that is killed between the event and its booking: nothing is lost, nothing is booked twice."""

import subprocess
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from ddc.common import event_inbox
from payments import intents, provider_events
from payments.models import ProviderEvent, Receipt
from tests import factories
from tests.deep import processes
from tests.payments.receipts.makers import balance, no_difference
from tests.standins.stripe import StripeStandIn

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import sys, time, django
django.setup()
from django.utils.timezone import now
from payments import provider_events, receipts

def stop(*args, **kwargs):
    print("here", flush=True)
    time.sleep(60)

if sys.argv[1] == "claimed":
    provider_events._handle_one = stop
else:
    receipts.booked.connect(stop)  # The receipt is written, and not committed.
provider_events.handle(clock=now)
"""


@pytest.mark.parametrize("point", ["claimed", "booked"])
def test_an_event_outlives_its_worker(stripe: StripeStandIn, point: str):
    debt = factories.debt(balance=100, currency_code="EUR")
    intent = intents.create(debt.debtor, [debt.pk], amount=Decimal(100), key="k", now=now())
    for each in stripe.pay(str(intent.provider_id)):
        provider_events.store("stripe", each["id"], each, now=now())
    with processes.start("-c", WORKER, point, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "here\n"
        worker.kill()
    assert (Receipt.objects.count(), balance(debt)) == (0, 100)
    provider_events.handle(clock=now)  # The second event is free, the first one is still leased.
    provider_events.handle(clock=lambda: now() + event_inbox.LEASE + timedelta(seconds=1))
    assert not ProviderEvent.objects.filter(processed_at=None).exists()
    assert (Receipt.objects.count(), balance(debt)) == (1, 0)
    intent.refresh_from_db()
    assert intent.status == "captured"
    assert no_difference()
