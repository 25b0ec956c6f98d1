"""Measure how fast one worker claims: messages locked, contacts of their debtors read, decisions of the contact gate stored."""

import time
from datetime import timedelta
from typing import Any

from django.db import connection

from bench import draining
from communications.models import CommunicationLog
from communications.outbox.outbox import Queue
from communications.sending import batches, worker
from debtors.channels import Channel

_FOUND = """
SELECT count(*), count(*) FILTER (WHERE sent_at > %s - interval '33 days') FROM communication_log
WHERE debtor_id IN (SELECT debtor_id FROM communication_log WHERE created_at = %s AND status = 'claimed') AND sent_at IS NOT NULL
"""


def measure(count: int) -> dict[str, Any]:
    """Queue messages and claim them all; return the rate, and how many earlier messages their debtors have, in all and lately.

    The messages are deleted afterwards.
    """
    now, claimed = draining.NOW, 0
    queued = draining.queue(count)
    began = time.perf_counter()
    while batch := batches.claim(
        channel=Channel.EMAIL, now=now, limit=worker.MAX_BATCH, lease=timedelta(hours=1), queue=Queue.ALL
    ).size:
        claimed += batch
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [now, now])
        history, recent = cursor.fetchone()
    CommunicationLog.objects.filter(created_at=now, status__in=("claimed", "postponed")).delete()
    return {"queued": queued, "per_second": claimed / seconds, "history": history, "recent": recent}
