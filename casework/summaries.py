"""How much work of each kind waits: one bounded query for all kinds."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, Value

from agents.models import Agent
from casework import worklists
from casework.worklists import Worklist

# Each arm reads one worklist up to its bound. A debt of several items is added once.
_ARM_WITH_SUMS = """(
    WITH waiting AS MATERIALIZED ({rows})
    SELECT %s, count(*), min(since)::text, count(*) FILTER (WHERE is_late), (
        SELECT jsonb_object_agg(currency, balance::text) FROM (
            SELECT currency, sum(balance) AS balance
            FROM (SELECT DISTINCT owed_on, currency, balance FROM waiting WHERE owed_on IS NOT NULL) AS debts GROUP BY currency
        ) AS sums
    ) FROM waiting
)"""
_ARM = """(
    SELECT %s, count(*), min(since)::text, count(*) FILTER (WHERE is_late), NULL::jsonb FROM ({rows}) AS waiting
)"""


@dataclass(frozen=True)
class Waiting:
    """The items of one worklist up to a bound: their number, how many are late, the oldest one, and what is owed by currency."""

    worklist: Worklist
    count: int = 0
    late: int = 0
    oldest: date | datetime | None = None
    sums: dict[str, Decimal] = field(default_factory=dict)

    @property
    def is_urgent(self) -> bool:
        """Whether a legal clock runs out for some of them."""
        return bool(self.late) and self.worklist.has_legal_clock


def waiting(agent: Agent, *, now: datetime, most: int, with_sums: bool = False) -> dict[str, Waiting]:
    """Count the work that the agent may do, by kind, each up to ``most`` items."""
    kinds = worklists.of(agent)
    if not kinds:
        return {}
    arms, parameters = [], []
    for worklist in kinds:
        add_up = with_sums and bool(worklist.debt)
        sql, values = _rows(worklist, agent, now, most, add_up=add_up)
        arms.append((_ARM_WITH_SUMS if add_up else _ARM).format(rows=sql))
        parameters += [*values, worklist.kind] if add_up else [worklist.kind, *values]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(arms), parameters)
        return {row[0]: _read(row) for row in cursor.fetchall()}


def _rows(worklist: Worklist, agent: Agent, now: datetime, most: int, *, add_up: bool) -> tuple[str, tuple[Any, ...]]:
    is_late = ExpressionWrapper(worklist.late(now), BooleanField()) if worklist.late else Value(False)
    columns: dict[str, Any] = {"since": F(worklist.order), "is_late": is_late}
    if add_up:
        debt = worklist.debt
        columns |= {
            "owed_on": F(debt),
            "currency": F(f"{debt}__currency_code"),
            "balance": F(f"{debt}__current_balance"),
        }
    rows = worklist.rows(agent, now=now).annotate(**columns).values_list(*columns)[:most]
    sql, parameters = rows.query.sql_with_params()
    return sql, parameters


def _read(row: tuple[Any, ...]) -> Waiting:
    kind, count, oldest, late, sums = row
    since = None if oldest is None else datetime.fromisoformat(oldest) if ":" in oldest else date.fromisoformat(oldest)
    amounts = {currency: Decimal(amount) for currency, amount in (_parsed(sums) or {}).items()}
    return Waiting(worklists.BY_KIND[kind], count, late, since, dict(sorted(amounts.items())))


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
