"""Home, menu, search and the day's figures read no large table whole: each query's plan is run and its rows counted."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from casework import figures, worklists
from tests.admin.conftest import Browser
from tests.admin.test_large_tables import FILL, ROWS, reads_of

pytestmark = [pytest.mark.django_db, pytest.mark.owner]

#: Work of each kind for every debt, the oldest first; and payments, messages and decisions of eight weeks.
WORK = (
    "UPDATE payment SET status = 'completed', payment_date = created_at::date",
    f"""
    UPDATE payment SET created_at = now() - n * interval '1 day' / {ROWS} * 60,
        payment_date = (now() - n * interval '1 day' / {ROWS} * 60)::date
    FROM (SELECT id, row_number() OVER () AS n FROM payment) AS numbered WHERE numbered.id = payment.id
    """,
    """
    INSERT INTO deferral_requests (debtor_id, debt_id, requested_deferral_days, reason, status, created_at)
    SELECT debtor_id, id, 30, 'x', 'pending', created_at FROM debt
    """,
    """
    INSERT INTO follow_up (debtor_id, due_on, text, created_at)
    SELECT id, (now() - mod(row_number() OVER (), 60) * interval '1 day')::date, 'x', created_at FROM debtor
    """,
    """
    INSERT INTO communication_log (debtor_id, debt_id, communication_type, direction, status, address, created_at, sent_at)
    SELECT debt.debtor_id, debt.id, 'email', 'outbound', 'sent', 'x@example.com', payment.created_at, payment.created_at
    FROM payment JOIN debt ON debt.id = payment.debt_id
    """,
    "ANALYZE",
)
#: A worklist is read up to its bound, with the debt and the claims of each item; a day is a sixtieth of the rows.
MOST_READ = 3 * worklists.MAX_COUNT


@pytest.fixture
def large(db: None) -> None:
    with connection.cursor() as cursor:
        for statement in (*FILL, *WORK):
            cursor.execute(statement)


def too_many(queries: Any) -> list[tuple[str, int, str]]:
    """Return the queries that read more than a worklist's bound of one table."""
    found = []
    for query in queries.captured_queries:
        read: Counter[str] = Counter()
        for table, rows, _ in reads_of([query]):
            read[table] += rows
        found += [(table, rows, query["sql"][:400]) for table, rows in read.items() if rows > MOST_READ]
    return found


@pytest.mark.usefixtures("large")
def test_no_part_of_home_reads_a_large_table(
    supervisor_at_desk: Browser, agent_at_desk: Browser, auditor_at_desk: Browser
):
    with CaptureQueriesContext(connection) as measuring:
        figures.refresh(now=now())
    wrong = {"figures": too_many(measuring)}
    paths = [
        "/admin/",
        "/admin/auth/group/",
        *(f"/admin/find/?q={text}" for text in ("xquint", "ma", "000000007", "zz")),
    ]
    for desk in (supervisor_at_desk, agent_at_desk, auditor_at_desk):
        for path in paths:
            with CaptureQueriesContext(connection) as made:
                page = desk.get(path)
            assert page.status_code in (200, 302, 403), path
            wrong[f"{desk.agent} {path}"] = too_many(made)
    assert {what: queries for what, queries in wrong.items() if queries} == {}
    assert "1,000 or more" in supervisor_at_desk.get("/admin/").content.decode()  # The worklists are full.
