"""The measured endpoints, the bare SQL that does the same work, and how their results are compared."""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.dataset import SEED
from collection.balances import totals
from ddc.common.postgresql import owner

Row = tuple[Any, ...]

#: The number of debts, with debtors and segments, that pgbench picks from.
PICKS = 5000
_PREPARE = f"""
CREATE TABLE bench_pick AS SELECT row_number() OVER () AS i, id AS debt_id, debtor_id, segment_id FROM (
    SELECT * FROM debt WHERE segment_id IS NOT NULL AND current_status = 'active' ORDER BY md5(id::text) LIMIT {PICKS}
) AS picked;
CREATE UNIQUE INDEX ON bench_pick (i);
ANALYZE bench_pick;
"""
_ONE = f"\\set i random(1, {PICKS})\n"
_PAGE = "\\set first 20 * random(0, 49)\n"
_OPEN = "('active', 'payment_plan', 'deferred', 'disputed')"
#: The page is cut before the sums, as in a well-written query.
_DEBTORS = (
    "SELECT d.*, (SELECT coalesce(sum(current_balance), 0) FROM debt"
    f" WHERE debtor_id = d.id AND current_status IN {_OPEN}) AS total"
    " FROM (SELECT * FROM debtor {where} ORDER BY created_at DESC, id DESC OFFSET {first} LIMIT 20) AS d"
    " ORDER BY created_at DESC, id DESC"
)
_DEBTS = "SELECT * FROM debt WHERE {where} ORDER BY created_at DESC, id DESC LIMIT 20"


@dataclass(frozen=True)
class Question:
    """A line of the table."""

    name: str
    #: Paths to request in turn, or the path of a POST.
    paths: tuple[str, ...]
    #: A script for pgbench.
    bare: str
    #: Returns SQL for the rows of a path as (id, figure); ``figure`` names the field of the answer.
    same: Callable[[str], str] | None = None
    figure: str = "currentBalance"
    bodies: tuple[str, ...] = ()


def prepare() -> None:
    """Create the table that the bare statements pick from, as the owner of the tables."""
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute(_PREPARE)


def questions() -> list[Question]:
    """Return the measured endpoints, with the same ids in each run."""
    picks = _rows("SELECT i, debt_id, debtor_id, segment_id FROM bench_pick ORDER BY i")
    countries = [country for (country,) in _rows("SELECT DISTINCT country_code FROM debtor ORDER BY 1")]
    chosen = random.Random(SEED).sample(picks, min(len(picks), 1000))
    pages = [f"?page={number}" for number in range(1, 51)]
    words = ["smith", "garcia", "lopez", "ries", "debtor.4711", "silva gb ltd", "zoe"]
    deep = min(2000, _rows("SELECT count(*) FROM debtor")[0][0] // 20)
    return [
        Question(
            "GET /debtors", _paths("/debtors", pages), _PAGE + _agg(_DEBTORS.format(where="", first=":first")),
            lambda path: _with_total("", (int(path.split("=")[1]) - 1) * 20), "totalOutstandingAmount",
        ),
        Question(
            f"GET /debtors, page {deep:,}", (f"/debtors?page={deep}",),
            _agg(_DEBTORS.format(where="", first=(deep - 1) * 20)),
            lambda path: _with_total("", (deep - 1) * 20), "totalOutstandingAmount",
        ),
        Question(
            "GET /debtors?search", _paths("/debtors?search=", words),
            _agg(_DEBTORS.format(where="WHERE search LIKE search_text('%smith%')", first=0)),
            lambda path: _with_total(f"WHERE search LIKE search_text('%{path.split('=')[1]}%')", 0), "totalOutstandingAmount",
        ),
        Question(
            "GET /debtors?country_code", _paths("/debtors?country_code=", countries),
            _agg(_DEBTORS.format(where="WHERE country_code = 'FR'", first=0)),
            lambda path: _with_total(f"WHERE country_code = '{path.split('=')[1]}'", 0), "totalOutstandingAmount",
        ),
        Question("GET /debtors/:id", _paths("/debtors/", [row[2] for row in chosen]), _ONE + _DETAIL),
        Question(
            "GET /debts", _paths("/debts", pages),
            _PAGE + _agg(_DEBTS.format(where="true").replace("LIMIT", "OFFSET :first LIMIT")),
            lambda path: _same_debts("true", (int(path.split("=")[1]) - 1) * 20),
        ),
        Question(
            "GET /debts?status", _paths("/debts?status=", ["active", "paid", "disputed"]),
            _agg(_DEBTS.format(where="current_status = 'active'")),
            lambda path: _same_debts(f"current_status = '{path.split('=')[1]}'", 0),
        ),
        Question(
            "GET /debts?segment_id", _paths("/debts?segment_id=", [row[3] for row in chosen]),
            _ONE + _agg(_DEBTS.format(where="segment_id = (SELECT segment_id FROM bench_pick WHERE i = :i)")),
            lambda path: _same_debts(f"segment_id = '{path.split('=')[1]}'", 0),
        ),
        Question(
            "GET /debts?debtor_id", _paths("/debts?debtor_id=", [row[2] for row in chosen]),
            _ONE + _agg(_DEBTS.format(where="debtor_id = (SELECT debtor_id FROM bench_pick WHERE i = :i)")),
            lambda path: _same_debts(f"debtor_id = '{path.split('=')[1]}'", 0),
        ),
        Question(
            "GET /payments?debt_id", _paths("/payments?debt_id=", [row[1] for row in chosen]),
            _ONE + _agg("SELECT * FROM payment WHERE debt_id = (SELECT debt_id FROM bench_pick WHERE i = :i)"
                        " ORDER BY created_at DESC, id DESC LIMIT 20"),
            lambda path: f"SELECT id, amount FROM payment WHERE debt_id = '{path.split('=')[1]}'"
                         " ORDER BY created_at DESC, id DESC LIMIT 20", "amount",
        ),
        Question("GET /dashboard/stats", ("/dashboard/stats",), _DASHBOARD),
        Question(
            "POST /payments", ("/payments",), _ONE + _PAYMENT,
            bodies=tuple(f'{{"debtId": "{row[1]}", "amount": 1, "paymentMethod": "card"}}' for row in picks),
        ),
    ]  # fmt: skip


def compute_dashboard(times: int = 15) -> tuple[float, float]:
    """Return the median seconds of computing the dashboard, and of bare SQL."""

    def middle(work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(times):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds)

    return middle(lambda: totals.dashboard(now=timezone.now())), middle(lambda: _rows(_DASHBOARD))


def _rows(sql: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[Row] = cursor.fetchall()
    return found


def _paths(base: str, ends: list[Any]) -> tuple[str, ...]:
    return tuple(f"{base}{end}".replace(" ", "%20") for end in ends)


def _agg(sql: str) -> str:
    return f"SELECT json_agg(x) FROM ({sql}) AS x;"


def _with_total(where: str, first: int) -> str:
    return f"SELECT id, total FROM ({_DEBTORS.format(where=where.replace('%20', ' '), first=first)}) AS x"


def _same_debts(where: str, first: int) -> str:
    sql = _DEBTS.format(where=where).replace("LIMIT", f"OFFSET {first} LIMIT")
    return f"SELECT id, current_balance FROM ({sql}) AS x"


_DETAIL = """SELECT json_build_object('debtor', d,
  'debts', (SELECT json_agg(b) FROM (SELECT * FROM debt WHERE debtor_id = d.id ORDER BY created_at DESC, id DESC LIMIT 200) AS b),
  'logs', (SELECT json_agg(l) FROM (SELECT id, debt_id, communication_type, status, subject, created_at, sent_at
    FROM communication_log WHERE debtor_id = d.id ORDER BY created_at DESC, id DESC LIMIT 200) AS l),
  'activities', (SELECT json_agg(a) FROM (SELECT * FROM digital_activity WHERE debtor_id = d.id
    ORDER BY created_at DESC, id DESC LIMIT 200) AS a),
  'totals', (SELECT json_build_array(sum(original_balance), sum(current_balance)) FROM debt WHERE debtor_id = d.id))
FROM debtor AS d WHERE id = (SELECT debtor_id FROM bench_pick WHERE i = :i);""".replace("\n", " ")
_DASHBOARD = (
    "SELECT (SELECT count(*) FROM debtor), count(*) FILTER (WHERE current_status = 'active'), sum(current_balance),"
    " sum(current_balance) FILTER (WHERE due_date < current_date) FROM debt;"
)
#: A payment without a ledger and without its author.
_PAYMENT = """BEGIN;
SELECT id, current_balance FROM debt WHERE id = (SELECT debt_id FROM bench_pick WHERE i = :i) FOR UPDATE;
INSERT INTO payment (debt_id, amount, currency_code, payment_method, status, payment_date) SELECT debt_id, 0.01, 'EUR', 'card', 'completed', current_date FROM bench_pick WHERE i = :i;
UPDATE debt SET current_balance = greatest(0.01, current_balance - 0.01) WHERE id = (SELECT debt_id FROM bench_pick WHERE i = :i);
COMMIT;"""  # noqa: E501 - a line is a statement
