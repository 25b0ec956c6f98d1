"""The possible time zones of a debtor, by address and phone."""

import zoneinfo
from datetime import UTC, date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from debtors import calendars, number_plan, zones
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
        # A number with an area adds the area's zones, and never takes one of the address away.
        (("US", "WA"), SEATTLE, {LOS_ANGELES}),
        (("US", "NY"), SEATTLE, {NEW_YORK, LOS_ANGELES}),
        (("GB", None), SEATTLE, {"Europe/London", LOS_ANGELES}),
        (("US", "Tennessee"), "+18655550123", {CHICAGO, NEW_YORK}),
        (("US", "TX", "Houston", "77002"), "+19155550123", {CHICAGO, DENVER}),
        (("US", "TN", "Nashville", "37201"), "+18655550123", {CHICAGO, NEW_YORK}),
        (("US", "TX", None, "79901"), "+12145550123", {DENVER, CHICAGO}),
        (("US", "HI", "Kahului"), "+12125550123", {"Pacific/Honolulu", NEW_YORK}),
        (("BR", "SP"), "+556832123456", {"America/Sao_Paulo", "America/Rio_Branco"}),
        (("US", "NY"), "+16715550123", {NEW_YORK, "Pacific/Guam"}),
        # A mobile or toll-free number of the address's own country adds none.
        (("US", "WA"), TOLL_FREE, {LOS_ANGELES}),
        (("AU", "VIC"), "+61412345678", {"Australia/Melbourne"}),
        (("ES", "Canarias"), "+34612345678", {"Atlantic/Canary"}),
        (("RU", None, "Vladivostok"), "+79241234567", {"Asia/Vladivostok"}),
        (("DE", "BY"), "+491701234567", {"Europe/Berlin"}),
        # A mobile number of another country adds all of its zones.
        (("GB", None), "+34612345678", {"Europe/London", "Europe/Madrid", "Atlantic/Canary", "Africa/Ceuta"}),
        ((None, None), "+34612345678", {"Europe/Madrid", "Atlantic/Canary", "Africa/Ceuta"}),
        (("GB", None), "+491701234567", {"Europe/London", "Europe/Berlin", "Europe/Busingen"}),
        (("US", "PR"), None, {"America/Puerto_Rico"}),
        # An unknown country or number is ignored.
        (("XX", None), LONDON, {"Europe/London"}),
        (("GB", None), "+999010000001", {"Europe/London"}),
        (("GB", None), "+870773111632", {"Europe/London"}),
        ((None, None), "+881612345678", set()),
        (("GB", None), "12", {"Europe/London"}),
    ],
)
def test_a_phone_adds_zones_and_never_narrows(
    address: tuple[str | None, ...], phone: str | None, expected: set[str]
) -> None:
    fields = dict(zip(("country_code", "region_state", "city", "postal_code"), address, strict=False))
    assert zones.possible_zones(**fields, mobile_phone=phone) == expected


@pytest.mark.parametrize("region", [None, "Nowhere"])
def test_a_country_without_a_known_region_has_all_its_zones_whatever_the_phone(region: str | None) -> None:
    found = zones.possible_zones(country_code="US", region_state=region, mobile_phone=SEATTLE)
    assert {NEW_YORK, CHICAGO, DENVER, LOS_ANGELES, "America/Anchorage", "Pacific/Honolulu", "America/Phoenix"} <= found


@pytest.mark.parametrize(
    ("phone", "country", "kind", "regions"),
    [
        (SEATTLE, "US", "unknown", {"WA"}),
        ("+16175550123", "US", "unknown", {"MA"}),
        ("+14165550100", "CA", "unknown", {"ON"}),
        ("+19025550100", "CA", "unknown", {"NS", "PE"}),
        (LONDON, "GB", "fixed", set()),
        ("+447400123456", "GB", "mobile", set()),
        ("+4407400123456", "GB", "mobile", set()),
        ("+34612345678", "ES", "mobile", set()),
        ("+17875550100", "PR", "unknown", set()),
        (TOLL_FREE, "US", "unknown", set()),
        ("+870773111632", None, "unknown", set()),
        ("12", None, "unknown", set()),
    ],
)
def test_the_numbering_plans_tell_country_kind_and_area(
    phone: str, country: str | None, kind: str, regions: set[str]
) -> None:
    number = number_plan.number(phone)
    assert (number.country, number.kind, number.regions) == (country, kind, regions)


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
