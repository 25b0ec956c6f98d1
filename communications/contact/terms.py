"""What the contact gate takes and says: the facts of a contact, and a decision with its reasons."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from communications.contact.rules import Place, Policy, Scope


class Verdict(StrEnum):
    """``deny`` is final for this message; ``postpone`` is for what time alone will cure."""

    ALLOW = "allow"
    POSTPONE = "postpone"
    DENY = "deny"


class Code(StrEnum):
    """Which rule a contact fails."""

    NO_ADDRESS = "NO_ADDRESS"
    SUPPRESSED = "SUPPRESSED"
    REFUSED_CHANNEL = "REFUSED_CHANNEL"
    WORK_ADDRESS = "WORK_ADDRESS"
    DEBT_CLOSED = "DEBT_CLOSED"
    DEBT_DISPUTED = "DEBT_DISPUTED"
    DEBT_HELD = "DEBT_HELD"
    PAYMENT_REQUEST_HELD = "PAYMENT_REQUEST_HELD"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_TOO_OLD = "CONSENT_TOO_OLD"
    NOTICE_FIRST = "NOTICE_FIRST"
    OVERSHADOWS = "OVERSHADOWS"
    LOCATION_UNKNOWN = "LOCATION_UNKNOWN"
    NO_COMMON_WINDOW = "NO_COMMON_WINDOW"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    WEEKDAY = "WEEKDAY"
    PUBLIC_HOLIDAY = "PUBLIC_HOLIDAY"
    TOO_MANY = "TOO_MANY"
    COOL_DOWN = "COOL_DOWN"


#: What time alone will cure.
PASSING = frozenset({Code.OUTSIDE_WINDOW, Code.WEEKDAY, Code.PUBLIC_HOLIDAY, Code.TOO_MANY, Code.COOL_DOWN})


@dataclass(frozen=True)
class Reason:
    """One rule that failed. ``until``: from when on this one is no longer in the way, where that is known."""

    code: Code
    words: str
    section: str = ""
    policy: str = ""
    version: int | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of a contact: ``until`` says to when it is put off, ``reasons`` all that speaks against it now."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    until: datetime | None = None
    #: The policies that were asked, each with its version.
    policies: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """All reasons on one line, what forbids before what only delays; None if there are none."""
        ordered = sorted(self.reasons, key=lambda reason: reason.code in PASSING)
        return " ".join(f"{reason.code.lower()}: {reason.words}" for reason in ordered) or None


@dataclass(frozen=True)
class Contact:
    """A contact that was made. ``debt`` None is about none, or about all that they owe."""

    at: datetime
    channel: str
    debt: uuid.UUID | None = None
    address: str = ""
    attempted: bool = True
    connected: bool = True
    conversation: bool = False


@dataclass(frozen=True)
class Stop:
    """A hold that blocks contact, or payment requests alone, from ``starts_on`` up to but without ``ends_on``."""

    reason: str
    scope: Scope
    starts_on: date
    ends_on: date | None = None
    payment_requests_alone: bool = False

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True)
class Facts:
    """All that a decision depends on, but for the policies and the time.

    ``notice_missing``: no notice of the debt has gone, though the agency has one that it could begin with.
    ``notice_period_ends``: the first day after the time to dispute; None if no notice went.
    """

    channel: str
    address: str
    zones: frozenset[str]
    places: frozenset[Place]
    solicited: bool = False
    suppressed: bool = False
    refused: str | None = None
    at_work: bool = False
    debt: uuid.UUID | None = None
    debt_is_closed: bool = False
    debt_is_disputed: bool = False
    holds: tuple[Stop, ...] = ()
    history: tuple[Contact, ...] = ()
    consented_at: datetime | None = None
    wishes: tuple[Policy, ...] = ()
    asks_for_payment: bool = False
    notice_missing: bool = False
    is_notice: bool = False
    overshadows: bool = False
    notice_period_ends: date | None = None

    @property
    def clocks(self) -> tuple[ZoneInfo, ...]:
        """Every clock by which it has to be a fit time, in the order of their names."""
        return _clocks(self.zones)

    def days(self, at: datetime) -> frozenset[date]:
        """Return what day it may be for the debtor; the day in UTC where nothing is known."""
        return _days(self.zones, at)


def reason(policy: Policy, code: Code, words: str, until: datetime | None = None) -> Reason:
    """Return the reason that a policy gives."""
    return Reason(code, words, policy.section, policy.name, policy.version, until)


@lru_cache(maxsize=4096)
def _clocks(zones: frozenset[str]) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(zone) for zone in sorted(zones))


@lru_cache(maxsize=4096)
def _days(zones: frozenset[str], at: datetime) -> frozenset[date]:
    """The same for all who are asked about at one moment under the same clocks."""
    return frozenset(at.astimezone(clock).date() for clock in _clocks(zones) or (UTC,))
