"""No list or search of the back office reads a large table whole: each query's plan is run and its rows counted."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from audit.models import AuditEvent
from collection.models import Debt, LedgerEntry
from communications.models import CallTask, CommunicationLog, InboundMessage
from ddc.common.admin import windows
from ddc.common.admin.pages import MAX_ROWS
from debtors import search as people
from debtors.models import ContactPoint, Debtor
from payments.models import Payment
from portal.models import DigitalActivity
from tests.admin.conftest import Browser

pytestmark = pytest.mark.django_db

ROWS = 30_000
#: A window of a tenth. A page may read its rows, and those of each table that it joins.
MOST_IN_WINDOW = ROWS // 10
#: A search reads a table in the order of time until it has found enough, or only what an index finds.
MOST_READ = 10 * people.MAX_FOUND
LISTS: tuple[Any, ...] = (
    Debtor,
    Debt,
    Payment,
    CommunicationLog,
    InboundMessage,
    CallTask,
    LedgerEntry,
    ContactPoint,
    AuditEvent,
    DigitalActivity,
)


#: One debtor is called Zoë Xquint, and is among the oldest.
FILL = (
    f"""
    INSERT INTO debtor (first_name, last_name, email, normal_email, mobile_phone, normal_phone, postal_code, created_at)
    SELECT CASE n WHEN 7 THEN 'Zoë' ELSE substr(md5(n::text), 1, 6) END,
        CASE n WHEN 7 THEN 'Xquint' ELSE 'M' || substr(md5((n * 7)::text), 1, 7) END, email, email,
        phone, phone, 'MA' || mod(n, 90) || ' 1AA', now() - ({ROWS} - n) * interval '1 min'
    FROM generate_series(1, {ROWS}) AS n CROSS JOIN LATERAL (
        SELECT 'mail' || n || '@example.com' AS email, '+447' || lpad(n::text, 9, '0') AS phone
    ) AS addresses
    """,
    "INSERT INTO creditor (name) VALUES ('Large')",
    """
    INSERT INTO debt (debtor_id, creditor_id, external_reference, normal_reference, original_balance, current_balance,
        currency_code, current_status, placement_date, created_at)
    SELECT debtor.id, creditor.id, 'INV-' || substr(mobile_phone, 5), 'inv-' || substr(mobile_phone, 5), 10, 10, 'GBP', 'active',
        '2026-01-01', debtor.created_at
    FROM debtor, creditor
    """,
    """
    INSERT INTO payment (debt_id, amount, currency_code, status, payment_method, payment_date, created_at)
    SELECT id, 1, 'GBP', 'pending', 'card', '2026-01-02', created_at FROM debt
    """,
    """
    INSERT INTO ledger_entry (debt_id, kind, amount, currency_code, value_date, posted_at, cause)
    SELECT id, 'placement', 10, 'GBP', '2026-01-02', created_at, '{}' FROM debt
    """,
    """
    INSERT INTO communication_log (debtor_id, debt_id, communication_type, direction, status, address, created_at)
    SELECT debtor_id, id, 'sms', 'inbound', 'received', 'x', created_at FROM debt
    """,
    """
    INSERT INTO digital_activity (debtor_id, debt_id, activity_type, metadata, created_at)
    SELECT debtor_id, id, 'page_view', '{}', created_at FROM debt
    """,
    "ANALYZE audit_event, digital_activity, debtor, debt, payment, ledger_entry, communication_log, contact_point",
)
TYPED = (
    *(
        "xq",
        "ma",
        "m",
        "xquint",
        "Xquint, Zoe",
        "zoe xquint",
        "000000007",
        "+44 7000 000007",
        "ma7 1aa",
        "inv-000000007",
    ),
    *("007", "a1b", "zz9", "mail7@example.com", ""),
)


def read_rows(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the tables that a plan reads, and how many of their rows."""
    if table := plan.get("Relation Name"):
        read = (
            plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        )
        yield table, round(read * plan["Actual Loops"])
    for part in plan.get("Plans", ()):
        yield from read_rows(part)


def reads_of(queries: list[dict[str, str]]) -> list[tuple[str, int, str]]:
    """Run the queries of a page again, and return what each reads of a table."""
    found = []
    with connection.cursor() as cursor:
        for query in queries:
            if not re.match(r"[\s(]*(SELECT|WITH)", query["sql"]):
                continue
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"])
            (written,) = cursor.fetchone()
            plans = written if isinstance(written, list) else json.loads(written)
            found += [(table, rows, query["sql"]) for table, rows in read_rows(plans[0]["Plan"])]
    return found


def page_of(model: Any, typed: str, agent: Any) -> QuerySet[Any]:
    request = RequestFactory().get("/", {"q": typed} if typed else {})
    request.user = agent
    changes = admin.site._registry[model].get_changelist_instance(request)
    return changes.result_list


def fill() -> None:
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement)
        # As with a million rows: what an index can find is not looked for in the whole table.
        cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.mark.owner
def test_no_search_reads_a_large_table(supervisor_at_desk: Browser):
    fill()
    wrong = []
    for model in LISTS:
        for typed in TYPED:
            with CaptureQueriesContext(connection) as made:
                page_of(model, typed, supervisor_at_desk.agent)
            for table, rows, sql in reads_of(made.captured_queries):
                if rows > (MOST_READ if typed else MAX_ROWS):
                    wrong.append((model.__name__, typed, table, rows, sql[:400]))
    assert wrong == []


def questions_of(model: Any) -> Iterator[str]:
    """Yield the query of each order and of each choice of each filter that a list offers."""
    page = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = Agent(is_superuser=True)
    changes = page.get_changelist_instance(request)
    for number, name in enumerate(changes.list_display):
        if changes.get_ordering_field(name) and (changes.sortable_by is None or name in changes.sortable_by):
            yield from (f"o={number}", f"o=-{number}")
    for spec in changes.filter_specs:
        for choice in spec.choices(changes):
            if query := choice.get("query_string", "").lstrip("?"):
                yield query


@pytest.mark.owner
def test_no_filter_or_order_reads_a_large_table(supervisor_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(windows, "WINDOW", MOST_IN_WINDOW)
    fill()
    wrong = []
    for model in LISTS:
        for query in questions_of(model):
            request = RequestFactory().get(f"/?{query}")
            request.user = supervisor_at_desk.agent
            with CaptureQueriesContext(connection) as made:
                list(admin.site._registry[model].get_changelist_instance(request).result_list)
            for table, rows, sql in reads_of(made.captured_queries):
                # Counting 10,000 rows of a range of dates reads the range: its index entries are few pages.
                if rows > MAX_ROWS and "created_at__gte" not in query:
                    wrong.append((model.__name__, query, table, rows, sql[-500:]))
    assert wrong == [], "\n".join(map(str, wrong))


@pytest.mark.owner
def test_a_window_is_told_moved_by_dates_and_not_applied_to_searches_and_files(
    supervisor_at_desk: Browser, monkeypatch: pytest.MonkeyPatch
):
    with connection.cursor() as cursor:
        for statement in FILL[:3]:
            cursor.execute(statement)
    monkeypatch.setattr(windows, "WINDOW", ROWS + 1)
    assert "among the newest" not in supervisor_at_desk.list(Debt, o="4").content.decode()  # It has fewer rows.
    monkeypatch.setattr(windows, "WINDOW", 100)

    windowed = supervisor_at_desk.list(Debt, o="4")
    assert "among the newest 20,000" in windowed.content.decode()
    assert windowed.context["cl"].result_count == 100
    assert supervisor_at_desk.list(Debt).context["cl"].result_count == MAX_ROWS
    assert supervisor_at_desk.list(Debt, o="4", q="xquint").context["cl"].result_count == 1
    answer: Any = supervisor_at_desk.client.post(
        "/admin/export/collections/debt/?o=4&due_date__isnull=True", {"reason": "x"}
    )
    assert sum(1 for block in answer.streaming_content for line in block.splitlines()) == ROWS + 1
    oldest = Debtor.objects.order_by("created_at")[:1].get().created_at
    until = (oldest + timedelta(hours=1)).isoformat()
    since = {"created_at__gte": (oldest - timedelta(days=1)).isoformat(), "created_at__lt": until}
    moved = supervisor_at_desk.list(Debtor, o="2", **since).context["cl"]
    assert moved.result_count == 60
