"""The figures of each day for the home page, measured by a task and kept: a row per day, whatever the size of the tables.

A day is the agency's. Today is measured again every few minutes, with the same weekday last week up to the same time beside it;
a day that is over is measured again for a week, because callbacks and payments arrive late.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from casework.models import DayFigures
from communications.models import CONVERSATIONS
from ddc.common.days import agency_today, agency_zone

#: So many days are kept and shown: eight weeks of deferrals.
DAYS = 56
#: For so long after it a day is measured again, every ``_AGAIN``.
_SETTLES, _AGAIN = timedelta(days=7), timedelta(hours=1)

# Each query reads one day through an index.
_COLLECTED = """
    SELECT currency_code, sum(amount)::text, count(*) FROM payment
    WHERE status = 'completed' AND payment_date = %(day)s AND (created_at < %(until)s OR created_at >= %(end)s) GROUP BY 1
"""
_MESSAGES = """
    SELECT communication_type, status, count(*) FROM communication_log
    WHERE created_at >= %(start)s AND created_at < %(until)s AND direction = 'outbound' AND communication_type <> 'call_script'
    GROUP BY 1, 2
"""
_CALLS = """
    SELECT outcome_by_id::text, count(*), count(*) FILTER (WHERE outcome = ANY(%(talks)s)) FROM communication_log
    WHERE outcome_at >= %(start)s AND outcome_at < %(until)s AND outcome_by_id IS NOT NULL GROUP BY 1
"""
_DECISIONS = """
    SELECT reviewer_id::text, status, count(*) FROM deferral_requests
    WHERE reviewed_at >= %(start)s AND reviewed_at < %(until)s AND reviewer_id IS NOT NULL GROUP BY 1, 2
"""
_RECORDED = """
    SELECT recorded_by_id::text, count(*) FROM payment
    WHERE created_at >= %(start)s AND created_at < %(until)s AND recorded_by_id IS NOT NULL GROUP BY 1
"""
#: The follow-ups of the day that were done by then, and all of the day but those that were moved or dropped.
_FOLLOW_UPS = """
    SELECT count(*) FILTER (WHERE closed_at < %(until)s), count(*) FROM follow_up
    WHERE due_on = %(day)s AND (outcome IS NULL OR outcome = 'done')
"""
#: The results of the deferrals that ended on the day: the debt is paid, something was paid since the decision, or nothing.
_KEPT = """
    SELECT CASE WHEN debt.current_balance = 0 THEN 'paid' WHEN EXISTS (
        SELECT FROM payment WHERE payment.debt_id = debt.id AND payment.status = 'completed'
            AND payment.payment_date >= asked.reviewed_at::date AND payment.created_at >= asked.reviewed_at
    ) THEN 'part' ELSE 'nothing' END, count(*)
    FROM deferral_requests AS asked JOIN debt ON debt.id = asked.debt_id
    WHERE asked.granted_until = %(day)s AND asked.status = 'approved' GROUP BY 1
"""


def refresh(*, now: datetime) -> None:
    """Measure today, and the days before that are missing or may still change; delete those that nothing shows."""
    today = agency_today(now)
    first = today - timedelta(days=DAYS)
    known = dict(DayFigures.objects.filter(day__gte=first).values_list("day", "measured_at"))
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        measured_at = known.get(day)
        settles_at = _begin(day + timedelta(days=1)) + _SETTLES
        if measured_at is None or (measured_at < settles_at and measured_at <= now - _AGAIN):
            _store(day, now, measure(day, until=_begin(day + timedelta(days=1))), None)
    week_ago = measure(today - timedelta(days=7), until=now - timedelta(days=7))
    _store(today, now, measure(today, until=now), week_ago)
    DayFigures.objects.filter(day__lt=first).delete()


def latest(*, now: datetime) -> list[DayFigures]:
    """Return the figures of the last days, the newest last; of today only if they were measured."""
    return list(DayFigures.objects.filter(day__gt=agency_today(now) - timedelta(days=DAYS)).order_by("day"))


def measure(day: date, *, until: datetime) -> dict[str, Any]:
    """Measure what happened on a day up to a moment."""
    values = {
        "day": day, "start": _begin(day), "end": _begin(day + timedelta(days=1)), "until": until,
        "talks": [outcome.value for outcome in CONVERSATIONS],
    }  # fmt: skip
    collected = {currency: [amount, number] for currency, amount, number in _rows(_COLLECTED, values)}
    messages: dict[str, dict[str, int]] = defaultdict(dict)
    for channel, status, number in _rows(_MESSAGES, values):
        messages[channel][status] = number
    team: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for agent, calls, talks in _rows(_CALLS, values):
        team[agent] |= {"calls": calls, "talks": talks}
    decided: dict[str, int] = defaultdict(int)
    for agent, status, number in _rows(_DECISIONS, values):
        team[agent]["decided"] += number
        decided[status] += number
    for agent, number in _rows(_RECORDED, values):
        team[agent]["payments"] = number
    kept = dict(_rows(_KEPT, values))
    [follow_ups] = _rows(_FOLLOW_UPS, values)
    talks = sum(member.get("talks", 0) for member in team.values())
    return {
        "collected": collected, "messages": messages, "team": team, "decided": decided, "kept": kept, "talks": talks,
        "follow_ups": follow_ups,
    }  # fmt: skip


def _store(day: date, now: datetime, figures: Mapping[str, Any], week_ago: Mapping[str, Any] | None) -> None:
    values = {"measured_at": now, "figures": figures, "week_ago": week_ago}
    DayFigures.objects.update_or_create(day=day, defaults=values)


def _rows(query: str, values: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=agency_zone())
