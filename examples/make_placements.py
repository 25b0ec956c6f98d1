"""Regenerate examples/placements.csv: 1,000 debts of people who do not exist, always the same ones.

E-mail addresses end in example.com, .net and .org (RFC 2606), and phones come from ranges that countries reserve for
fiction; in other countries debtors have no phone. Some debtors have two debts, and some have similar names.

    python examples/make_placements.py
"""

import csv
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

ROWS = 1_000
WITH_TWO = 90
SEED = 20260101
FIRST_DAY = date(2026, 1, 1)

#: Country: currency, language, a city, its region, a postal code.
COUNTRIES = {
    "GB": ("GBP", "en", "London", "Greater London", "SW1A 1AA"),
    "US": ("USD", "en", "Washington", "DC", "20001"),
    "DE": ("EUR", "de", "Berlin", "Berlin", "10115"),
    "FR": ("EUR", "fr", "Paris", "Île-de-France", "75001"),
    "ES": ("EUR", "es", "Madrid", "Madrid", "28001"),
    "IT": ("EUR", "it", "Milano", "Lombardia", "20121"),
    "NL": ("EUR", "nl", "Utrecht", "Utrecht", "3511 AA"),
    "PT": ("EUR", "pt", "Lisboa", "Lisboa", "1000-001"),
    "IE": ("EUR", "en", "Dublin", "Leinster", "D01 F5P2"),
    "BE": ("EUR", "nl", "Gent", "Oost-Vlaanderen", "9000"),
    "AT": ("EUR", "de", "Wien", "Wien", "1010"),
    "FI": ("EUR", "fi", "Helsinki", "Uusimaa", "00100"),
    "GR": ("EUR", "el", "Αθήνα", "Αττική", "105 57"),
    "SK": ("EUR", "sk", "Bratislava", "Bratislavský kraj", "811 01"),
    "SI": ("EUR", "sl", "Ljubljana", "", "1000"),
    "EE": ("EUR", "et", "Tallinn", "Harju", "10111"),
    "LV": ("EUR", "lv", "Rīga", "", "LV-1050"),
    "LT": ("EUR", "lt", "Vilnius", "", "01103"),
    "LU": ("EUR", "fr", "Luxembourg", "", "1111"),
    "MT": ("EUR", "en", "Valletta", "", "VLT 1117"),
    "CY": ("EUR", "el", "Λευκωσία", "", "1010"),
    "HR": ("EUR", "hr", "Zagreb", "", "10000"),
    "EC": ("USD", "es", "Quito", "Pichincha", "170101"),
    "PR": ("USD", "es", "San Juan", "", "00901"),
    "CH": ("CHF", "de", "Zürich", "Zürich", "8001"),
    "LI": ("CHF", "de", "Vaduz", "", "9490"),
    "SE": ("SEK", "sv", "Stockholm", "Stockholms län", "111 20"),
    "PL": ("PLN", "pl", "Kraków", "małopolskie", "30-001"),
    "JP": ("JPY", "ja", "東京", "東京都", "100-0001"),
    "KW": ("KWD", "ar", "الكويت", "", "13001"),
}
WEIGHTS = [20, 20, 8, 8, *[2] * 26]
DECIMALS = {"JPY": 0, "KWD": 3}

#: Ranges reserved for fiction (Ofcom, NANPA, ARCEP, BNetzA, PTS): the prefix, and the number of digits after it.
PHONES = {
    "GB": [("+447700900", 3)],
    "US": [("+120255501", 2), ("+121255501", 2), ("+141555501", 2), ("+161755501", 2)],
    "PR": [("+178755501", 2)],
    "FR": [("+3363998", 4)],
    "DE": [("+4917139200", 2), ("+49176040690", 2)],
    "SE": [("+467017406", 2)],
}
FIRST = [
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Elena",
    "Felix",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Liam",
    "Mara",
    "Olga",
    "Yusuf",
]
LAST = [
    "Abbot",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Ferrari",
    "Grönlund",
    "Hughes",
    "Jansen",
    "Müller",
    "Nowak",
    "O'Brien",
    "Weber",
]
#: Similar names, which a search for one of them finds together.
ALIKE = [
    ("Jon", "Smith"),
    ("John", "Smith"),
    ("John", "Smyth"),
    ("Joan", "Smith"),
    ("Jörg", "Schmidt"),
    ("Jorg", "Schmitt"),
]
COMPANIES = ["Bakery", "Motors", "Foods", "Textiles", "Travel"]
CREDITORS = ["Northwind Energy", "Contoso Bank", "Fabrikam Telecom", "Tailspin Retail"]


def phone(country: str, number: int) -> str:
    """Return the fictional phone of the country with this index; empty when the ranges are exhausted."""
    for start, digits in PHONES.get(country, []):
        first = 5 if country == "SE" else 0
        if number < 10**digits - first:
            return f"{start}{number + first:0{digits}d}"
        number -= 10**digits - first
    return ""


def debtors(rng: random.Random) -> list[dict[str, str]]:
    """Generate people and companies; the first ones cover each country once."""
    found, per_country = [], Counter[str]()
    for number in range(ROWS - WITH_TWO):
        countries = list(COUNTRIES)
        country = countries[number] if number < len(countries) else rng.choices(countries, WEIGHTS)[0]
        _, language, city, region, postal = COUNTRIES[country]
        first, last = ALIKE[number // 40 % len(ALIKE)] if number % 40 == 3 else (rng.choice(FIRST), rng.choice(LAST))
        company = f"{last} {rng.choice(COMPANIES)}" if number % 25 == 7 else ""
        found.append(
            {
                "firstName": "" if company else first,
                "lastName": "" if company else last,
                "legalEntity": company,
                "email": f"debtor{number + 1:04d}@example.{rng.choice(['com', 'net', 'org'])}",
                "mobilePhone": phone(country, per_country[country]),
                "dob": "" if company else (date(1950, 1, 1) + timedelta(days=rng.randrange(19_000))).isoformat(),
                "addressLine1": f"{rng.randrange(1, 200)} Example Street",
                "city": city,
                "regionState": region,
                "postalCode": postal,
                "countryCode": country,
                "languagePreference": language,
            }
        )
        per_country[country] += 1
    return found


def debt(rng: random.Random, number: int, country: str) -> dict[str, str]:
    """Generate a debt in the country's currency; one in six is partly paid."""
    currency = COUNTRIES[country][0]
    unit = Decimal(1).scaleb(-DECIMALS.get(currency, 2))
    whole = rng.randrange(40, 5_000) * (100 if currency == "JPY" else 1)
    original = (whole + Decimal(rng.randrange(1_000)) / 1_000).quantize(unit)
    current = (original * rng.randrange(20, 90) / 100).quantize(unit) if number % 6 == 0 else original
    placed = FIRST_DAY + timedelta(days=rng.randrange(180))
    return {
        "originalCreditor": rng.choice(CREDITORS),
        "externalReference": f"EX-{number + 1:05d}",
        "currencyCode": currency,
        "originalBalance": str(original),
        "currentBalance": str(current),
        "currentStatus": rng.choices(["active", "payment_plan", "disputed"], [90, 6, 4])[0],
        "placementDate": placed.isoformat(),
        "dueDate": (placed + timedelta(days=30)).isoformat(),
        "p2pScore": f"{rng.randrange(1_001) / 1_000:.3f}" if rng.random() < 0.9 else "",
    }


def main() -> None:
    rng = random.Random(SEED)  # noqa: S311
    people = debtors(rng)
    owing = [*people, *rng.sample(people, WITH_TWO)]
    rows = [person | debt(rng, number, person["countryCode"]) for number, person in enumerate(owing)]
    with (Path(__file__).parent / "placements.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
