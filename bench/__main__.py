"""`make bench`: load generated data, and measure the site next to bare SQL on the same server."""

import argparse
import contextlib
import logging
import os
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
# Messages may go at any hour and at any rate, because only the site is measured.
os.environ |= {"CONTACT_WINDOW": "00:00-23:59", "EMAIL_RATE": "100000", "EMAIL_URL": "smtp://127.0.0.1"}

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from agents import api_tokens  # noqa: E402
from agents.models import Agent  # noqa: E402
from bench import (  # noqa: E402
    arrangements,
    bare,
    claiming,
    dataset,
    deciding,
    draining,
    importing,
    interest,
    load,
    pages,
    questions,
    site,
    strategy,
)


def main(arguments: list[str]) -> int:
    """Run all parts, print a table, and return 1 if results differ."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="amount of data: 0.1 is 10,000 debtors")
    parser.add_argument("--seconds", type=float, default=6, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="number of measurements; the median counts")
    parser.add_argument("--messages", type=int, default=10_000, help="number of messages to drain")
    parser.add_argument(
        "--pages",
        nargs="?",
        const="/",
        help="measure only pages of the back office: those with this text in their address",
    )
    chosen = parser.parse_args(arguments)
    call_command("migrate", verbosity=0)
    if Agent.objects.exists():
        sys.exit("This database has data. Run `make bench`, which fills an empty one.")
    return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    if chosen.pages is not None:
        print(_machine())
        with _log_elsewhere():
            return 1 if pages.compare(chosen.scale, chosen.rounds, chosen.pages) else 0
    dataset.load(chosen.scale)
    questions.prepare()
    print(_machine())
    with _log_elsewhere():
        wrong = _differences(chosen)
    for line in wrong:
        print(f"DIFFERENT: {line}")
    return 1 if wrong else 0


@contextlib.contextmanager
def _log_elsewhere() -> Iterator[None]:
    """Write log lines as in production, but not into the printed table."""
    with tempfile.TemporaryFile("w") as log, contextlib.redirect_stderr(log):
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(log)
        yield


def _differences(chosen: argparse.Namespace) -> list[str]:
    wrong = _http(chosen)
    ours, floor = questions.compute_dashboard()
    print(f"\nDashboard, computed: {ours * 1000:.1f} ms; bare SQL {floor * 1000:.1f} ms (x {floor / ours:.2f} as fast)")
    run = strategy.measure()
    first, second, floor = run["first"], run["second"], run["bare"]
    print(
        f"Strategy run, {run['queued']:,} messages queued: {first:.2f} s; bare SQL into the same tables {floor:.2f} s"
        f" (x {first / floor:.2f}); a second run {second:.2f} s ({second / first:.0%} of the first)"
    )
    if not run["same"]:
        wrong.append("the strategy run and bare SQL queued different messages")
    gate = deciding.measure(int(10_000 * min(1, chosen.scale * 10)), at=datetime(2025, 12, 31, 15, tzinfo=UTC))
    print(
        f"Contact gate, {gate['count']:,} messages by one process: {gate['decided']:,.0f} decisions a second;"
        f" {gate['with_facts']:,.0f} with their facts fetched, {gate['stored']:,.0f} stored as well; {gate['verdicts']}"
    )
    claimed = claiming.measure(min(chosen.messages, int(60_000 * chosen.scale)))
    print(
        f"Claiming {claimed['queued']:,} messages by one process: {claimed['per_second']:.0f} a second, with decisions; their"
        f" debtors got {claimed['history']:,} messages, {claimed['recent']:,} of them in the last 33 days"
    )
    drained = draining.measure(min(chosen.messages, int(60_000 * chosen.scale)))
    ours, bare_loop = drained["ours"], drained["bare"]
    print(
        f"Draining {drained['queued']:,} messages by {draining.WORKERS} workers: {ours:.0f} a second; bare smtplib over one"
        f" connection {bare_loop:.0f} (x {ours / bare_loop:.2f}); ended as {drained['ended']}"
    )
    imported = importing.measure(int(100_000 * min(1, chosen.scale)))
    ours, bare_copy = imported["ours"], imported["bare"]
    print(
        f"Importing {imported['accepted']:,} debts of known debtors: {ours:.2f} s; COPY of the same debts without a check or a"
        f" ledger {bare_copy:.2f} s (x {ours / bare_copy:.2f})"
    )
    plans = arrangements.measure(int(100_000 * min(1, chosen.scale)))
    ours, floor = plans["ours"], plans["bare"]
    print(
        f"Assessing {plans['count']:,} payment plans for a day: {ours:.2f} s; bare SQL {floor:.2f} s (x {ours / floor:.2f});"
        f" a tenth of them {plans['tenth']:.2f} s (x {ours / plans['tenth']:.1f} for ten times as many)"
    )
    if not plans["same"]:
        wrong.append("the assessment and bare SQL found different plans broken")
    month = interest.measure(int(100_000 * min(1, chosen.scale)))
    print(
        f"Interest at month end on {month['entries']:,} debts: {month['ours']:.2f} s; bare SQL {month['bare']:.2f} s"
        f" (x {month['ours'] / month['bare']:.2f}); {month['tenth_entries']:,} debts {month['tenth']:.2f} s; a second run"
        f" {month['second']:.2f} s"
    )
    if month["again"]:
        wrong.append(f"a second month end posted {month['again']} entries")
    return wrong


def _http(chosen: argparse.Namespace) -> list[str]:
    agent = Agent.objects.create_user("bench", is_staff=True, is_superuser=True)
    _, token = api_tokens.create(agent, now=timezone.now())
    wrong = []
    print(
        f"\nRequests by {load.tool()}, {load.CLIENTS} connections; bare SQL by pgbench, prepared statements, as many clients."
    )
    print(f"{'':30}{'req/s':>9}{'min':>9}{'max':>9}{'p50 ms':>9}{'p99 ms':>9}{'bad':>5}{'SQL tx/s':>10}{'ratio':>8}")
    with site.started(token) as web:
        for question in questions.questions():
            wrong += _compared(web, question)
            asked = [("POST", question.paths[0], body) for body in question.bodies]
            asked = asked or [("GET", path, "") for path in question.paths]
            load.measure(web.port, asked, web.headers, 1)
            runs, floors = [], []
            for _ in range(chosen.rounds):
                runs.append(load.measure(web.port, asked, web.headers, chosen.seconds))
                floors.append(bare.per_second(question.bare, chosen.seconds / 2))
            _print(question.name, runs, statistics.median(floors))
        print(f"Peak memory of the web server's processes: {', '.join(f'{each} MiB' for each in web.memory())}")
    return wrong


def _print(name: str, runs: list[load.Measured], floor: float) -> None:
    rates = [run.per_second for run in runs]
    middle = statistics.median(rates)
    p50, p99 = (statistics.median(getattr(run, part) for run in runs) for part in ("p50", "p99"))
    print(
        f"{name:30}{middle:9.0f}{min(rates):9.0f}{max(rates):9.0f}{p50:9.1f}{p99:9.1f}{sum(run.bad for run in runs):5}"
        f"{floor:10.0f}{middle / floor:8.2f}",
        flush=True,
    )


def _compared(web: site.Site, question: questions.Question) -> list[str]:
    """Compare some answers with the rows that bare SQL finds."""
    if question.same is None:
        return _same_dashboard(web.ask("/dashboard/stats")) if "dashboard" in question.name else []
    wrong = []
    for path in random.Random(1).sample(question.paths, min(len(question.paths), 5)):
        with connection.cursor() as cursor:
            cursor.execute(question.same(path))
            expected = [(str(pk), figure) for pk, figure in cursor.fetchall()]
        found = [(row["id"], Decimal(row[question.figure] or 0)) for row in web.ask(path)["data"]]
        if found != expected:
            wrong.append(path)
    return wrong


def _same_dashboard(figures: dict[str, Any]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency_code, sum(current_balance), count(*) FROM debt"
            " WHERE current_status IN ('active', 'payment_plan', 'deferred', 'disputed') GROUP BY 1 ORDER BY 1"
        )
        expected = cursor.fetchall()
    parts = figures["totalDebtAmountByCurrency"]
    found = [(part["currencyCode"], Decimal(part["amount"]), part["debts"]) for part in parts]
    return [] if found == expected else ["/dashboard/stats"]


def _machine() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    busy = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"\n{datetime.now(UTC):%Y-%m-%d %H:%M}: {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {version}"
        f" (fsync {fsync}), {busy}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
