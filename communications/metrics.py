"""Metrics of the outbox for /metrics, counted from the rows because no process handles all messages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from communications.models import UNFINISHED_STATUSES, CommunicationLog, MessageStatus
from communications.sending import circuits
from contact.models import Purpose
from ddc.common.observing import health, metrics

_QUEUES = {
    "fast": [purpose.value for purpose in Purpose if purpose != Purpose.COLLECTION],
    "ddc": [Purpose.COLLECTION.value],
}
_WINDOW = timedelta(hours=24)


@metrics.source
def outbox() -> Iterator[Metric]:
    """Yield how many messages wait, and how long the oldest has been due."""
    now = timezone.now()
    depth = GaugeMetricFamily("ddc_outbox_messages", "Messages waiting and in progress.", labels=("queue", "status"))
    age = GaugeMetricFamily(
        "ddc_outbox_oldest_due_seconds",
        "Age of the oldest message that is due.",
        labels=("queue",),
    )
    # Literal statuses let PostgreSQL use the partial index.
    waiting = CommunicationLog.objects.filter(status__in=UNFINISHED_STATUSES)
    counts = {
        (row["purpose"], row["status"]): row["n"]
        for row in waiting.order_by().values("purpose", "status").annotate(n=Count("*"))
    }
    due = Min("due_at", filter=Q(due_at__lte=now) & ~Q(status=MessageStatus.SENDING))
    oldest = dict(waiting.order_by().values_list("purpose").annotate(since=due))
    for queue, purposes in _QUEUES.items():
        for status in UNFINISHED_STATUSES:
            depth.add_metric((queue, status.value), sum(counts.get((purpose, status), 0) for purpose in purposes))
        since = min((oldest[purpose] for purpose in purposes if oldest.get(purpose)), default=now)
        age.add_metric((queue,), (now - since).total_seconds())
    yield from (depth, age)


@metrics.source
def sends() -> Iterator[Metric]:
    """Yield the last day's messages by status, and how many uncertain ones wait for an agent."""
    results = GaugeMetricFamily(
        "ddc_messages_last_day",
        "Messages created in the last 24 hours, by status.",
        labels=("channel", "status"),
    )
    recent = CommunicationLog.objects.filter(created_at__gte=timezone.now() - _WINDOW).order_by()
    for row in recent.values("communication_type", "status").annotate(n=Count("*")):
        results.add_metric((row["communication_type"], row["status"]), row["n"])
    yield results
    uncertain = CommunicationLog.objects.filter(status=MessageStatus.UNCERTAIN).count()
    yield GaugeMetricFamily(
        "ddc_messages_uncertain", "Messages that may have been sent or not; an agent has to decide.", uncertain
    )


@metrics.source
def providers() -> Iterator[Metric]:
    """Yield which providers are down."""
    down = GaugeMetricFamily("ddc_provider_down", "Whether sending by a provider is paused.", labels=("provider",))
    known = circuits.known()
    for provider in sorted(known):
        down.add_metric((provider,), circuits.is_open(provider, known, now=timezone.now()))
    yield down


@health.detail("providers_down")
def providers_down(connection: "psycopg.Connection[tuple[Any, ...]]") -> list[str]:
    """Return the providers that are down. The site is healthy all the same: their messages wait."""
    return [
        row[0]
        for row in connection.execute("SELECT provider FROM provider_circuit WHERE opened_at IS NOT NULL ORDER BY 1")
    ]
