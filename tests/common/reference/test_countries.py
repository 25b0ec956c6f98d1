"""Countries and their time zones."""

from zoneinfo import available_timezones

import phonenumbers
import pytest

from ddc.common.reference import countries


def test_there_are_the_249_countries_of_iso_3166() -> None:
    names = countries.names()
    assert len(names) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in names)
    assert (names["GB"], names["US"], names["DE"]) == ("Britain (UK)", "United States", "Germany")
    assert not {"UK", "EU", "XX", "XK"} & names.keys()


def test_every_zone_exists_and_belongs_to_a_country() -> None:
    zones = countries.zones()
    assert set(zones) <= set(countries.names())
    assert {zone for of_country in zones.values() for zone in of_country} <= available_timezones()
    # Bouvet Island and Heard Island have no inhabitants, so they have no zone.
    assert set(countries.names()) - set(zones) == {"BV", "HM"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("GB", {"Europe/London"}),
        ("DE", {"Europe/Berlin", "Europe/Busingen"}),
        ("ES", {"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"}),
        ("PT", {"Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"}),
        ("NZ", {"Pacific/Auckland", "Pacific/Chatham"}),
        ("IN", {"Asia/Kolkata"}),
        ("PR", {"America/Puerto_Rico"}),
    ],
)
def test_a_country_has_all_its_zones(code: str, expected: set[str]) -> None:
    assert countries.zones()[code] == expected


def test_numbering_plans_use_the_same_country_codes() -> None:
    # Ascension, Tristan da Cunha and Kosovo have numbering plans but no code of ISO 3166-1.
    assert phonenumbers.SUPPORTED_REGIONS - set(countries.names()) == {"AC", "TA", "XK"}


def test_consent_to_open_tracking_is_required_in_the_eu_the_eea_and_the_uk() -> None:
    assert set(countries.names()) >= countries.EU_EEA_UK
    assert len(countries.EU_EEA_UK) == 27 + 3 + 1
    assert {"DE", "FR", "IS", "LI", "NO", "GB"} <= countries.EU_EEA_UK
    assert not {"CH", "US", "TR"} & countries.EU_EEA_UK
