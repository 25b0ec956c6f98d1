"""What Prometheus may know: request times, summed over the web server's processes.

Without METRICS_TOKEN nothing is counted. The database's figures are not counted here but asked of it at each scrape.
"""

import os
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: Where the processes of one web server keep their counts; set before the library is imported, see ddc/wsgi.py.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: A scrape must not be what the database groans under.
_PATIENCE = "2s"

Source = Callable[[], Iterable[Metric]]
_sources: list[Source] = []


def source(ask: Source) -> Source:
    """Register a function that is asked for figures at each scrape."""
    _sources.append(ask)
    return ask


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request."""
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
    """The database's figures; where it doesn't answer, that is the figure."""

    def collect(self) -> Iterable[Metric]:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_PATIENCE])
                figures = [figure for ask in _sources for figure in ask()]
            up = 1
        except (DatabaseError, InterfaceError):
            figures, up = [], 0
        yield GaugeMetricFamily("ddc_database_up", "Whether the database answered this scrape.", up)
        yield from figures


# Made here and not when first needed: two requests at once would both make them, which the library refuses.
_own = CollectorRegistry()
_LABELS = ("method", "route")
_times = Histogram("ddc_request_seconds", "How long requests took.", _LABELS, buckets=_BUCKETS, registry=_own)
_answers = Counter("ddc_requests", "Answers by status.", (*_LABELS, "status"), registry=_own)
