"""Metrics of strategy runs."""

from collections.abc import Iterator

from django.db.models import Count, Max
from prometheus_client.core import GaugeMetricFamily, Metric

from ddc.common.observing import metrics
from strategy.models import StrategyRun, StrategySlice


@metrics.source
def runs() -> Iterator[Metric]:
    """Yield the number of runs by status, and when the last real run was done."""
    status = GaugeMetricFamily("ddc_strategy_runs", "Strategy runs by status.", labels=("status",))
    counts = dict(StrategyRun.objects.order_by().values_list("status").annotate(n=Count("*")))
    for value in StrategyRun.Status.values:
        status.add_metric((value,), counts.get(value, 0))
    yield status
    done = StrategyRun.objects.filter(status=StrategyRun.Status.DONE, dry_run=False)
    last = done.aggregate(last=Max("finished_at"))["last"]
    yield GaugeMetricFamily(
        "ddc_strategy_last_done_timestamp_seconds", "When the last real run was done.", last.timestamp() if last else 0
    )
    slices = StrategySlice.objects.filter(run__status=StrategyRun.Status.RUNNING)
    family = GaugeMetricFamily("ddc_strategy_slices", "Slices of the run under way.", labels=("state",))
    family.add_metric(("done",), slices.filter(done_at__isnull=False).count())
    family.add_metric(("open",), slices.filter(done_at=None).count())
    yield family
