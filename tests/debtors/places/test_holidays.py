"""Public holidays at a debtor's location, by country and region."""

from datetime import date

import pytest

from contact.engine.policies import location
from debtors.places import holidays

#: A holiday that only some regions of a country have.
REGIONAL = [
    ("US", "MA", "Massachusetts", date(2026, 4, 20)),  # Patriots' Day
    ("US", "TX", "Texas", date(2026, 3, 2)),  # Independence Day of Texas
    ("CA", "QC", "Québec", date(2026, 6, 24)),  # Saint-Jean-Baptiste
    ("CA", "AB", "Alberta", date(2026, 2, 16)),  # Family Day
    ("AU", "VIC", "Victoria", date(2026, 11, 3)),  # Melbourne Cup
    ("AU", "WA", "Western Australia", date(2026, 6, 1)),  # Western Australia Day
    ("BR", "SP", "São Paulo", date(2026, 7, 9)),  # Constitutionalist Revolution
    ("DE", "BY", "Bayern", date(2026, 1, 6)),  # Heilige Drei Könige
    ("GB", "SCT", "Scotland", date(2026, 11, 30)),  # St Andrew's Day
]


def is_holiday(day: date, country: str, region: str = "") -> bool:
    where = location(country, region)
    return holidays.is_holiday(day, where.country, where.region)


@pytest.mark.parametrize(("country", "code", "name", "day"), REGIONAL, ids=[f"{c}-{code}" for c, code, *_ in REGIONAL])
def test_a_region_has_its_own_holidays_by_code_and_by_name(country: str, code: str, name: str, day: date) -> None:
    for region in (code, code.lower(), name, name.upper(), f"{country}-{code}"):
        assert is_holiday(day, country, region), region
    other = {"US": "NJ", "CA": "NT", "AU": "NSW", "BR": "RJ", "DE": "HH", "GB": "ENG"}[country]
    assert not is_holiday(day, country, other)
    # It is any region then, so the days of all of them count.
    assert is_holiday(day, country)
    assert is_holiday(day, country, "Nowhere")


@pytest.mark.parametrize("spelling", ["Bayern", "Bavaria", "BY", "DE-BY", "bayern", "Freistaat Bayern", "BAYERN"])
def test_bavaria_keeps_corpus_christi_in_every_spelling(spelling: str) -> None:
    # Art. 1 Bavarian Holidays Act; pack DE: no contact on public holidays. Hamburg has no such day.
    day = date(2026, 6, 4)
    assert is_holiday(day, "DE", spelling)
    assert not is_holiday(day, "DE", "Hamburg")


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("US", date(2026, 11, 26)),  # Thanksgiving
        ("CA", date(2026, 7, 1)),
        ("AU", date(2026, 1, 26)),
        ("BR", date(2026, 9, 7)),
        ("MX", date(2026, 9, 16)),
        ("DE", date(2026, 10, 3)),
        ("GB", date(2026, 12, 25)),
        ("FR", date(2026, 7, 14)),
        ("JP", date(2026, 2, 11)),
    ],
)
def test_a_country_has_its_holidays_in_every_region(country: str, day: date) -> None:
    assert is_holiday(day, country)
    assert is_holiday(day, country, "Nowhere")
    assert not is_holiday(date(2026, 3, 11), country)


def test_an_unknown_country_has_no_holidays() -> None:
    assert not is_holiday(date(2026, 12, 25), "XX")


def test_weekends_and_holidays_are_no_business_days() -> None:
    assert not holidays.is_business_day(date(2026, 12, 25), "GB", "ENG")
    assert not holidays.is_business_day(date(2026, 12, 26), "GB", "ENG")
    assert not holidays.is_business_day(date(2026, 12, 28), "GB", "ENG")  # The substitute for Saturday, 26 December
    assert holidays.is_business_day(date(2026, 12, 29), "GB", "ENG")
    assert holidays.is_business_day(date(2026, 11, 30), "GB", "ENG")
    assert not holidays.is_business_day(date(2026, 11, 30), "GB", "SCT")
