"""Days: the agency's, the debtor's, and those that make no sense."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddc.common import days
from debtors import calendars
from debtors.models import Debtor

MOMENT = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 6, 30)),
        ("Europe/London", date(2026, 7, 1)),
        ("America/New_York", date(2026, 6, 30)),
        ("Pacific/Kiritimati", date(2026, 7, 1)),
    ],
)
def test_the_agencys_day_is_that_of_its_time_zone(settings, zone: str, day: date):
    settings.AGENCY_TIME_ZONE = zone
    assert days.agency_today(MOMENT) == day


@pytest.mark.parametrize(
    ("location", "day"),
    [
        ({"country_code": "GB"}, date(2026, 7, 1)),
        ({"country_code": "US", "region_state": "CA"}, date(2026, 6, 30)),
        ({"country_code": "JP"}, date(2026, 7, 1)),
        ({}, date(2026, 6, 30)),  # Nothing is known: the earliest date on earth, in the debtor's favour.
    ],
)
def test_towards_a_debtor_their_day_counts(location: dict[str, str], day: date):
    assert calendars.today(Debtor(**location), at=MOMENT) == day


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_debtors_day_is_one_of_the_possible_ones_and_has_begun(moment: datetime):
    for location in ({}, {"country_code": "US"}, {"country_code": "NZ"}, {"country_code": "US", "region_state": "HI"}):
        debtor = Debtor(**location)
        today = calendars.today(debtor, at=moment)
        assert today in calendars.days(debtor, at=moment)
        assert moment.date() - timedelta(days=1) <= today <= days.begun(moment) <= moment.date() + timedelta(days=1)


@pytest.mark.parametrize("field", days.EARLIEST)
def test_likely_typing_errors_are_implausible(field: str):
    today = date(2028, 2, 29)
    bounds = days.plausible(field, today=today)
    bounds.check(today, field=field)
    bounds.check(bounds.first, field=field)
    bounds.check(bounds.last, field=field)
    for day in (date.min, date(1800, 1, 1), date(2099, 1, 1), date.max):
        with pytest.raises(days.ImplausibleDate) as refused:
            bounds.check(day, field=field)
        assert (refused.value.field, refused.value.status) == (field, 422)


def test_a_due_date_lies_at_most_ten_years_ahead():
    assert days.plausible("due_date", today=date(2028, 2, 29)).last == date(2038, 2, 28)
    assert days.plausible("due_date", today=date(9995, 1, 1)).last == date.max
