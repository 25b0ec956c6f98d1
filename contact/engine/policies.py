"""Contact policies as values: one version of one rule of one jurisdiction, and the locations that it covers."""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from debtors.places import regions
from debtors.places.regions import fold

#: The jurisdiction of the agency's own contact window, which the settings give. It applies everywhere.
AGENCY = "AGENCY"
#: The jurisdiction that applies where no other one does.
DEFAULT = "DEFAULT"
_SATURDAY = 6


class Scope(StrEnum):
    """The subject for which a frequency cap counts contacts."""

    PERSON = "person"
    DEBT = "debt"
    ADDRESS = "address"


class Counted(StrEnum):
    """Which contacts a frequency cap counts. An attempt that never reached the number (busy, out of service) is not one."""

    ATTEMPTS = "attempts"
    CONNECTED = "connected"
    CONVERSATIONS = "conversations"


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


@dataclass(frozen=True, eq=False)
class Policy:
    """One version of one rule of one jurisdiction. An empty field demands nothing.

    ``weekdays`` are ISO numbers; without ``opens`` the whole day is open. ``per_days`` counts the debtor's calendar days,
    today included; None with ``max_contacts`` is the calendar month. ``cooling_off_days`` include the conversation's own day.
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
    valid_from: date = date.min
    valid_to: date | None = None
    opens: time | None = None
    closes: time | None = None
    weekend_opens: time | None = None
    weekend_closes: time | None = None
    weekdays: frozenset[int] = frozenset()
    no_holidays: bool = False
    max_contacts: int | None = None
    per_days: int | None = None
    scope: Scope = Scope.PERSON
    counted: Counted = Counted.ATTEMPTS
    cooling_off_days: int | None = None
    consent_needed: bool = False
    consent_days: int | None = None
    validation_notice: bool = False

    @property
    def name(self) -> str:
        return f"{self.jurisdiction}/{self.code}"

    @property
    def versioned_name(self) -> str:
        """The name that decisions record."""
        return f"{self.name}@{self.version}"

    @property
    def has_hours(self) -> bool:
        return self.opens is not None or bool(self.weekdays) or self.no_holidays

    def is_in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

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

    def hours(self, day: date) -> tuple[time, time] | None:
        """Return the first moment of a day and its end (``time.min`` is midnight); None where the whole day is closed."""
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return None
        if day.isoweekday() >= _SATURDAY and self.weekend_opens is not None:
            return self.weekend_opens, self.weekend_closes or time.min
        return self.opens or time.min, self.closes or time.min
