"""The region and the time zones of addresses: by region, city and postcode, on both sides of the borders of time zones."""

import pytest

from debtors.places import places

E, C, M, P = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
BOISE, TORONTO, WINNIPEG, DETROIT = "America/Boise", "America/Toronto", "America/Winnipeg", "America/Detroit"
INDIANA, MENOMINEE = "America/Indiana/Indianapolis", "America/Menominee"

#: From 49 CFR part 71 and the maps of the post: country, region, city, postcode, zone.
BORDERS: dict[str, list[tuple[str, str | None, str | None, str | None, str]]] = {
    "Eastern and Central": [
        ("US", "FL", "Tallahassee", "32301", E), ("US", "FL", "Pensacola", "32501", C),
        ("US", "FL", "Jacksonville", "32202", E),
        ("US", "FL", "Panama City", "32401", C), ("US", "TN", "Knoxville", "37902", E),
        ("US", "TN", "Nashville", "37201", C),
        ("US", "TN", "Chattanooga", "37402", E), ("US", "TN", "Memphis", "38103", C),
        ("US", "KY", "Louisville", "40202", E),
        ("US", "KY", "Bowling Green", "42101", C), ("US", "KY", "Lexington", "40507", E),
        ("US", "KY", "Paducah", "42001", C),
        ("US", "IN", "Indianapolis", "46204", INDIANA), ("US", "IN", "Gary", "46402", C),
        ("US", "IN", "Fort Wayne", "46802", INDIANA),
        ("US", "IN", "Evansville", "47708", C), ("US", "MI", "Detroit", "48226", DETROIT),
        ("US", "MI", "Iron Mountain", "49801", MENOMINEE),
        ("US", "MI", "Marquette", "49855", DETROIT), ("US", "MI", "Menominee", "49858", MENOMINEE),
        ("US", "TN", "Johnson City", "37601", E),
        ("US", "KY", "Owensboro", "42301", C), ("US", "FL", "Destin", "32541", C),
        ("CA", "ON", "Thunder Bay", "P7B 1A1", TORONTO), ("CA", "ON", "Kenora", "P9N 1A1", WINNIPEG),
        ("CA", "ON", "Dryden", "P8N 1A1", WINNIPEG),
    ],
    "Central and Mountain": [
        ("US", "TX", "El Paso", "79901", M), ("US", "TX", "Houston", "77002", C), ("US", "TX", "Dallas", "75201", C),
        ("US", "TX", "Socorro", "79927", M), ("US", "TX", "Midland", "79701", C),
        ("US", "SD", "Rapid City", "57701", M),
        ("US", "SD", "Sioux Falls", "57104", C), ("US", "SD", "Spearfish", "57783", M),
        ("US", "SD", "Mitchell", "57301", C),
        ("US", "NE", "Scottsbluff", "69361", M), ("US", "NE", "Omaha", "68102", C),
        ("US", "NE", "Alliance", "69301", M),
        ("US", "NE", "Lincoln", "68508", C), ("US", "ND", "Dickinson", "58601", M), ("US", "ND", "Fargo", "58102", C),
        ("US", "ND", "Bismarck", "58501", C), ("US", "KS", "Goodland", "67735", M),
        ("US", "KS", "Wichita", "67202", C),
        ("US", "KS", "Sharon Springs", "67758", M), ("US", "KS", "Topeka", "66603", C),
        ("US", "NE", "Chadron", "69337", M),
        ("US", "SD", "Sturgis", "57785", M),
    ],
    "Mountain and Pacific": [
        ("US", "ID", "Boise", "83702", BOISE), ("US", "ID", "Coeur d'Alene", "83814", P),
        ("US", "ID", "Idaho Falls", "83402", BOISE),
        ("US", "ID", "Lewiston", "83501", P), ("US", "ID", "Twin Falls", "83301", BOISE),
        ("US", "ID", "Moscow", "83843", P),
        ("US", "ID", "Pocatello", "83201", BOISE), ("US", "ID", "Post Falls", "83854", P),
        ("US", "ID", "Nampa", "83651", BOISE),
        ("US", "ID", "Sandpoint", "83864", P), ("US", "OR", "Ontario", "97914", BOISE),
        ("US", "OR", "Portland", "97204", P),
        ("US", "OR", "Nyssa", "97913", BOISE), ("US", "OR", "Salem", "97301", P),
        ("US", "NV", "West Wendover", "89883", M),
        ("US", "NV", "Las Vegas", "89101", P), ("US", "OR", "Vale", "97918", BOISE),
        ("US", "ID", "Meridian", "83642", BOISE),
        ("US", "OR", "Eugene", "97401", P), ("US", "NV", "Reno", "89501", P), ("US", "ID", "Rexburg", "83440", BOISE),
    ],
    "elsewhere": [
        ("AU", "NSW", "Broken Hill", "2880", "Australia/Broken_Hill"),
        ("AU", "NSW", "Sydney", "2000", "Australia/Sydney"),
        ("AU", "NSW", "Tweed Heads", "2485", "Australia/Sydney"),
        ("AU", "QLD", "Coolangatta", "4225", "Australia/Brisbane"),
        ("AU", "VIC", "Mildura", "3500", "Australia/Melbourne"),
        ("AU", "SA", "Renmark", "5341", "Australia/Adelaide"),
        ("ES", "Canarias", "Las Palmas", "35001", "Atlantic/Canary"),
        ("ES", "Andalucía", "Málaga", "29001", "Europe/Madrid"),
        ("MX", "CHH", "Ciudad Juárez", None, "America/Ciudad_Juarez"),
        ("MX", "CHH", "Chihuahua", None, "America/Chihuahua"),
        ("MX", "TAM", "Nuevo Laredo", None, "America/Matamoros"), ("MX", "TAM", "Tampico", None, "America/Monterrey"),
        ("MX", "BCN", "Tijuana", "22000", "America/Tijuana"),
        ("MX", "SON", "Hermosillo", "83000", "America/Hermosillo"),
        ("BR", "AM", "Manaus", "69005-010", "America/Manaus"), ("BR", "PE", "Recife", "50010-000", "America/Recife"),
        ("CA", "BC", "Cranbrook", "V1C 1A1", "America/Edmonton"),
        ("CA", "BC", "Vancouver", "V5K 0A1", "America/Vancouver"),
        ("CA", "NL", "Labrador City", "A2V 1A1", "America/Goose_Bay"),
        ("CA", "NL", "St. John's", "A1A 1A1", "America/St_Johns"),
        ("ID", None, "Jakarta", "10110", "Asia/Jakarta"), ("ID", None, "Makassar", "90111", "Asia/Makassar"),
        ("ID", None, None, "99111", "Asia/Jayapura"), ("PT", None, "Ponta Delgada", "9500-150", "Atlantic/Azores"),
        ("PT", None, "Lisboa", "1000-001", "Europe/Lisbon"), ("RU", None, "Vladivostok", None, "Asia/Vladivostok"),
        ("RU", None, "Moscow", None, "Europe/Moscow"), ("RU", None, "Yekaterinburg", None, "Asia/Yekaterinburg"),
        ("CL", None, "Punta Arenas", None, "America/Punta_Arenas"),
        ("CL", None, "Santiago", None, "America/Santiago"),
    ],
}  # fmt: skip
CITIES = [city for of_border in BORDERS.values() for city in of_border]


def test_there_are_ten_cities_on_each_side_of_each_border() -> None:
    for border, zones in (("Eastern and Central", {E, INDIANA, DETROIT, TORONTO}), ("Central and Mountain", {C}),
                          ("Mountain and Pacific", {P})):  # fmt: skip
        first = [city for city in BORDERS[border] if city[4] in zones]
        assert min(len(first), len(BORDERS[border]) - len(first)) >= 10, border


@pytest.mark.parametrize(
    ("country", "region", "city", "code", "zone"), CITIES, ids=[f"{c[0]}-{c[2] or c[3]}" for c in CITIES]
)
def test_city_and_postcode_narrow_the_zones(
    country: str, region: str | None, city: str | None, code: str | None, zone: str
) -> None:
    assert places.find(country, region, city, code).zones == {zone}
    assert places.find(country, region, city, code).time_zone == zone
    if city:
        assert places.find(country, region, city).zones == {zone}, "by its city"
    if code:
        assert places.find(country, region, None, code).zones == {zone}, "by its postcode"
        assert places.find(country, None, None, code).zones == {zone}, "by nothing but its postcode"


@pytest.mark.parametrize(
    ("country", "region", "zone"),
    [
        # Reported spellings of regions. Of some regions a few hundred or thousand people keep another time.
        ("CA", "Québec", TORONTO), ("CA", "Quebec", TORONTO), ("CA", "CA-QC", TORONTO), ("US", "US-CA", P),
        ("US", "Calif.", P),
        ("BR", "BR-SP", "America/Sao_Paulo"), ("BR", "Sao Paulo", "America/Sao_Paulo"),
        ("BR", "São Paulo", "America/Sao_Paulo"),
        ("AU", "AU-NSW", "Australia/Sydney"), ("MX", "Nuevo Leon", "America/Monterrey"),
        ("MX", "NL", "America/Monterrey"),
        ("MX", "Ciudad de Mexico", "America/Mexico_City"), ("MX", "CDMX", "America/Mexico_City"),
        ("US", "Washington, D.C.", E),
        ("US", "PR", "America/Puerto_Rico"), ("US", "Guam", "Pacific/Guam"), ("DE", "Bayern", "Europe/Berlin"),
        ("GB", None, "Europe/London"), ("JP", None, "Asia/Tokyo"),
        # Several are possible.
        ("US", "TN", None), ("US", "Tennessee", None), ("US", "IN", None), ("US", "TX", None), ("US", None, None),
        ("US", "Nowhere", None),
        ("CA", None, None), ("DE", None, None), ("XX", None, None), (None, None, None),
    ],
)  # fmt: skip
def test_the_time_zone_is_that_of_the_region_unless_several_are_possible(
    country: str | None, region: str | None, zone: str | None
) -> None:
    assert places.find(country, region).time_zone == zone


def test_all_zones_of_a_region_count_even_those_of_few() -> None:
    assert places.find("AU", "NSW").zones == {"Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"}
    assert places.find("US", "TN", "A hamlet that no table has", "99999").zones >= {E, C}


@pytest.mark.parametrize(
    ("address", "regions"),
    [
        (("US", None, "Boston", "02115"), {"MA"}), (("US", None, None, "02115"), {"MA"}),
        (("US", None, None, "02115-1234"), {"MA"}), (("US", None, None, " 02115 "), {"MA"}),
        # Spreadsheets drop a zero at the beginning.
        (("US", None, None, "2115"), {"MA"}), (("DE", None, None, "1067"), {"SN"}),
        (("ES", None, None, "8001"), {"CT"}),
        (("US", None, None, "00901"), {"PR"}), (("US", None, None, "96910"), {"GU"}),
        (("US", None, None, "96799"), {"AS"}),
        (("US", None, None, "20001"), {"DC"}), (("US", None, None, "10001"), {"NY"}),
        (("US", None, None, "98101"), {"WA"}),
        (("CA", None, None, "h2x 1y4"), {"QC"}), (("CA", None, None, "M5V3L9"), {"ON"}),
        (("AU", None, None, "3000"), {"VIC"}),
        (("AU", None, None, "0800"), {"NT"}), (("AU", None, None, "800"), {"NT"}),
        (("BR", None, None, "01310-100"), {"SP"}),
        (("MX", None, None, "64000"), {"NLE"}), (("DE", None, None, "80331"), {"BY"}),
        (("DE", None, None, "D-80331"), {"BY"}),
        (("DE", None, None, "10115"), {"BE"}), (("GB", None, None, "EH1 1YZ"), {"SCT"}),
        (("GB", None, None, "BT1 5GS"), {"NIR"}),
        (("GB", None, None, "CF10 1EP"), {"WLS"}), (("GB", None, None, "SW1A 1AA"), {"ENG"}),
        (("CH", None, None, "CH-8001"), {"ZH"}),
        (("CH", None, None, "1201"), {"GE"}), (("ES", None, None, "28001"), {"MD"}),
        (("ES", None, None, "35001"), {"CN"}),
        # A code on a border between two of them.
        (("GB", None, None, "TD9 7AA"), {"ENG", "SCT"}), (("GB", "Scotland", None, "TD9 7AA"), {"SCT"}),
        # By the city: a big one is told from places of its name in which less than one in a hundred lives.
        (("DE", None, "Munich", None), {"BY"}), (("DE", None, "München", None), {"BY"}),
        (("DE", None, "Muenchen", None), {"BY"}),
        (("US", None, "Chicago", None), {"IL"}), (("CA", None, "Montréal", None), {"QC"}),
        (("CA", None, "Montreal", None), {"QC"}),
        (("CH", None, "Genf", None), {"GE"}),
        # They contradict: both count. A name that no table has is left out.
        (("US", "NJ", "Boston", "02115"), {"NJ", "MA"}), (("US", "NJ", "Boston", None), {"NJ"}),
        (("US", "Nowhere", None, None), set()),
        (("US", "Nowhere", None, "02115"), {"MA"}),
    ],
)  # fmt: skip
def test_region_postcode_and_city_tell_the_region(
    address: tuple[str, str | None, str | None, str | None], regions: set[str]
) -> None:
    assert places.find(*address).regions == regions


def test_a_city_whose_name_many_have_tells_all_their_regions() -> None:
    assert {"OR", "ME"} <= places.find("US", None, "Portland").regions


@pytest.mark.parametrize(
    ("address", "country"),
    [
        (("GB", None, "St Helier", "JE2 3AB"), "JE"), (("GB", "Jersey"), "JE"), (("GB", "Guernsey"), "GG"),
        (("GB", None, None, "GY1 1AA"), "GG"),
        (("GB", "Isle of Man"), "IM"), (("GB", None, None, "IM1 1AA"), "IM"), (("GB", "Scotland"), "GB"),
        (("JE",), "JE"), (("PR",), "PR"),
    ],
)  # fmt: skip
def test_the_crown_dependencies_are_no_part_of_the_united_kingdom(address: tuple[str, ...], country: str) -> None:
    assert places.find(*address).country == country


def test_a_text_that_is_no_region_is_kept_for_the_agent() -> None:
    assert places.find("US", " Nowhere ").unknown_region == "Nowhere"
    assert places.find("US", "NJ").unknown_region == ""
    assert places.find("US", None).unknown_region == ""
    assert places.find("JP", "Nowhere").unknown_region == "", "no table has the regions of Japan"


def test_long_and_strange_texts_tell_nothing() -> None:
    for text in ("x" * 10_000, "\x00", "💥", "٠٢١١٥", "-", "'; DROP TABLE debtor"):
        assert places.find("US", text, text, text).regions == frozenset()
