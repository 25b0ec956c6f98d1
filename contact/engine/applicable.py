"""Which of all policies apply to a contact: by the debtor's possible locations and the channel."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from contact.engine.policies import AGENCY, DEFAULT, UNKNOWN, Event, Location, Policy, Scope, Subject
from contact.engine.windows import ContactWindows

#: The sets of days by which names are kept, and the sets of policies that are shared; a worker runs for weeks.
_KEPT = 4_096


class ApplicablePolicies:
    """The policies that apply to one kind of contact, arranged by what they demand."""

    def __init__(self, policies: Iterable[Policy], locations: frozenset[Location]) -> None:
        self.policies = tuple(policies)
        self.windows = ContactWindows((policy for policy in self.policies if policy.hours), locations)
        self.caps = tuple(policy for policy in self.policies if policy.max_contacts or policy.max_channels)
        self.cooling_off = tuple(policy for policy in self.policies if policy.cooling_off_days)
        self.consents = tuple(policy for policy in self.policies if policy.consent_needed)
        self.waits = tuple(policy for policy in self.policies if policy.wait_days)
        self.validation_notices = tuple(
            policy for policy in self.policies if policy.validation_notice or policy.wait_from == Event.NOTICE
        )
        self._names: dict[frozenset[date], tuple[str, ...]] = {}

    def names_on(self, days: frozenset[date]) -> tuple[str, ...]:
        """Return the versioned names of the policies that are in force on any of these days."""
        if days not in self._names:
            if len(self._names) >= _KEPT:
                self._names.clear()
            in_force = (policy for policy in self.policies if any(policy.is_in_force(day) for day in days))
            self._names[days] = tuple(policy.versioned_name for policy in in_force)
        return self._names[days]


class PolicySet:
    """All known policies."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.all = tuple(policies)
        self.by_versioned_name = {policy.versioned_name: policy for policy in self.all}
        self.count_by_address = any(policy.scope == Scope.ADDRESS for policy in self.all)
        self.count_by_creditor = any(policy.scope == Scope.CREDITOR for policy in self.all)
        self.counts_from_first_contact = any(policy.notice_days for policy in self.all)
        #: How many days back contacts matter, with a day more for the clocks of the debtor.
        self.memory_days = max((policy.longest_memory for policy in self.all), default=0) + 2
        self._of_region = lru_cache(maxsize=_KEPT)(self._find_of_region)
        #: Return the policies that apply to a debtor who may be at these locations, by a channel, about a subject.
        self.applicable = lru_cache(maxsize=65_536)(self._applicable)
        self._of_locations = lru_cache(maxsize=_KEPT)(self._find)
        self._shared: dict[Any, ApplicablePolicies] = {}

    def _applicable(
        self, locations: frozenset[Location], channel: str, subject: Subject = UNKNOWN
    ) -> ApplicablePolicies:
        return self._of_locations(frozenset(map(self._distinguished, locations)), channel, subject)

    def _distinguished(self, where: Location) -> Location:
        """Return the location as far as policies tell it from others, so that people of one region share what applies."""
        everywhere, elsewhere, of_cities = self._of_region(where.country, where.region)
        covering = [policy for policy in of_cities if policy.covers(where)]
        if len(covering) == len(of_cities):
            return everywhere
        return where if covering else elsewhere

    def _find_of_region(self, country: str, region: str) -> tuple[Location, Location, tuple[Policy, ...]]:
        """Return a region as a whole, the region outside of all cities with policies, and the policies of these cities."""
        everywhere = Location(country, region)
        in_cities = (policy for policy in self.all if policy.cities or policy.postal_prefixes)
        return everywhere, Location(country, region, "-"), tuple(p for p in in_cities if p.covers(everywhere))

    def _find(self, locations: frozenset[Location], channel: str, subject: Subject) -> ApplicablePolicies:
        """Find what applies: DEFAULT only where no other jurisdiction does. Equal sets share one object and its caches."""
        found: dict[int, Policy] = {}
        for where in locations:
            own = [p for p in self.all if p.jurisdiction not in (AGENCY, DEFAULT) and p.covers(where)]
            for policy in own or [p for p in self.all if p.jurisdiction == DEFAULT]:
                found[id(policy)] = policy
        agency = [policy for policy in self.all if policy.jurisdiction == AGENCY]
        applying = tuple(p for p in (*agency, *found.values()) if p.is_about(channel, subject))
        holidays = tuple(sorted((id(p), _holiday_regions(p, locations)) for p in applying if p.keeps_holidays))
        key = (tuple(map(id, applying)), holidays)
        if key not in self._shared:
            if len(self._shared) >= _KEPT:
                self._shared.clear()
            self._shared[key] = ApplicablePolicies(applying, locations)
        return self._shared[key]


def _holiday_regions(policy: Policy, locations: frozenset[Location]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(where.country, where.region) for where in policy.holiday_locations(locations)}))
