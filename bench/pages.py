"""Measure the pages of the back office with little and with much data: times, queries, and the rows that each query reads."""

import json
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent
from bench import dataset
from collection.models import Debt
from ddc.common.admin import windows
from ddc.common.admin.pages import BackOffice
from ddc.common.postgresql import owner
from debtors.models import Debtor

#: The scale with 10,000 debts, with which the larger one is compared.
SMALL = 0.0667
MOST_QUERIES, MOST_TIMES, MOST_ROWS = 20, 2.0, 100_000
#: Below this a ratio of times is noise.
_LEAST_SECONDS = 0.1
#: The choices of a filter that are measured.
_CHOICES = 4


@dataclass(frozen=True)
class Page:
    """A page's median time, its number of queries, and the tables of which a query reads too many rows."""

    seconds: float
    queries: int
    scans: tuple[str, ...]


def compare(scale: float, rounds: int, wanted: str) -> list[str]:
    """Load little data, measure, load much, measure again; print the table, and return what breaks the limits.

    :param wanted: measure only the pages that have this in their address
    """
    agent = Agent.objects.create_user("desk", is_staff=True, is_superuser=True)
    small = _measured(SMALL, agent, rounds, wanted)
    large = _measured(scale, agent, rounds, wanted)
    wrong = []
    print(f"\nPages of the back office, {Debt.objects.count():,} debts beside 10,000, slowest first")
    print(f"{'small ms':>9}{'large ms':>9}{'ratio':>7}{'queries':>9}  page")
    for path, page in sorted(large.items(), key=lambda each: -each[1].seconds):
        before = small.get(path)
        ratio = page.seconds / before.seconds if before else 0.0
        faults = list(page.scans)
        if page.queries > MOST_QUERIES:
            faults.append(f"{page.queries} queries")
        if ratio > MOST_TIMES and page.seconds > _LEAST_SECONDS:
            faults.append(f"{ratio:.1f} times as long")
        shown = f"{before.seconds * 1000:9.0f}" if before else f"{'-':>9}"
        print(f"{shown}{page.seconds * 1000:9.0f}{ratio:7.1f}{page.queries:9}  {path}  {'; '.join(faults)}")
        wrong += [f"{path}: {fault}" for fault in faults]
    print(
        f"{len(large)} pages; {len(wrong)} beyond {MOST_QUERIES} queries, {MOST_TIMES} times or {MOST_ROWS:,} rows read"
    )
    return wrong


def _measured(scale: float, agent: Agent, rounds: int, wanted: str) -> dict[str, Page]:
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(dataset.SIZES)}, creditor, segment, communication_templates CASCADE")
    dataset.load(scale)
    settings.SECOND_FACTOR = "optional"  # Signing in is not measured.
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(agent)
    return {name: _ask(client, path, rounds) for name, path in _paths(agent) if wanted in path}


def _paths(agent: Agent) -> Iterator[tuple[str, str]]:
    """Yield each page by a name that does not depend on the data, and its address."""
    yield from ((name, reverse(name)) for name in ("admin:index", "system-health"))
    for model in (Debtor, Debt):
        key = model._default_manager.order_by("pk").values_list("pk", flat=True)[0]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        yield name, reverse(name, args=[key])
    for model, page in admin.site._registry.items():
        if isinstance(page, BackOffice) and model._meta.model_name != "agencyprofile":
            url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            yield from ((f"{url}?{query}", f"{url}?{query}") for query in _queries(page, agent))


def _queries(page: Any, agent: Agent) -> Iterator[str]:
    """Yield the query of a list, of its last page, a search, and for a large table each order and some choices of each filter."""
    yield from ("", "p=200")
    if page.search_fields:
        yield urlencode({"q": "smith"})
    if page.opts.db_table not in windows.LARGE:
        return
    request = RequestFactory().get("/")
    request.user = agent
    changes = page.get_changelist_instance(request)
    for number, name in enumerate(changes.list_display):
        if changes.get_ordering_field(name) and (changes.sortable_by is None or name in changes.sortable_by):
            yield from (f"o={number}", f"o=-{number}")
    for spec in changes.filter_specs:
        choices = filter(None, (choice.get("query_string", "").lstrip("?") for choice in spec.choices(changes)))
        yield from islice(choices, _CHOICES)


def _ask(client: Client, path: str, rounds: int) -> Page:
    with CaptureQueriesContext(connection) as made:
        answer = client.get(path, follow=True)
    queries = [query["sql"] for query in made.captured_queries]  # The next request empties the log.
    if answer.status_code != 200:
        raise RuntimeError(f"GET {path}: {answer.status_code}")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(path, follow=True)
        times.append(time.perf_counter() - began)
    reads = [sql for sql in queries if re.match(r"[\s(]*(SELECT|WITH)", sql)]
    scans = sorted({scan for sql in reads for scan in _scans(sql)})
    return Page(statistics.median(times), len(queries), tuple(scans))


def _scans(sql: str) -> Iterator[str]:
    """Yield the tables of which a query reads more rows than a page may, by running it again with EXPLAIN ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        (plans,) = cursor.fetchone()
    yield from _read((plans if isinstance(plans, list) else json.loads(plans))[0]["Plan"])


def _read(plan: dict[str, Any]) -> Iterator[str]:
    if table := plan.get("Relation Name"):
        read = (
            plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        )
        if read * plan["Actual Loops"] > MOST_ROWS:
            yield f"{plan['Node Type']} of {table}: {read * plan['Actual Loops']:,.0f} rows"
    for part in plan.get("Plans", ()):
        yield from _read(part)
