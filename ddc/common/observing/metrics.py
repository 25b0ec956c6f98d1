"""What Prometheus may know: request times, summed over the web server's processes.

Without METRICS_TOKEN nothing is counted. The database's figures are not counted here but asked of it at each scrape.
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
#: Where the processes of one web server keep their counts; set before the library is imported, see ddc/wsgi.py.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: For all of a scrape: it must not be what the database groans under.
PATIENCE_SECONDS = 2.0
#: Each label makes figures that stay for good, so callers choose none.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger(__name__)

Source = Callable[[], Iterable[Metric]]
_sources: list[Source] = []


def source(ask: Source) -> Source:
    """Register a function that is asked for figures at each scrape."""
    _sources.append(ask)
    return ask


def known(method: str | None) -> str:
    """Return the method, or "other" for what a caller made up."""
    return method if method in _METHODS else "other"


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request, by its method as ``known`` has it and a route of ours."""
    if settings.METRICS_TOKEN:
        _times.labels(method, route).observe(seconds)
        _answers.labels(method, route, str(status)).inc()


def render() -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry()
    if SHARED in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = _own
    return generate_latest(registry) + generate_latest(_Asked())


class _Asked(Collector):
    """The database's figures; where it doesn't answer, that is the figure, and where one can't be had, the others are there."""

    def collect(self) -> Iterable[Metric]:
        ends = time.monotonic() + PATIENCE_SECONDS
        figures: list[Metric] = []
        up = 0
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                timeouts.limit_until(ends, cursor)
                up = 1
                for ask in _sources:
                    figures += _answer(ask, ends=timeouts.halfway_to(ends))
        except (DatabaseError, InterfaceError) as error:
            log.warning("figures_failed", error=type(error).__name__)
        yield GaugeMetricFamily("ddc_database_up", "Whether the database answered this scrape.", up)
        yield from figures


def _answer(ask: Source, *, ends: float) -> list[Metric]:
    """Ask a source; what it can't tell in time is left out."""

    def within_time(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        timeouts.limit_until(ends, context["cursor"].cursor)
        return execute(sql, params, many, context)

    try:
        with transaction.atomic(), connection.execute_wrapper(within_time):
            return list(ask())
    except (DatabaseError, InterfaceError) as error:
        log.warning("figures_left_out", source=ask.__name__, error=type(error).__name__)
        return []


# Made here and not when first needed: two requests at once would both make them, which the library refuses.
_own = CollectorRegistry()
_LABELS = ("method", "route")
_times = Histogram("ddc_request_seconds", "How long requests took.", _LABELS, buckets=_BUCKETS, registry=_own)
_answers = Counter("ddc_requests", "Answers by status.", (*_LABELS, "status"), registry=_own)
