"""No list or search of the back office reads a large table whole: each query's plan is run and its rows counted."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from collection.models import Debt, LedgerEntry
from communications.models import CallTask, CommunicationLog, InboundMessage
from ddc.common.admin.pages import MAX_ROWS
from debtors import search as people
from debtors.models import ContactPoint, Debtor
from payments.models import Payment
from portal.models import DigitalActivity
from tests.admin.conftest import Browser

pytestmark = pytest.mark.django_db

ROWS = 30_000
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
            if not re.match(r"\s*SELECT", query["sql"]):
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


@pytest.mark.owner
def test_no_search_reads_a_large_table(supervisor_at_desk: Browser):
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement)
    wrong = []
    for model in LISTS:
        for typed in TYPED:
            with CaptureQueriesContext(connection) as made:
                page_of(model, typed, supervisor_at_desk.agent)
            for table, rows, sql in reads_of(made.captured_queries):
                if rows > (MOST_READ if typed else MAX_ROWS):
                    wrong.append((model.__name__, typed, table, rows, sql[:400]))
    assert wrong == []
