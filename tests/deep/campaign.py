"""A campaign to everybody in thirty countries, counted where it arrives: by the clock on the receiver's wall."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers

from collection.models import Debt
from communications.models import CommunicationLog
from contact.models import ValidationNotice
from debtors.models import Debtor
from tests import factories
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import TwilioStandIn

Place = tuple[str, str | None]
#: A Wednesday that is a holiday in none of these countries, nor is the day after.
BEGINS = datetime(2026, 3, 11, 3, tzinfo=UTC)
#: Country and region, and every clock that somebody there may go by.
PLACES: dict[Place, list[str]] = {
    ("GB", None): ["Europe/London"],
    ("IE", None): ["Europe/Dublin"],
    ("FR", None): ["Europe/Paris"],
    ("DE", None): ["Europe/Berlin", "Europe/Busingen"],
    ("IT", None): ["Europe/Rome"],
    ("PL", None): ["Europe/Warsaw"],
    ("SE", None): ["Europe/Stockholm"],
    ("FI", None): ["Europe/Helsinki"],
    ("GR", None): ["Europe/Athens"],
    ("RO", None): ["Europe/Bucharest"],
    ("TR", None): ["Europe/Istanbul"],
    ("AE", None): ["Asia/Dubai"],
    ("PK", None): ["Asia/Karachi"],
    ("IN", None): ["Asia/Kolkata"],
    ("NP", None): ["Asia/Kathmandu"],
    ("BD", None): ["Asia/Dhaka"],
    ("TH", None): ["Asia/Bangkok"],
    ("SG", None): ["Asia/Singapore"],
    ("PH", None): ["Asia/Manila"],
    ("KR", None): ["Asia/Seoul"],
    ("JP", None): ["Asia/Tokyo"],
    ("AU", "Queensland"): ["Australia/Brisbane"],
    ("NG", None): ["Africa/Lagos"],
    ("KE", None): ["Africa/Nairobi"],
    ("ZA", None): ["Africa/Johannesburg"],
    ("CO", None): ["America/Bogota"],
    ("PE", None): ["America/Lima"],
    ("BR", "SP"): ["America/Sao_Paulo"],
    ("CA", "ON"): ["America/Toronto", "America/Winnipeg"],
    ("US", "CA"): ["America/Los_Angeles"],
    ("US", "TN"): ["America/Chicago", "America/New_York"],
    ("US", "HI"): ["Pacific/Honolulu"],
}
#: First and last hour by the law of each country or, where we know none, 9 to 18; never outside the agency's own 8 to 21.
OPENS = {"IE": 9, "GR": 9, "RO": 9} | dict.fromkeys(
    ("TR", "AE", "PK", "NP", "BD", "SG", "KR", "JP", "NG", "KE", "ZA", "BR"), 9
)
CLOSES = {"DE": 20, "GR": 20, "RO": 20, "IN": 19, "TH": 20, "CO": 19} | dict.fromkeys(
    ("TR", "AE", "PK", "NP", "BD", "SG", "KR", "JP", "NG", "KE", "ZA", "BR"), 18
)
#: Whose phones tell the same clock as their country, so that texts go there, too.
_TEXTED = ("GB", "FR", "IN", "NP", "JP", "ZA", "KE", "SG", "PL", "TH")


def at_night(_: Place) -> datetime:
    """Three in the morning UTC, for everybody at once."""
    return BEGINS


def in_the_evening(place: Place) -> datetime:
    """Half past seven in the evening by the receiver's clock, when many countries are closed and others are not."""
    return datetime.combine(BEGINS.date(), time(19, 30), ZoneInfo(PLACES[place][0]))


def queue(count: int, *, due_at: Callable[[Place], datetime] = at_night) -> None:
    """Queue so many messages, each to somebody else, as a strategy's run would."""
    mail = factories.template(body="Dear {{debtor_first_name}}, please call us.")
    text = factories.template(communication_type="sms", subject=None, body="Please call us.")
    whereabouts = list(itertools.islice(itertools.cycle(PLACES), count))
    debtors = Debtor.objects.bulk_create(
        Debtor(
            first_name="John", last_name="Doe", email=f"{country}.{region or ''}.{number}@example.org".lower(),
            mobile_phone=_phone(country, number) if _is_texted(country, number) else None,
            country_code=country, region_state=region,
        )
        for number, (country, region) in enumerate(whereabouts)
    )  # fmt: skip
    owed = {
        "creditor": factories.creditor(), "original_balance": 9, "current_balance": 9, "currency_code": "EUR",
        "placement_date": BEGINS.date(), "due_date": BEGINS.date() - timedelta(days=30),
    }  # fmt: skip
    debts = Debt.objects.bulk_create(Debt(debtor=debtor, **owed) for debtor in debtors)
    # Ontario wants a written notice, and six days after it.
    noticed = BEGINS - timedelta(days=10)
    ValidationNotice.objects.bulk_create(
        ValidationNotice(debt=debt, sent_at=noticed, received_on=noticed.date(), period_ends_on=noticed.date())
        for debt in debts if debt.debtor.region_state == "ON"
    )  # fmt: skip
    CommunicationLog.objects.bulk_create(
        CommunicationLog(
            debtor=debt.debtor, debt=debt, due_at=due_at(_place_of(debt.debtor)), created_at=BEGINS,
            template=text if debt.debtor.mobile_phone else mail,
            communication_type="sms" if debt.debtor.mobile_phone else "email",
        )
        for debt in debts
    )  # fmt: skip


def _place_of(debtor: Debtor) -> Place:
    return debtor.country_code or "", debtor.region_state


def _is_texted(country: str, number: int) -> bool:
    return country in _TEXTED and bool(number // len(PLACES) % 2)


def _phone(country: str, number: int) -> str:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return f"{phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-4]}{number:04d}"


class Arrivals:
    """What arrived, at which step of the campaign's clock."""

    def __init__(self, smtp: SmtpStandIn, twilio: TwilioStandIn) -> None:
        self.smtp, self.twilio = smtp, twilio
        self.by_step: dict[datetime, list[str]] = {}
        self._mails = self._texts = 0

    def note(self, at: datetime) -> None:
        """Note what came in since the last look as arrived at this step."""
        mails, texts = self.smtp.mails[self._mails :], self.twilio.orders[self._texts :]
        self._mails, self._texts = self._mails + len(mails), self._texts + len(texts)
        self.by_step[at] = [str(mail["To"]) for mail in mails] + [order.fields["To"] for order in texts]

    def hold(self, count: int, *, due_at: Callable[[Place], datetime] = at_night) -> None:
        """Hold that each came once, in its receiver's window, at the first step at which it was due and that was open."""
        receivers = {debtor.mobile_phone or debtor.email: debtor for debtor in Debtor.objects.all()}
        counted = Counter(address for some in self.by_step.values() for address in some)
        assert sum(counted.values()) == count
        assert set(counted) == set(receivers), "somebody got none, or two"
        put_off = 0
        for at, addresses in self.by_step.items():
            for address in addresses:
                place = _place_of(receivers[address])
                assert _is_open(place, at), f"{place} at {at}"
                earlier = [before for before in self.by_step if due_at(place) <= before < at]
                assert not any(_is_open(place, before) for before in earlier), f"{place} only at {at}"
                put_off += bool(earlier)
        assert put_off not in (0, count), "nobody was asleep, or everybody"


def _is_open(place: Place, at: datetime) -> bool:
    clocks = PLACES[place]
    opens, closes = OPENS.get(place[0], 8), CLOSES.get(place[0], 21)
    return all(opens <= at.astimezone(ZoneInfo(zone)).hour < closes for zone in clocks)


def steps(hours: int, *, step: timedelta) -> Iterator[datetime]:
    """The moments at which the campaign's clock is read."""
    at = BEGINS
    while at < BEGINS + timedelta(hours=hours):
        yield at
        at += step
