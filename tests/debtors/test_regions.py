"""The time zones of every state and province, against the time zone database and a table of our own."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from debtors import regions, zones

E, C, M, P = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
INDIANA = [f"America/Indiana/{name}" for name in
           ("Indianapolis", "Vincennes", "Winamac", "Marengo", "Petersburg", "Vevay", "Tell_City", "Knox")]  # fmt: skip
KENTUCKY = ["America/Kentucky/Louisville", "America/Kentucky/Monticello"]
DAKOTA = [f"America/North_Dakota/{name}" for name in ("Center", "New_Salem", "Beulah")]
ALASKA = [f"America/{name}" for name in ("Anchorage", "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak")]
MEXICO, SAO_PAULO, FORTALEZA = "America/Mexico_City", "America/Sao_Paulo", "America/Fortaleza"

#: Written from the comments of zone.tab and of the database's source, without a look at the product's table.
EXPECTED: dict[str, dict[str, list[str]]] = {
    "US": {
        "AL Alabama": [C], "AK Alaska": ALASKA, "AZ Arizona": ["America/Phoenix", M], "AR Arkansas": [C],
        "CA California": [P], "CO Colorado": [M], "CT Connecticut": [E], "DE Delaware": [E],
        "DC District of Columbia": [E], "FL Florida": [E, C], "GA Georgia": [E], "HI Hawaii": ["Pacific/Honolulu"],
        "ID Idaho": ["America/Boise", P], "IL Illinois": [C], "IN Indiana": [*INDIANA, C], "IA Iowa": [C],
        "KS Kansas": [C, M], "KY Kentucky": [*KENTUCKY, E, C], "LA Louisiana": [C], "ME Maine": [E], "MD Maryland": [E],
        "MA Massachusetts": [E], "MI Michigan": ["America/Detroit", "America/Menominee"], "MN Minnesota": [C],
        "MS Mississippi": [C], "MO Missouri": [C], "MT Montana": [M], "NE Nebraska": [C, M], "NV Nevada": [P, M],
        "NH New Hampshire": [E], "NJ New Jersey": [E], "NM New Mexico": [M], "NY New York": [E],
        "NC North Carolina": [E], "ND North Dakota": [*DAKOTA, C, M], "OH Ohio": [E], "OK Oklahoma": [C],
        "OR Oregon": [P, "America/Boise"], "PA Pennsylvania": [E], "RI Rhode Island": [E], "SC South Carolina": [E],
        "SD South Dakota": [C, M], "TN Tennessee": [C, E], "TX Texas": [C, M], "UT Utah": [M], "VT Vermont": [E],
        "VA Virginia": [E], "WA Washington": [P], "WV West Virginia": [E], "WI Wisconsin": [C], "WY Wyoming": [M],
        "AS American Samoa": ["Pacific/Pago_Pago"], "GU Guam": ["Pacific/Guam"],
        "MP Northern Mariana Islands": ["Pacific/Saipan"], "PR Puerto Rico": ["America/Puerto_Rico"],
        "VI US Virgin Islands": ["America/St_Thomas"],
    },
    "CA": {
        "AB Alberta": ["America/Edmonton"],
        "BC British Columbia": [f"America/{name}" for name in
                                ("Vancouver", "Creston", "Dawson_Creek", "Fort_Nelson", "Edmonton")],
        "MB Manitoba": ["America/Winnipeg"], "NB New Brunswick": ["America/Moncton"],
        "NL Newfoundland and Labrador": ["America/St_Johns", "America/Goose_Bay"],
        "NS Nova Scotia": ["America/Halifax", "America/Glace_Bay"],
        "NT Northwest Territories": ["America/Inuvik", "America/Edmonton"],
        "NU Nunavut": [f"America/{name}" for name in
                       ("Iqaluit", "Resolute", "Rankin_Inlet", "Cambridge_Bay", "Atikokan")],
        "ON Ontario": ["America/Toronto", "America/Atikokan", "America/Winnipeg"],
        "PE Prince Edward Island": ["America/Halifax"],
        # The Magdalen Islands keep the time of Halifax.
        "QC Quebec": ["America/Toronto", "America/Blanc-Sablon", "America/Halifax"],
        "SK Saskatchewan": ["America/Regina", "America/Swift_Current", "America/Edmonton"],
        "YT Yukon": ["America/Whitehorse", "America/Dawson"],
    },
    "AU": {
        "ACT Australian Capital Territory": ["Australia/Sydney"],
        "NSW New South Wales": ["Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"],
        "NT Northern Territory": ["Australia/Darwin"],
        "QLD Queensland": ["Australia/Brisbane", "Australia/Lindeman"],
        "SA South Australia": ["Australia/Adelaide"],
        "TAS Tasmania": ["Australia/Hobart", "Antarctica/Macquarie"],
        "VIC Victoria": ["Australia/Melbourne"],
        "WA Western Australia": ["Australia/Perth", "Australia/Eucla"],
    },
    "BR": {
        "AC Acre": ["America/Rio_Branco"], "AL Alagoas": ["America/Maceio"], "AP Amapá": ["America/Belem"],
        "AM Amazonas": ["America/Manaus", "America/Eirunepe"], "BA Bahia": ["America/Bahia"], "CE Ceará": [FORTALEZA],
        "DF Distrito Federal": [SAO_PAULO], "ES Espírito Santo": [SAO_PAULO], "GO Goiás": [SAO_PAULO],
        "MA Maranhão": [FORTALEZA], "MT Mato Grosso": ["America/Cuiaba"],
        "MS Mato Grosso do Sul": ["America/Campo_Grande"], "MG Minas Gerais": [SAO_PAULO],
        "PA Pará": ["America/Belem", "America/Santarem"], "PB Paraíba": [FORTALEZA], "PR Paraná": [SAO_PAULO],
        "PE Pernambuco": ["America/Recife", "America/Noronha"], "PI Piauí": [FORTALEZA],
        "RJ Rio de Janeiro": [SAO_PAULO], "RN Rio Grande do Norte": [FORTALEZA], "RS Rio Grande do Sul": [SAO_PAULO],
        "RO Rondônia": ["America/Porto_Velho"], "RR Roraima": ["America/Boa_Vista"], "SC Santa Catarina": [SAO_PAULO],
        "SP São Paulo": [SAO_PAULO], "SE Sergipe": ["America/Maceio"], "TO Tocantins": ["America/Araguaina"],
    },
    "MX": {
        "AGU Aguascalientes": [MEXICO], "BCN Baja California": ["America/Tijuana"],
        "BCS Baja California Sur": ["America/Mazatlan"], "CAM Campeche": ["America/Merida"], "CHP Chiapas": [MEXICO],
        "CHH Chihuahua": ["America/Chihuahua", "America/Ciudad_Juarez", "America/Ojinaga"],
        "CMX Ciudad de México": [MEXICO], "COA Coahuila": ["America/Monterrey", "America/Matamoros"],
        "COL Colima": [MEXICO], "DUR Durango": ["America/Monterrey"], "GUA Guanajuato": [MEXICO],
        "GRO Guerrero": [MEXICO], "HID Hidalgo": [MEXICO], "JAL Jalisco": [MEXICO], "MEX Estado de México": [MEXICO],
        "MIC Michoacán": [MEXICO], "MOR Morelos": [MEXICO],
        "NAY Nayarit": ["America/Mazatlan", "America/Bahia_Banderas"],
        "NLE Nuevo León": ["America/Monterrey", "America/Matamoros"], "OAX Oaxaca": [MEXICO], "PUE Puebla": [MEXICO],
        "QUE Querétaro": [MEXICO], "ROO Quintana Roo": ["America/Cancun"], "SLP San Luis Potosí": [MEXICO],
        "SIN Sinaloa": ["America/Mazatlan"], "SON Sonora": ["America/Hermosillo"], "TAB Tabasco": [MEXICO],
        "TAM Tamaulipas": ["America/Monterrey", "America/Matamoros"], "TLA Tlaxcala": [MEXICO],
        "VER Veracruz": [MEXICO], "YUC Yucatán": ["America/Merida"], "ZAC Zacatecas": [MEXICO],
    },
}  # fmt: skip
TERRITORIES = {"AS", "GU", "MP", "PR", "VI"}
STATES = [(country, *state.split(" ", 1), places) for country, states in EXPECTED.items()
          for state, places in states.items()]  # fmt: skip
NUMBER_OF_STATES = {"US": 51 + 5, "CA": 13, "AU": 8, "BR": 27, "MX": 32}
#: Two moments a month for two years: every change of clocks lies between two of them.
MOMENTS = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=15 * step) for step in range(49)]


@cache
def zone_tab() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (files("tzdata") / "zoneinfo/zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found.setdefault(country, set()).add(zone)
    return found


def clocks(names: list[str] | tuple[str, ...]) -> list[set[timedelta | None]]:
    return [{moment.astimezone(ZoneInfo(name)).utcoffset() for name in names} for moment in MOMENTS]


@pytest.mark.parametrize("country", EXPECTED)
def test_the_expected_table_agrees_with_the_time_zone_database(country: str) -> None:
    states = EXPECTED[country]
    assert len(states) == NUMBER_OF_STATES[country]
    listed = {zone for state, places in states.items() if state.split()[0] not in TERRITORIES for zone in places}
    if country == "US":
        assert listed == zone_tab()["US"]
        assert all(
            states[state] == [*zone_tab()[state.split()[0]]] for state in states if state.split()[0] in TERRITORIES
        )
    else:
        assert {zone for places in states.values() for zone in places} == zone_tab()[country]


def test_the_product_knows_these_states_and_no_others() -> None:
    expected = {(country, regions.fold(key)) for country, code, name, _ in STATES for key in (code, name)}
    assert set(regions.ZONES) == expected


@pytest.mark.parametrize(("country", "code", "name", "places"), STATES, ids=[f"{c}-{code}" for c, code, *_ in STATES])
def test_a_state_has_all_its_clocks_by_code_and_by_name(country: str, code: str, name: str, places: list[str]) -> None:
    by_code = zones.zones_of_region(country, code)
    assert by_code == zones.zones_of_region(country, name)
    assert set(by_code) <= set(places)
    assert clocks(by_code) == clocks(places)


@pytest.mark.parametrize(
    ("country", "text", "zone"),
    [
        ("US", "  new   york ", "America/New_York"),
        ("US", "D.C.", "America/New_York"),
        ("US", "U.S. Virgin Islands", "America/St_Thomas"),
        ("CA", "Québec", "America/Toronto"),
        ("BR", "SAO PAULO", "America/Sao_Paulo"),
        ("MX", "nuevo leon", "America/Monterrey"),
    ],
)
def test_case_spaces_dots_and_accents_of_a_name_do_not_matter(country: str, text: str, zone: str) -> None:
    assert zones.zones_of_region(country, text)[0] == zone


@pytest.mark.parametrize(("country", "region"), [("US", "ON"), ("US", ""), ("US", None), ("DE", "BE"), (None, "NY")])
def test_an_unknown_region_has_no_zones(country: str | None, region: str | None) -> None:
    assert zones.zones_of_region(country, region) == ()
