"""Metrics for Prometheus: request times over all web processes, and values that each scrape reads from the database.

Without METRICS_TOKEN nothing is counted.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ddc.common.postgresql import timeouts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: The folder with the counts of all processes of a web server. It is set before the library is imported; see ddc/wsgi.py.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: The time limit of a scrape, so that it does not burden the database.
SCRAPE_SECONDS = 2.0
#: Every label value creates a lasting time series, so callers cannot choose one.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger(__name__)

Source = Callable[[], Iterable[Metric]]
SOURCES: list[Source] = []


def source(ask: Source) -> Source:
    """Register a function that returns metrics at each scrape."""
    SOURCES.append(ask)
    return ask


def known(method: str | None) -> str:
    """Return the method, or "other" for an unknown one."""
    return method if method in _METHODS else "other"


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request by its ``known`` method and its route."""
    if settings.METRICS_TOKEN:
        _times.labels(method, route).observe(seconds)
        _answers.labels(method, route, str(status)).inc()


def render() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    if SHARED in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = _own
    return generate_latest(registry) + generate_latest(_DatabaseMetrics())


class _DatabaseMetrics(Collector):
    """The metrics from the database. A source that fails is left out, and an unreachable database is a metric itself."""

    def collect(self) -> Iterable[Metric]:
        ends = time.monotonic() + SCRAPE_SECONDS
        found: list[Metric] = []
        up = 0
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                timeouts.limit_until(ends, cursor)
                up = 1
                for ask in SOURCES:
                    found += _answer(ask, ends=timeouts.halfway_to(ends))
        except (DatabaseError, InterfaceError) as error:
            log.warning("metrics_failed", error=type(error).__name__)
        yield GaugeMetricFamily("ddc_database_up", "Whether the database answered this scrape.", up)
        yield from found


def _answer(ask: Source, *, ends: float) -> list[Metric]:
    """Return the metrics of a source, or none if it takes too long."""

    def within_time(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        timeouts.limit_until(ends, context["cursor"].cursor)
        return execute(sql, params, many, context)

    try:
        with transaction.atomic(), connection.execute_wrapper(within_time):
            return list(ask())
    except (DatabaseError, InterfaceError) as error:
        log.warning("metrics_left_out", source=ask.__name__, error=type(error).__name__)
        return []


# Created at import: two simultaneous requests would both create them, which the library refuses.
_own = CollectorRegistry()
_LABELS = ("method", "route")
_times = Histogram("ddc_request_seconds", "Duration of requests.", _LABELS, buckets=_BUCKETS, registry=_own)
_answers = Counter("ddc_requests", "Answers by status.", (*_LABELS, "status"), registry=_own)
