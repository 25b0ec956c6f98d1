"""When a hold is active, and which debts are open: one rule each, in Python and in the database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from collection.holds.active import is_active
from collection.models import Debt, DebtStatus, Hold
from tests import factories

DAY = date(2026, 3, 10)
near = st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days))
starts_ends = st.tuples(near, st.one_of(st.none(), st.integers(0, 4))).map(
    lambda drawn: (drawn[0], None if drawn[1] is None else drawn[0] + timedelta(days=drawn[1]))
)
days = st.tuples(near, st.integers(0, 2)).map(lambda drawn: (drawn[0], drawn[0] + timedelta(days=drawn[1])))


def by_day(starts_on, ends_on, first_day, last_day):
    """Ask each day by itself."""
    every = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
    return any(starts_on <= day and (ends_on is None or day < ends_on) for day in every)


@given(starts_ends, days)
def test_a_hold_is_active_on_the_days_from_its_start_up_to_its_end(hold, days):
    assert is_active(*hold, *days) == by_day(*hold, *days)
    assert not is_active(*hold, *days, is_ended=True)


@pytest.mark.django_db
class TestInTheDatabase:
    @settings(max_examples=300, deadline=None)
    @given(hold=starts_ends, days=days, ended=st.booleans())
    def test_python_function_and_query_agree(self, hold, days, ended):
        ended_at = datetime(2026, 3, 10, tzinfo=UTC) if ended else None
        expected = is_active(*hold, *days, is_ended=ended)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT hold_is_active(%s::date, %s::date, %s::timestamptz, %s, %s)", [*hold, ended_at, *days]
            )
            assert cursor.fetchone()[0] == expected
        Hold.objects.all().delete()
        Hold.objects.create(debtor=self.debtor(), reason="cease", starts_on=hold[0], ends_on=hold[1], ended_at=ended_at)
        assert Hold.objects.active_between(*days).exists() == expected

    def debtor(self):
        self.one = getattr(self, "one", None) or factories.debtor()
        return self.one

    def test_the_statuses_of_open_debts_are_the_same_in_python_and_in_the_database(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT status FROM unnest(%s::text[]) AS status WHERE debt_is_open(status)", [DebtStatus.values]
            )
            in_database = {row[0] for row in cursor.fetchall()}

        assert in_database == {status for status in DebtStatus if Debt(current_status=status).is_open}
        assert in_database == {"active", "payment_plan", "deferred", "disputed"}

    @pytest.mark.parametrize(
        "condition",
        [
            "hold_is_active(hold.starts_on, hold.ends_on, hold.ended_at, '2026-01-01', '2026-01-02')",
            "EXISTS (SELECT FROM debt WHERE debt.id = hold.debt_id AND debt_is_open(debt.current_status))",
        ],
    )
    def test_postgresql_puts_the_rules_in_the_place_of_the_calls(self, condition):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (VERBOSE) SELECT FROM hold WHERE {condition}")
            plan = "\n".join(row[0] for row in cursor.fetchall())

        assert "_is_active(" not in plan
        assert "_is_open(" not in plan
