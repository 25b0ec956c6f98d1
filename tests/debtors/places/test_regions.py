"""Every state and province by all its spellings, and its time zones, against the time zone database and a table of our own."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from debtors.places import regions

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


#: Written by hand: code, English name, local or short names.
MORE: dict[str, list[list[str]]] = {
    "US": [
        ["CA", "California", "Calif.", "US-CA", "State of California", "california "],
        ["MA", "Massachusetts", "Mass.", "US-MA"],
        ["DC", "District of Columbia", "D.C.", "Washington, D.C.", "Washington DC"],
        ["WA", "Washington", "Wash.", "Washington State"],
        ["NY", "New York", "N.Y.", "State of New York"],
        ["PA", "Pennsylvania", "Penna.", "Commonwealth of Pennsylvania"],
        ["PR", "Puerto Rico", "P.R."], ["GU", "Guam", "Guahan"],
        ["VI", "Virgin Islands", "U.S. Virgin Islands", "USVI"],
        ["MP", "Northern Mariana Islands", "CNMI"], ["AS", "American Samoa"], ["TX", "Texas", "Tex."],
        ["TN", "Tennessee", "Tenn."],
    ],
    "CA": [
        ["QC", "Quebec", "Québec", "QUÉBEC", "Que\u0301bec", "CA-QC", "PQ", "Que.", "Province de Québec"],
        ["ON", "Ontario", "Ont."], ["BC", "British Columbia", "Colombie-Britannique", "B.C."],
        ["NL", "Newfoundland and Labrador", "Terre-Neuve-et-Labrador", "Newfoundland & Labrador", "Nfld."],
        ["PE", "Prince Edward Island", "Île-du-Prince-Édouard", "P.E.I."], ["NS", "Nova Scotia", "Nouvelle-Écosse"],
        ["NB", "New Brunswick", "Nouveau-Brunswick"],
        ["NT", "Northwest Territories", "Territoires du Nord-Ouest", "NWT"],
        ["YT", "Yukon", "Yukon Territory"],
    ],
    "AU": [["NSW", "New South Wales", "AU-NSW", "N.S.W."], ["VIC", "Victoria", "Vic."],
    ["ACT", "Australian Capital Territory"]],
    "BR": [["SP", "São Paulo", "Sao Paulo", "BR-SP", "Estado de São Paulo"], ["CE", "Ceará", "Ceara"],
    ["DF", "Distrito Federal"]],
    "MX": [
        ["NLE", "Nuevo León", "Nuevo Leon", "NL", "N.L.", "MX-NLE", "Estado de Nuevo León"],
        ["CMX", "Ciudad de México", "Ciudad de Mexico", "CDMX", "Mexico City", "D.F."],
        ["MEX", "Estado de México", "Edo. Méx."],
        ["COA", "Coahuila", "Coahuila de Zaragoza"], ["QUE", "Querétaro", "Qro."],
        ["MIC", "Michoacán de Ocampo", "Mich."],
    ],
    "DE": [
        ["BB", "Brandenburg"], ["BE", "Berlin", "Land Berlin"],
        ["BW", "Baden-Württemberg", "Baden-Wuerttemberg", "BADEN WURTTEMBERG"],
        ["BY", "Bavaria", "Bayern", "Freistaat Bayern", "DE-BY"], ["HB", "Bremen"], ["HE", "Hesse", "Hessen"],
        ["HH", "Hamburg"],
        ["MV", "Mecklenburg-Vorpommern", "Mecklenburg-Western Pomerania"], ["NI", "Lower Saxony", "Niedersachsen"],
        ["NW", "North Rhine-Westphalia", "Nordrhein-Westfalen", "NRW"],
        ["RP", "Rhineland-Palatinate", "Rheinland-Pfalz"],
        ["SH", "Schleswig-Holstein"], ["SL", "Saarland"], ["SN", "Saxony", "Sachsen"],
        ["ST", "Saxony-Anhalt", "Sachsen-Anhalt", "DE-ST"],
        ["TH", "Thuringia", "Thüringen", "Thueringen"],
    ],
    "GB": [["ENG", "England"], ["SCT", "Scotland", "Alba"], ["WLS", "Wales", "Cymru"],
    ["NIR", "Northern Ireland", "GB-NIR"]],
    "ES": [
        ["AN", "Andalusia", "Andalucía", "Sevilla"], ["AR", "Aragon", "Aragón", "Zaragoza"],
        ["AS", "Asturias", "Principado de Asturias"],
        ["CB", "Cantabria"], ["CE", "Ceuta"], ["CL", "Castilla y León", "Valladolid"],
        ["CM", "Castilla-La Mancha", "Castilla La Mancha"],
        ["CN", "Canary Islands", "Canarias", "Las Palmas", "Santa Cruz de Tenerife"],
        ["CT", "Catalonia", "Cataluña", "Catalunya", "Barcelona"],
        ["EX", "Extremadura"], ["GA", "Galicia", "La Coruña"],
        ["IB", "Balearic Islands", "Illes Balears", "Islas Baleares"],
        ["MC", "Murcia", "Región de Murcia"], ["MD", "Madrid", "Comunidad de Madrid"], ["ML", "Melilla"],
        ["NC", "Navarre", "Navarra"],
        ["PV", "Basque Country", "País Vasco", "Euskadi"], ["RI", "La Rioja"],
        ["VC", "Valencian Community", "Comunitat Valenciana", "Alicante"],
    ],
    "CH": [
        ["AG", "Aargau", "Argovie"], ["AI", "Appenzell Innerrhoden"], ["AR", "Appenzell Ausserrhoden"],
        ["BE", "Bern", "Berne"],
        ["BL", "Basel-Landschaft", "Bâle-Campagne"], ["BS", "Basel-Stadt", "Bâle-Ville"],
        ["FR", "Fribourg", "Freiburg"],
        ["GE", "Geneva", "Genève", "Genf", "Canton de Genève"], ["GL", "Glarus"],
        ["GR", "Grisons", "Graubünden", "Grigioni"], ["JU", "Jura"],
        ["LU", "Lucerne", "Luzern"], ["NE", "Neuchâtel", "Neuenburg"], ["NW", "Nidwalden"], ["OW", "Obwalden"],
        ["SG", "St. Gallen", "Sankt Gallen", "Saint-Gall"], ["SH", "Schaffhausen"],
        ["SO", "Solothurn", "Soleure"], ["SZ", "Schwyz"],
        ["TG", "Thurgau"], ["TI", "Ticino", "Tessin"], ["UR", "Uri"], ["VD", "Vaud", "Waadt"],
        ["VS", "Valais", "Wallis"], ["ZG", "Zug"],
        ["ZH", "Zurich", "Zürich", "Kanton Zürich", "Zuerich"],
    ],
}  # fmt: skip
SPELLINGS = [
    (country, code, text) for country, rows in MORE.items() for code, *texts in rows for text in (code, *texts)
]


def test_the_product_knows_these_regions_and_no_others() -> None:
    expected = {(country, code) for country, code, _, _ in STATES}
    expected |= {(country, code) for country, rows in MORE.items() for code, *_ in rows}
    assert set(regions.zones()) == expected


@pytest.mark.parametrize(("country", "code", "name", "places"), STATES, ids=[f"{c}-{code}" for c, code, *_ in STATES])
def test_a_state_has_all_its_clocks_by_code_and_by_name(country: str, code: str, name: str, places: list[str]) -> None:
    for text in (code, name, f"{country}-{code}", f" {name.upper()}  "):
        assert regions.code(country, text) == code, text
    known = regions.zones()[country, code]
    assert set(known) <= set(places)
    assert clocks(known) == clocks(places)


@pytest.mark.parametrize(("country", "code", "text"), SPELLINGS, ids=[f"{c}-{text}" for c, _, text in SPELLINGS])
def test_a_region_is_known_in_each_of_its_spellings(country: str, code: str, text: str) -> None:
    assert regions.code(country, text) == code
    assert regions.code(country, text.lower()) == code
    assert regions.code(country, text.upper().replace("-", " ")) == code


def test_no_spelling_means_two_regions_of_a_country() -> None:
    written: dict[tuple[str, str], set[str]] = {}
    for country, code, text in SPELLINGS:
        written.setdefault((country, regions.fold(text)), set()).add(code)
    assert [key for key, codes in written.items() if len(codes) > 1] == []


@pytest.mark.parametrize(
    ("country", "text"), [("US", "ON"), ("US", ""), ("US", None), ("DE", "Nowhere"), ("XX", "NY"), ("", "NY")]
)
def test_an_unknown_region_has_no_code(country: str, text: str | None) -> None:
    assert regions.code(country, text) is None


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [("AT", "Wien", "9"), ("IN", "Maharashtra", "MH"), ("IT", "Milano", "MI"), ("FR", "Réunion", None)],
)
def test_other_countries_have_the_regions_with_holidays_of_their_own(country: str, text: str, code: str | None) -> None:
    assert regions.code(country, text) == code


def test_a_folded_name_has_no_case_accents_or_punctuation() -> None:
    assert regions.fold(" St.  John\u2019s ") == "saint johns"
    assert regions.fold("ST") == "st"
    assert regions.fold("Łódź") == "lodz"
    assert regions.spellings("Zürich") == {"zurich", "zuerich"}
