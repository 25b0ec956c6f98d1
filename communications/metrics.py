"""The outbox in figures, for /metrics; read from the rows, for no process sees all messages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from communications.models import CommunicationLog, MessageStatus, Purpose
from communications.sending import circuits
from ddc.common.observing import health, metrics

_OPEN = (MessageStatus.QUEUED, MessageStatus.POSTPONED, MessageStatus.CLAIMED, MessageStatus.SENDING)
_LANES = {Purpose.SOLICITED: "fast", Purpose.COLLECTION: "ddc"}
_WINDOW = timedelta(hours=24)


@metrics.source
def outbox() -> Iterator[Metric]:
    """Tell what waits: how many messages, and for how long the first has been due."""
    now = timezone.now()
    depth = GaugeMetricFamily(
        "ddc_outbox_messages", "Messages that wait or are on their way.", labels=("lane", "status")
    )
    age = GaugeMetricFamily(
        "ddc_outbox_oldest_due_seconds",
        "For how long the oldest message that may go now has been due.",
        labels=("lane",),
    )
    # The literal statuses let PostgreSQL use the index of what waits.
    waiting = CommunicationLog.objects.filter(status__in=_OPEN)
    counts = {
        (row["purpose"], row["status"]): row["n"]
        for row in waiting.order_by().values("purpose", "status").annotate(n=Count("*"))
    }
    due = Min("due_at", filter=Q(due_at__lte=now) & ~Q(status=MessageStatus.SENDING))
    oldest = dict(waiting.order_by().values_list("purpose").annotate(since=due))
    for purpose, lane in _LANES.items():
        for status in _OPEN:
            depth.add_metric((lane, status.value), counts.get((purpose, status), 0))
        since = oldest.get(purpose)
        age.add_metric((lane,), (now - since).total_seconds() if since else 0)
    yield from (depth, age)


@metrics.source
def sends() -> Iterator[Metric]:
    """Tell how sending goes: what became of a day's messages, and how many wait for a person to settle them."""
    results = GaugeMetricFamily(
        "ddc_messages_last_day",
        "Messages made in the last 24 hours, by what became of them.",
        labels=("channel", "status"),
    )
    recent = CommunicationLog.objects.filter(created_at__gte=timezone.now() - _WINDOW).order_by()
    for row in recent.values("communication_type", "status").annotate(n=Count("*")):
        results.add_metric((row["communication_type"], row["status"]), row["n"])
    yield results
    uncertain = CommunicationLog.objects.filter(status=MessageStatus.UNCERTAIN).count()
    yield GaugeMetricFamily("ddc_messages_uncertain", "Messages of which nobody knows whether they went.", uncertain)


@metrics.source
def providers() -> Iterator[Metric]:
    """Tell which providers are taken to be down."""
    down = GaugeMetricFamily(
        "ddc_provider_down", "Whether nothing is sent by a provider for now.", labels=("provider",)
    )
    known = circuits.known()
    for provider in sorted(known):
        down.add_metric((provider,), circuits.is_open(provider, known, now=timezone.now()))
    yield down


@health.note("providers_down")
def providers_down(connection: "psycopg.Connection[tuple[Any, ...]]") -> list[str]:
    """Name the providers that are taken to be down; the site is well all the same, and their messages wait."""
    return [
        row[0]
        for row in connection.execute("SELECT provider FROM provider_circuit WHERE opened_at IS NOT NULL ORDER BY 1")
    ]
