"""Contact policies as values: one version of one rule of one jurisdiction, and the locations that it covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contact.engine.hours import parse
from debtors.places import regions
from debtors.places.regions import fold

#: The jurisdiction of the agency's own contact window, which the settings give. It applies everywhere.
AGENCY = "AGENCY"
#: The jurisdiction that applies where no other one does.
DEFAULT = "DEFAULT"


class Scope(StrEnum):
    """The subject for which a frequency cap counts contacts."""

    PERSON = "person"
    DEBT = "debt"
    CREDITOR = "creditor"
    ADDRESS = "address"


class Counted(StrEnum):
    """Which contacts a policy counts. An attempt that never reached the number (busy, out of service) is not one.

    ``contacts`` are attempts that reached somebody or left a message. ``exchanges`` are conversations and the debtor's messages.
    """

    ATTEMPTS = "attempts"
    CONTACTS = "contacts"
    CONVERSATIONS = "conversations"
    EXCHANGES = "exchanges"


class Calendar(StrEnum):
    """A period of the debtor's calendar in which a cap counts; weeks begin on Monday."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Event(StrEnum):
    """The event after which a policy demands to wait."""

    NOTICE = "notice"
    DUE = "due"


class NumberKind(StrEnum):
    """The kind of a phone number. An unknown kind is under the policies of every kind."""

    MOBILE = "mobile"
    HOME = "home"
    WORK = "work"


class DebtorKind(StrEnum):
    """The kind of a debtor; a minor is a person who is not of age."""

    PERSON = "person"
    COMPANY = "company"
    MINOR = "minor"


class Confidence(StrEnum):
    """How a rule was read, from the least sure way to the surest: not again, in another text, or in the law itself."""

    MEMORY = "memory"
    SECONDARY = "secondary"
    PRIMARY = "primary"


def least_sure(confidences: Iterable[str]) -> str:
    """Return the least sure of these confidences; empty if there is none."""
    known = set(confidences)
    return next((each.value for each in Confidence if each in known), "")


@dataclass(frozen=True)
class Location:
    """Where a debtor may be, as far as policies distinguish. Make one with ``location``, which normalizes the names.

    ``region`` is an ISO 3166-2 code such as "MA". A field that is not known is empty: what applies anywhere
    within the rest applies.
    """

    country: str
    region: str = ""
    city: str = ""
    postal_code: str = ""


def location(
    country: str, region: str | None = None, city: str | None = None, postal_code: str | None = None
) -> Location:
    """Return a location with the region's code and the other names in normal form, without case, accents and punctuation."""
    return Location(
        country.upper(),
        region_code(country.upper(), region),
        fold(city or ""),
        fold(postal_code or "").replace(" ", ""),
    )


def region_code(country: str, region: str | None) -> str:
    """Return the code of a region, however it is written; the folded text where no table has the country's regions."""
    found = regions.code(country, region)
    return found or ("" if country in regions.countries() else fold(region or ""))


@dataclass(frozen=True)
class Subject:
    """What a contact is about and where it goes, as far as policies distinguish. Empty: unknown, or not about a debt."""

    number_kind: str = ""
    debt_kind: str = ""
    debtor_kind: str = ""


#: A subject of which nothing is known.
UNKNOWN = Subject()


@dataclass(frozen=True, eq=False)
class Policy:
    """One version of one rule of one jurisdiction. An empty field demands nothing; an empty filter applies to everything.

    ``hours`` have the form of ``contact.engine.hours``. A cap allows ``max_contacts``, or ``max_channels`` for one debtor, in
    ``per_days`` calendar days of the debtor, today included, or in a period of the calendar. With ``unless_consented`` it is for
    contacts without consent. ``cooling_off_days`` include the conversation's own day. A call that the debtor asked for in the
    last ``call_back_days`` neither counts nor is blocked. The validation notice comes first, or at the latest
    ``notice_days`` after the first contact. ``wait_days`` pass between the ``wait_from`` and the first contact.
    """

    jurisdiction: str
    code: str
    section: str
    version: int = 1
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    postal_prefixes: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    number_kinds: frozenset[str] = frozenset()
    debt_kinds: frozenset[str] = frozenset()
    debtor_kinds: frozenset[str] = frozenset()
    valid_from: date = date.min
    valid_to: date | None = None
    hours: str = ""
    max_contacts: int | None = None
    max_channels: int | None = None
    per_days: int | None = None
    per_calendar: str = ""
    scope: Scope = Scope.PERSON
    counted: Counted = Counted.ATTEMPTS
    unless_consented: bool = False
    cooling_off_days: int | None = None
    call_back_days: int | None = None
    consent_needed: bool = False
    consent_days: int | None = None
    validation_notice: bool = False
    notice_days: int | None = None
    wait_days: int | None = None
    wait_from: str = ""
    confidence: str = ""

    @property
    def name(self) -> str:
        return f"{self.jurisdiction}/{self.code}"

    @property
    def versioned_name(self) -> str:
        """The name that decisions record."""
        return f"{self.name}@{self.version}"

    @property
    def keeps_holidays(self) -> bool:
        """Whether public holidays have other hours than ordinary days."""
        return bool(self.hours) and bool(parse(self.hours).holidays)

    @property
    def longest_memory(self) -> int:
        """How many days back a contact may matter to this policy."""
        spans = {Calendar.WEEK: 7, Calendar.MONTH: 31, Calendar.YEAR: 366}
        days = (
            self.per_days,
            self.cooling_off_days,
            self.call_back_days,
            spans.get(Calendar(self.per_calendar), 0) if self.per_calendar else 0,
        )
        return max(number or 0 for number in days)

    def is_in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def is_about(self, channel: str, subject: Subject) -> bool:
        """Check whether the policy applies to contacts by this channel about this subject."""
        filters = (
            (self.channels, channel), (self.number_kinds, subject.number_kind), (self.debt_kinds, subject.debt_kind),
            (self.debtor_kinds, subject.debtor_kind),
        )  # fmt: skip
        return all(not wanted or not found or found in wanted for wanted, found in filters)

    def covers(self, where: Location) -> bool:
        """Check whether the policy applies to a debtor at this location."""
        if self.jurisdiction == AGENCY:
            return True
        if where.country not in self.countries:
            return False
        if self.regions and where.region and where.region not in self.regions:
            return False
        if not (self.cities or self.postal_prefixes) or not (where.city or where.postal_code):
            return True
        by_code = bool(self.postal_prefixes) and where.postal_code.startswith(self.postal_prefixes)
        return by_code or where.city in self.cities

    def holiday_locations(self, locations: frozenset[Location]) -> tuple[Location, ...]:
        """Return the locations at which this policy keeps public holidays free."""
        return tuple(where for where in locations if self.covers(where) or self.jurisdiction == DEFAULT)
