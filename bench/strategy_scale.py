"""Measure a strategy run over many debts: 20 rules, 6 segments and a fifth of the debts due, next to hand-written SQL.

    python -m ddc.stack run -- python -m bench.strategy_scale 100000 1000000

Each count of debts is measured with one process and with a second one that helps. The database has to be empty.
"""

import itertools
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from collection.models import Segment  # noqa: E402
from collection.segments import assignment  # noqa: E402
from communications.models import CommunicationTemplate  # noqa: E402
from creditors import creditors  # noqa: E402
from ddc.common.postgresql import owner  # noqa: E402
from strategy import runs  # noqa: E402
from strategy.models import StrategyRule, StrategyRun  # noqa: E402

DAY = date(2026, 6, 30)
SEGMENTS, RULES, LATENESS, PLACED_WITHIN = 6, 20, 5, 100
_DEBTORS = """
    INSERT INTO debtor (id, email, normal_email, first_name, last_name, mobile_phone, normal_phone, address_line1, city,
        country_code, language_preference, created_at, updated_at)
    SELECT uuidv7(), 'debtor.' || n || '@example.com', 'debtor.' || n || '@example.com', 'Ann', 'Doe', NULL, NULL,
        '1 High Street', 'London', (ARRAY['GB', 'DE', 'FR', 'IT'])[n %% 4 + 1], 'en', now(), now()
    FROM generate_series(1, %(count)s * 2 / 3) AS n
"""
_DEBTS = """
    INSERT INTO debt (id, debtor_id, segment_id, creditor_id, currency_code, original_balance, current_balance, current_status,
        placement_date, due_date, p2p_score, created_at, updated_at)
    SELECT uuidv7(), debtor.id, NULL, %(creditor)s, 'EUR', 100 + n %% 900, 100 + n %% 900, 'active',
        %(day)s::date - (n * 7919 %% %(within)s)::int, NULL, (n * 31 %% 1000) / 1000.0, now(), now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM debtor) AS debtor
    CROSS JOIN LATERAL (SELECT debtor.number AS n UNION ALL SELECT debtor.number + 500000000 WHERE debtor.number %% 2 = 0) AS debt
"""
# The same messages and steps by hand: no reasons, no report, no holds, no addresses.
_BARE = """
    WITH matched AS MATERIALIZED (
        SELECT rule.id AS rule_id, rule.template_id, rule.channel, debt.id AS debt_id, debt.debtor_id, uuidv7() AS message_id,
            debt.placement_date + (rule.trigger ->> 'days_since_placement')::int AS occurrence
        FROM strategy_rule AS rule JOIN debt ON debt.segment_id = rule.segment_id
        WHERE %(day)s::date - debt.placement_date - (rule.trigger ->> 'days_since_placement')::int
              BETWEEN 0 AND rule.max_lateness_days
          AND debt.current_status = 'active' AND debt.current_balance > 0
          AND NOT EXISTS (SELECT FROM strategy_step AS step WHERE step.rule_id = rule.id AND step.debt_id = debt.id)
        ORDER BY debt.id
    ), log AS (
        INSERT INTO communication_log
            (id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, due_at, expires_at)
        SELECT message_id, %(now)s, %(now)s, debtor_id, debt_id, template_id, channel, %(now)s, %(now)s FROM matched
    )
    INSERT INTO strategy_step (rule_id, debt_id, anchor, occurrence, run_id, message_id)
    SELECT rule_id, debt_id, debt_id, occurrence, %(run)s, message_id FROM matched
"""
_DIGEST = """
    SELECT count(*), md5(string_agg(rule_id::text || debt_id || anchor || occurrence, '' ORDER BY rule_id, debt_id, anchor))
    FROM strategy_step
"""
_WAITS = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
_HELP = """
import django, time
django.setup()
from django.utils import timezone
from strategy import runs
from strategy.models import StrategyRun
while not (run := StrategyRun.objects.filter(status="running", slices__isnull=False).first()):
    time.sleep(0.01)
runs.help_with(str(run.pk), clock=timezone.now)
"""


def main(counts: list[int]) -> int:
    """Measure each count of debts, print a line for each way, and return 1 if results differ."""
    call_command("migrate", verbosity=0)
    rules()
    wrong = 0
    for count in counts:
        load(count)
        with lock_waits() as longest:
            alone, digest = measure(ours)
            again = measure(ours, undo=True)[0]
            by_two, shared = measure(helped, undo=True)
            by_hand, bare = measure(by_hand_sql, undo=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{count:,} debts, {digest[0]:,} messages: {alone:.1f} s; the same day again {again:.1f} s; with a second worker "
            f"{by_two:.1f} s; SQL by hand {by_hand:.1f} s (x {alone / by_hand:.2f}); peak {peak:.0f} MB; "
            f"longest lock wait {max(longest):.2f} s"
        )
        if not digest == shared == bare:
            print("DIFFERENT steps")
            wrong = 1
    return wrong


def rules() -> None:
    """Create 6 segments by score, and 20 rules of them."""
    template = CommunicationTemplate.objects.create(name="notice", communication_type="email", subject="A", body="B")
    edges = [number / SEGMENTS for number in range(SEGMENTS + 1)]
    segments = [
        Segment.objects.create(name=f"segment {number}", min_p2p_score=round(low, 3), max_p2p_score=round(high, 3))
        for number, (low, high) in enumerate(itertools.pairwise(edges))
    ]
    for number in range(RULES):
        StrategyRule.objects.create(
            name=f"rule {number}", segment=segments[number % SEGMENTS], template=template, channel="email",
            trigger={"type": "TimeTrigger", "days_since_placement": 4 * number}, max_lateness_days=LATENESS, priority=number + 1,
        )  # fmt: skip
    creditors.create(name="ABC Credit Corp")


def load(count: int) -> None:
    """Replace all debtors and debts."""
    creditor = creditors.find("ABC Credit Corp")
    assert creditor is not None
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE debt, debtor, communication_log, strategy_step CASCADE")
        cursor.execute(_DEBTORS, {"count": count})
        cursor.execute(_DEBTS, {"day": DAY, "within": PLACED_WITHIN, "creditor": creditor.pk})
        cursor.execute("SET session_replication_role = DEFAULT")
    assignment.assign_all(today=DAY)
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(work: Any, *, undo: bool = False) -> tuple[float, Any]:
    """Return the seconds that some work takes, and the steps afterwards."""
    if undo and work is not ours:
        take_back()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST)
        return seconds, cursor.fetchone()


def ours() -> None:
    """Run the strategy in this process."""
    runs.run_now(day=DAY, dry_run=False, by=None, clock=timezone.now)


def helped() -> None:
    """Run the strategy with the help of a second process."""
    with subprocess.Popen([sys.executable, "-c", _HELP]) as helper:
        time.sleep(3)  # It takes this long to start.
        began = time.perf_counter()
        ours()
        print(f"  with a second worker, without its start: {time.perf_counter() - began:.1f} s")
        helper.wait(60)


def by_hand_sql() -> None:
    """Queue the same messages by one statement; the debts are in their segments already."""
    run = StrategyRun.objects.create(date=DAY, status="done")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BARE, {"day": DAY, "now": timezone.now(), "run": run.pk})


def take_back() -> None:
    """Delete all messages and steps."""
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE communication_log, strategy_step CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE debt")


@contextmanager
def lock_waits() -> Iterator[list[float]]:
    """Collect how long sessions have waited for locks, ten times a second."""
    seen, ended = [0.0], threading.Event()

    def watch() -> None:
        with connection.cursor() as cursor:
            while not ended.wait(0.1):
                cursor.execute(_WAITS)
                seen.append(cursor.fetchone()[0])
        connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main([int(count) for count in sys.argv[1:]] or [100_000]))
