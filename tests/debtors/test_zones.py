"""The possible time zones of a debtor, by address and phone."""

import zoneinfo
from datetime import UTC, date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from debtors import calendars, zones
from debtors.models import Debtor

NEW_YORK, CHICAGO, DENVER, LOS_ANGELES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
)  # fmt: skip
SEATTLE, TOLL_FREE, LONDON = "+12065550100", "+18005550100", "+442079460958"


def test_the_rules_come_from_the_pinned_database_and_not_from_the_system() -> None:
    assert zoneinfo.TZPATH == ()
    with (files("tzdata") / "zoneinfo/America/Vancouver").open("rb") as file:
        pinned = ZoneInfo.from_file(file)
    for month in range(1, 13):
        moment = datetime(2027, month, 15, tzinfo=UTC)
        assert moment.astimezone(ZoneInfo("America/Vancouver")).utcoffset() == moment.astimezone(pinned).utcoffset()


@pytest.mark.parametrize(
    ("address", "phone", "expected"),
    [
        (("GB", None), None, {"Europe/London"}),
        (("US", "WA"), None, {LOS_ANGELES}),
        (("US", "Tennessee"), None, {CHICAGO, NEW_YORK}),
        ((None, None), SEATTLE, {LOS_ANGELES}),
        ((None, None), None, set()),
        # The phone narrows the address down, and the address the phone.
        (("US", None), SEATTLE, {LOS_ANGELES}),
        (("US", "WA"), TOLL_FREE, {LOS_ANGELES}),
        # Nothing in common: the debtor may be at either.
        (("US", "NY"), SEATTLE, {NEW_YORK, LOS_ANGELES}),
        (("GB", None), SEATTLE, {"Europe/London", LOS_ANGELES}),
        (("US", "PR"), None, {"America/Puerto_Rico"}),
        # An unknown region, country or number is ignored.
        (("US", "Nowhere"), SEATTLE, {LOS_ANGELES}),
        (("XX", None), LONDON, {"Europe/London"}),
        (("GB", None), "+999010000001", {"Europe/London"}),
        (("GB", None), "12", {"Europe/London"}),
    ],
)
def test_address_and_phone_narrow_each_other_down(
    address: tuple[str | None, str | None], phone: str | None, expected: set[str]
) -> None:
    country, region = address
    assert zones.possible_zones(country_code=country, region_state=region, mobile_phone=phone) == expected


def test_a_country_without_a_region_has_all_its_zones() -> None:
    found = zones.possible_zones(country_code="US")
    assert {NEW_YORK, CHICAGO, DENVER, LOS_ANGELES, "America/Anchorage", "Pacific/Honolulu", "America/Phoenix"} <= found
    assert len(zones.zones_of_phone(TOLL_FREE)) > 10


@pytest.mark.parametrize(
    ("address", "phone", "expected"),
    [
        (("DE", None), None, None),  # Berlin and Büsingen.
        (("GB", None), SEATTLE, "Europe/London"),
        (("US", "Tennessee"), None, CHICAGO),
        (("US", None), SEATTLE, LOS_ANGELES),
        (("US", None), TOLL_FREE, None),
        (("US", None), None, None),
        ((None, None), SEATTLE, None),
        (("US", "NY"), SEATTLE, NEW_YORK),
    ],
)
def test_the_most_likely_zone_is_that_of_the_address(
    address: tuple[str | None, str | None], phone: str | None, expected: str | None
) -> None:
    country, region = address
    assert zones.time_zone(country_code=country, region_state=region, mobile_phone=phone) == expected


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        (SEATTLE, "US"),
        ("+14165550100", "CA"),
        (LONDON, "GB"),
        ("+17875550100", "PR"),
        ("+870773111632", None),
        ("12", None),
    ],
)
def test_a_phone_has_the_country_of_its_numbering_plan(phone: str, country: str | None) -> None:
    assert zones.country_of_phone(phone) == country


LATE = datetime(2026, 3, 10, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"country_code": "GB"}, {date(2026, 3, 10)}),
        ({"country_code": "US", "region_state": "CA"}, {date(2026, 3, 9)}),
        (
            {"country_code": "US", "region_state": "HI", "mobile_phone": "+61291234567"},
            {date(2026, 3, 9), date(2026, 3, 10)},
        ),
        ({}, {date(2026, 3, 9), date(2026, 3, 10)}),
    ],
)
def test_a_debtor_has_every_date_of_their_possible_zones(fields: dict[str, str], days: set[date]) -> None:
    assert calendars.days(Debtor(**fields), at=LATE) == days


def test_a_day_later_never_leaves_the_calendar() -> None:
    assert calendars.later(date(2026, 2, 27), days=2) == date(2026, 3, 1)
    assert calendars.later(date(9999, 12, 30), days=30) == date.max
