"""The demo's debtors: sample people of 30 countries.

Their addresses end in example.com and example.org (RFC 2606). Phones come from ranges that regulators reserve for fiction (Ofcom,
NANPA's 555-01xx, ARCEP, BNetzA, ACMA, ComReg); for other countries from +999, which belongs to none.
"""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from debtors.models import Debtor


@dataclass(frozen=True)
class Country:
    """A country of the demo. ``locations`` are "city" or "city, region"; ``phones`` have # for each digit that varies."""

    code: str
    currency: str
    language: str
    people: int
    names: str
    locations: tuple[str, ...]
    phones: tuple[str, ...] = ()


COUNTRIES = (
    Country("US", "USD", "en", 400, "english", ("New York, NY", "Chicago, IL", "Seattle, WA", "Miami, FL"),
            ("+121255501##", "+131255501##", "+120655501##", "+130555501##")),
    Country("GB", "GBP", "en", 340, "english", ("London", "Leeds", "Cardiff", "Glasgow"), ("+447700900###",)),
    Country("IN", "INR", "en", 150, "indian", ("Mumbai", "Pune", "Chennai", "Delhi")),
    Country("DE", "EUR", "de", 150, "german", ("Berlin", "Hamburg", "München", "Köln"), ("+4917139200##", "+4917604069##0")),
    Country("CA", "CAD", "en", 120, "english", ("Toronto, ON", "Vancouver, BC"), ("+141655501##", "+160455501##")),
    Country("BR", "BRL", "pt-BR", 120, "portuguese", ("São Paulo, SP", "Recife, PE", "Curitiba, PR")),
    Country("AU", "AUD", "en", 120, "english", ("Sydney, NSW", "Melbourne, VIC"), ("+61255500###", "+61370100###")),
    Country("FR", "EUR", "fr", 120, "french", ("Paris", "Lyon", "Nantes"), ("+336399800##", "+336399801##")),
    Country("JP", "JPY", "ja", 100, "japanese", ("Tokyo", "Osaka", "Sapporo")),
    Country("ES", "EUR", "es", 80, "spanish", ("Madrid", "Sevilla", "Bilbao")),
    Country("IT", "EUR", "it", 60, "italian", ("Roma", "Torino", "Napoli")),
    Country("NL", "EUR", "nl", 40, "dutch", ("Utrecht", "Rotterdam")),
    Country("IE", "EUR", "en", 30, "english", ("Dublin", "Cork"), ("+35320910####",)),
    Country("AT", "EUR", "de", 20, "german", ("Wien", "Graz")),
    Country("BE", "EUR", "fr", 20, "french", ("Namur", "Liège")),
    Country("PT", "EUR", "pt", 20, "portuguese", ("Lisboa", "Porto")),
    Country("NZ", "AUD", "en", 10, "english", ("Auckland",)),
    Country("EC", "USD", "es", 10, "spanish", ("Quito",)),
    Country("SV", "USD", "es", 10, "spanish", ("San Salvador",)),
    Country("FI", "EUR", "fi", 8, "nordic", ("Turku",)),
    Country("GR", "EUR", "el", 8, "greek", ("Patra",)),
    Country("SK", "EUR", "sk", 8, "slavic", ("Košice",)),
    Country("SI", "EUR", "sl", 8, "slavic", ("Maribor",)),
    Country("HR", "EUR", "hr", 8, "slavic", ("Split",)),
    Country("LT", "EUR", "lt", 8, "slavic", ("Kaunas",)),
    Country("LV", "EUR", "lv", 8, "slavic", ("Rīga",)),
    Country("EE", "EUR", "et", 8, "nordic", ("Tartu",)),
    Country("CY", "EUR", "el", 6, "greek", ("Larnaca",)),
    Country("LU", "EUR", "fr", 5, "french", ("Luxembourg",)),
    Country("MT", "EUR", "en", 5, "english", ("Sliema",)),
)  # fmt: skip

NAMES = {
    "english": ("Olivia James Amelia Oscar Grace Henry Ruby Samuel Ella Thomas", "Archer Bexley Carver Dunmore Ellwood "
                "Fenwick Garside Holloway Kirkby Langford Merton Ormsby"),
    "german": ("Anna Jürgen Käthe Lukas Marie Nils Sabine Uwe", "Ackermann Brückner Ehlers Förster Grünwald Hölzer Köster"),
    "french": ("Agnès Benoît Chloé Émile Hélène Luc Noémie", "Aubertin Bresson Delorme Fontanel Lacaze Marchal"),
    "spanish": ("Álvaro Beatriz Inés Jorge Lucía Nuria Raúl", "Alcázar Bermúdez Ibáñez Lozano Peñalver Quiroga"),
    "italian": ("Alessia Bruno Chiara Davide Elisa Franco", "Albanese Bertolini Corsini Fabbri Moretti"),
    "portuguese": ("Antônio Beatriz Caio Helena João Luísa", "Azevedo Brandão Figueira Magalhães Queirós"),
    "dutch": ("Daan Femke Joost Lotte Sanne Teun", "Bakhuizen Dijkgraaf Kuipers Terpstra Vinkeveen"),
    "indian": ("Aarav Divya Ishaan Kavya Meera Rohan Tara Vikram", "Banerjee Chauhan Deshmukh Iyengar Kulkarni Menon Rathore"),
    "japanese": ("Aiko Daichi Haruka Kenji Miyu Sora Yuki", "Arakawa Fujimori Hoshino Kurosaki Minamoto Shirai"),
    "nordic": ("Aino Eero Liisa Mikko Tiina Urho", "Koskela Lehtonen Mäkelä Rebane Tamm"),
    "greek": ("Dimitris Eleni Katerina Nikos Sofia", "Andreou Galanis Kostas Pavlidis"),
    "slavic": ("Ana Eva Ivan Jana Marek Milan Vesna", "Horvat Kovač Novotný Petrauskas Zupan"),
}  # fmt: skip
_COMPANIES = ("Bakery", "Joinery", "Logistics", "Printing", "Cycles", "Gardens")
_STREETS = ("Mill", "Station", "Church", "Garden", "Bridge", "Market")


def debtors(rng: random.Random, *, today: date, now: datetime) -> Iterator[tuple[Debtor, Country]]:
    """Generate all debtors, each with an e-mail address and most with a phone."""
    number = 0
    for country in COUNTRIES:
        phones = _phones(country)
        for _ in range(country.people):
            number += 1
            yield _debtor(rng, country, number, next(phones), today=today, now=now), country


def _debtor(rng: random.Random, country: Country, number: int, phone: str, *, today: date, now: datetime) -> Debtor:
    firsts, lasts = (words.split() for words in NAMES[country.names])
    first, last = rng.choice(firsts), rng.choice(lasts)
    city, _, region = rng.choice(country.locations).partition(", ")
    company = f"{last} {rng.choice(_COMPANIES)}" if rng.random() < 0.08 else None
    return Debtor(
        first_name=None if company else first,
        last_name=None if company else last,
        legal_entity=company,
        email=f"{_ascii(first)}.{_ascii(last)}.{number}@example.{rng.choice(('com', 'org'))}",
        mobile_phone=phone if rng.random() < 0.92 else None,
        dob=None if company else today - timedelta(days=rng.randint(19 * 365, 80 * 365)),
        address_line1=f"{rng.randint(1, 240)} {rng.choice(_STREETS)} Street",
        city=city,
        region_state=region or None,
        postal_code=f"{rng.randint(10000, 99999)}",
        country_code=country.code,
        language_preference=country.language if rng.random() < 0.9 else "en",
        created_at=now - timedelta(days=rng.randint(130, 500), seconds=rng.randint(0, 86_399)),
    )


def _phones(country: Country) -> Iterator[str]:
    """Yield the country's phone numbers, each once."""
    for pattern in country.phones:
        width = pattern.count("#")
        for number in range(10**width):
            digits = iter(f"{number:0{width}d}")
            yield "".join(next(digits) if mark == "#" else mark for mark in pattern)
    index = COUNTRIES.index(country)
    for number in range(10_000):
        yield f"+99901{index:02d}{number:04d}"


def _ascii(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
