"""The database computes the same interest as the pure function."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from collection.balances import interest_sql
from collection.claims import interest
from collection.claims.interest import PER_UNIT, DayCount, Rate, Step, Stop, Terms

_QUERY = "SELECT units FROM interest_units(%s::date[], %s::numeric[], %s::date[], %s::numeric[], %s, %s, %s, %s)"

days = st.integers(0, 3000).map(lambda number: date(2019, 12, 1) + timedelta(days=number))
amounts = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)
percents = st.integers(0, 2_000_000).map(lambda number: Decimal(number) / 100_000)


def units_in_sql(steps, terms, until):
    stops: Any = Multirange([Range(stop.since, stop.until) for stop in terms.stops])
    with connection.cursor() as cursor:
        cursor.execute(
            _QUERY,
            [
                [step.since for step in steps],
                [step.amount for step in steps],
                [rate.since for rate in terms.rates],
                [rate.percent for rate in terms.rates],
                stops,
                terms.day_count.value,
                terms.since,
                until,
            ],
        )
        return cursor.fetchone()[0]


@st.composite
def histories(draw):
    by_day = {day: draw(amounts) for day in draw(st.sets(days, max_size=5))}
    steps = [Step(day, by_day[day]) for day in sorted(by_day)]
    rates = tuple(Rate(day, draw(percents)) for day in sorted(draw(st.sets(days, max_size=5))))
    stops = []
    for since in draw(st.lists(days, max_size=3)):
        length = draw(st.none() | st.integers(0, 400))
        stops.append(Stop(since, None if length is None else since + timedelta(days=length)))
    terms = Terms(draw(days), rates, draw(st.sampled_from(list(DayCount))), stops=tuple(stops))
    return steps, terms, draw(days)


@pytest.mark.django_db
@settings(max_examples=200, deadline=None)
@given(histories())
def test_same_as_the_pure_function(history):
    steps, terms, until = history
    assert units_in_sql(steps, terms, until) == interest.units(steps, terms, terms.since, until)


@pytest.mark.django_db
@pytest.mark.parametrize("day_count", list(DayCount))
def test_clock_on_every_day_of_a_leap_year_and_its_neighbours(day_count):
    every = [date(2027, 12, 1) + timedelta(days=number) for number in range(500)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT interest_clock(day, %s) FROM unnest(%s::date[]) AS day", [day_count.value, [*every, date(1, 1, 1)]]
        )
        found = [row[0] for row in cursor.fetchall()]
    beginning = found.pop() - interest.clock(date(1, 1, 1), day_count)
    assert [value - beginning for value in found] == [interest.clock(day, day_count) for day in every]


@pytest.mark.django_db
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**15), st.sampled_from(["0.01", "1", "0.001"]))
def test_rounding_is_half_up_and_exact(number, unit):
    units = Decimal(number) * PER_UNIT / 2000 + Decimal(number % 3 - 1) / 10
    units = max(units, Decimal(0))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {interest_sql.rounded('%s::numeric', '%s::numeric')}", [units, *[Decimal(unit)] * 3])
        assert cursor.fetchone()[0] == interest.rounded(Fraction(units) / PER_UNIT, Decimal(unit))
