"""The strategy's runs in figures, for /metrics."""

from collections.abc import Iterator

from django.db.models import Count, Max
from prometheus_client.core import GaugeMetricFamily, Metric

from ddc.common.observing import metrics
from strategy.models import StrategyRun


@metrics.source
def runs() -> Iterator[Metric]:
    """Tell how many runs ended how, and when the last real one was done."""
    status = GaugeMetricFamily("ddc_strategy_runs", "Runs of the strategy by status.", labels=("status",))
    counts = dict(StrategyRun.objects.order_by().values_list("status").annotate(n=Count("*")))
    for value in StrategyRun.Status.values:
        status.add_metric((value,), counts.get(value, 0))
    yield status
    done = StrategyRun.objects.filter(status=StrategyRun.Status.DONE, dry_run=False).aggregate(at=Max("finished_at"))[
        "at"
    ]
    yield GaugeMetricFamily(
        "ddc_strategy_last_done_timestamp_seconds", "When the last real run was done.", done.timestamp() if done else 0
    )
