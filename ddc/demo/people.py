"""The demo's debtors: sample people of 30 countries.

Their addresses end in example.com and example.org (RFC 2606).
"""

import math
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ddc.demo.sample import SAMPLE
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Consent, Debtor


@dataclass(frozen=True)
class Country:
    """A country of the demo, with the number of its debtors."""

    code: str
    currency: str
    language: str
    people: int
    names: str
    locations: list[str]
    phones: list[str]


#: The beginning of numbers that belong to no country.
NO_COUNTRY = "+99901"
COUNTRIES = [Country(*row) for row in SAMPLE["countries"]]


def debtors(rng: random.Random, *, share: float = 1, today: date, now: datetime) -> Iterator[tuple[Debtor, Country]]:
    """Generate a share of all debtors, at least one of each country, each with an e-mail address and most with a phone."""
    number = 0
    for country in COUNTRIES:
        phones = _phones(country)
        for _ in range(math.ceil(country.people * share)):
            number += 1
            yield _debtor(rng, country, number, next(phones), today=today, now=now), country


def consent(rng: random.Random, debtors: Sequence[Debtor], *, now: datetime) -> None:
    """Record consents that most debtors gave to their creditor, and some to open tracking."""
    rows = [
        Consent(
            debtor=debtor,
            channel=channel,
            address=contact_points.normal_form(debtor.mobile_phone or ""),
            basis=Consent.Basis.CREDITOR,
            text="You may call and text me at this number about my account, also by machine.",
            source="The creditor's contract, section 7",
            given_at=now - timedelta(days=rng.randint(31, 58)),
        )
        for debtor in debtors
        if debtor.mobile_phone and rng.random() < 0.85
        for channel in (Channel.SMS, Channel.VOICE)
    ]
    Consent.objects.bulk_create(rows, batch_size=500)


def _debtor(rng: random.Random, country: Country, number: int, phone: str, *, today: date, now: datetime) -> Debtor:
    firsts, lasts = (words.split() for words in SAMPLE["names"][country.names])
    first, last = rng.choice(firsts), rng.choice(lasts)
    city, _, region = rng.choice(country.locations).partition(", ")
    company = f"{last} {rng.choice(SAMPLE['companies'])}" if rng.random() < 0.08 else None
    return Debtor(
        first_name=None if company else first,
        last_name=None if company else last,
        legal_entity=company,
        email=f"{_ascii(first)}.{_ascii(last)}.{number}@example.{rng.choice(('com', 'org'))}",
        mobile_phone=phone if rng.random() < 0.92 else None,
        dob=None if company else today - timedelta(days=rng.randint(19 * 365, 80 * 365)),
        address_line1=f"{rng.randint(1, 240)} {rng.choice(SAMPLE['streets'])} Street",
        city=city,
        region_state=region or None,
        postal_code=f"{rng.randint(10000, 99999)}",
        country_code=country.code,
        tracking_consent_at=now - timedelta(days=rng.randint(31, 120)) if rng.random() < 0.4 else None,
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
        yield f"{NO_COUNTRY}{index:02d}{number:04d}"


def _ascii(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
