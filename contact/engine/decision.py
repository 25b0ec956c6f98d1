"""The input and output of the contact gate: the facts about a contact, and a decision with its reasons."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from collection.holds.active import is_active
from contact.engine.policies import UNKNOWN, Location, Policy, Scope, Subject
from ddc.common.zones import zone_info


class Verdict(StrEnum):
    """``deny`` is final for this message; ``postpone`` is for reasons that pass with time."""

    ALLOW = "allow"
    POSTPONE = "postpone"
    DENY = "deny"


class Purpose(StrEnum):
    """Why a contact is made, which decides the rules that it obeys.

    ``code`` (asked for this minute) and ``confirmation`` (of a STOP) obey only those about the address. An ``answer`` to the
    debtor's own request obeys all but caps, waiting periods, notices and what is so of the debt. ``collection`` obeys all.
    """

    COLLECTION = "collection"
    ANSWER = "answer"
    CODE = "code"
    CONFIRMATION = "confirmation"

    @property
    def is_at_once(self) -> bool:
        """Whether the contact may be made at any hour."""
        return self in (Purpose.CODE, Purpose.CONFIRMATION)


class ReasonCode(StrEnum):
    """Why a contact must not be made. API, log events, admin pages and ``failure_reason`` use these codes.

    The gate decides all but ``WITHDRAWN``, which is a decision of people.
    """

    STALE = "STALE"
    WITHDRAWN = "WITHDRAWN"
    NO_ADDRESS = "NO_ADDRESS"
    SUPPRESSED = "SUPPRESSED"
    SHARED_ADDRESS = "SHARED_ADDRESS"
    REFUSED_CHANNEL = "REFUSED_CHANNEL"
    WORK_ADDRESS = "WORK_ADDRESS"
    DEBT_CLOSED = "DEBT_CLOSED"
    DEBT_DISPUTED = "DEBT_DISPUTED"
    DEBT_HELD = "DEBT_HELD"
    DECEASED = "DECEASED"
    MINOR = "MINOR"
    TIME_BARRED = "TIME_BARRED"
    PAYMENT_REQUEST_HELD = "PAYMENT_REQUEST_HELD"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_TOO_OLD = "CONSENT_TOO_OLD"
    VALIDATION_NOTICE_FIRST = "VALIDATION_NOTICE_FIRST"
    OVERSHADOWS = "OVERSHADOWS"
    LOCATION_UNKNOWN = "LOCATION_UNKNOWN"
    NO_COMMON_WINDOW = "NO_COMMON_WINDOW"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    WEEKDAY = "WEEKDAY"
    PUBLIC_HOLIDAY = "PUBLIC_HOLIDAY"
    TOO_MANY = "TOO_MANY"
    OTHER_CHANNEL = "OTHER_CHANNEL"
    COOLING_OFF = "COOLING_OFF"
    WAITING_PERIOD = "WAITING_PERIOD"


#: Reasons that pass with time: the contact is postponed, not denied.
TEMPORARY = frozenset({
    ReasonCode.OUTSIDE_WINDOW, ReasonCode.WEEKDAY, ReasonCode.PUBLIC_HOLIDAY, ReasonCode.TOO_MANY, ReasonCode.OTHER_CHANNEL,
    ReasonCode.COOLING_OFF, ReasonCode.WAITING_PERIOD,
})  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """One rule that forbids the contact now. ``until``: when this reason ends, where that is known.

    ``confidence``: how the section was read (``Confidence``); empty without a section of law.
    """

    code: ReasonCode
    text: str
    section: str = ""
    policy: str = ""
    version: int | None = None
    until: datetime | None = None
    confidence: str = ""

    def __str__(self) -> str:
        return f"{self.code.lower()}: {self.text}"


@dataclass(frozen=True)
class Decision:
    """The gate's answer. ``until``: when a postponed contact may be made; ``reasons``: all that forbids it now."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    until: datetime | None = None
    #: The versioned names of the policies that were applied.
    policies: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """All reasons on one line, lasting ones before temporary ones; None if there are none.

        Several policies may demand the same. Then it is told once.
        """
        ordered = sorted(self.reasons, key=lambda reason: reason.code in TEMPORARY)
        return " ".join(dict.fromkeys(map(str, ordered))) or None


@dataclass(frozen=True)
class Contact:
    """A contact that was made. ``debt_id`` None: about no debt, or about all of the debtor's debts.

    ``connected``: it reached somebody or left a message. ``asked_for_call``: in it the debtor asked to be called back.
    """

    at: datetime
    channel: str
    debt_id: uuid.UUID | None = None
    address: str = ""
    attempted: bool = True
    connected: bool = True
    conversation: bool = False
    creditor_id: uuid.UUID | None = None
    asked_for_call: bool = False
    written_by_debtor: bool = False

    @property
    def is_call(self) -> bool:
        return self.channel in ("voice", "call_script")


@dataclass(frozen=True)
class ContactBlock:
    """A hold that blocks contact, or only payment requests, from ``starts_on`` until the day before ``ends_on``."""

    reason: str
    scope: Scope
    starts_on: date
    ends_on: date | None = None
    only_payment_requests: bool = False

    def is_active(self, days: frozenset[date]) -> bool:
        """Check whether the hold is active on any of these consecutive days."""
        return is_active(self.starts_on, self.ends_on, min(days), max(days))


@dataclass(frozen=True)
class Facts:
    """All that a decision depends on, except policies and time.

    ``validation_notice_missing``: no validation notice of the debt was sent, although the agency has one to send.
    ``validation_period_ends``: the first day after the time to dispute; None if no notice was sent.
    ``shared``: the only known address belongs to another person.
    ``first_contacted_at``: when the debtor was first contacted about the debt, where a notice is missing. ``due_on``: when the
    debt was due, else placed. ``expires_at``: from then on the contact is too late.
    ``is_minor``: the debtor is not of age and not released. ``time_barred_by``: the section that forbids to collect the debt
    after its limitation period, and how it was read. ``agency_zone``: its day counts where no zone of the debtor is known.
    ``consented_at``: when this debtor consented to this channel at this address, on a ``consent_basis`` (``Consent.Basis``);
    ``consent_confirmed_at``: when that was last confirmed by its use or a check of the number. None without consent.
    """

    channel: str
    address: str = ""
    zones: frozenset[str] = frozenset()
    agency_zone: str = "UTC"
    locations: frozenset[Location] = frozenset()
    purpose: Purpose = Purpose.COLLECTION
    expires_at: datetime | None = None
    suppressed: bool = False
    is_minor: bool = False
    shared: bool = False
    refusal: str | None = None
    is_work_address: bool = False
    subject: Subject = UNKNOWN
    debt_id: uuid.UUID | None = None
    creditor_id: uuid.UUID | None = None
    due_on: date | None = None
    debt_is_closed: bool = False
    debt_is_disputed: bool = False
    time_barred_by: str = ""
    time_barred_confidence: str = ""
    blocks: tuple[ContactBlock, ...] = ()
    history: tuple[Contact, ...] = ()
    consented_at: datetime | None = None
    consent_confirmed_at: datetime | None = None
    consent_basis: str = ""
    preferences: tuple[Policy, ...] = ()
    asks_for_payment: bool = False
    validation_notice_missing: bool = False
    notice_sent_at: datetime | None = None
    first_contacted_at: datetime | None = None
    is_validation_notice: bool = False
    overshadows: bool = False
    validation_period_ends: date | None = None

    @property
    def clocks(self) -> tuple[ZoneInfo, ...]:
        """The clocks of every zone where the debtor may be, in the order of the zones' names."""
        return _clocks(self.zones)

    def days(self, now: datetime) -> frozenset[date]:
        """Return which day it may be for the debtor; the agency's day if no zone is known."""
        return _days(self.calendar_zones, now)

    @property
    def calendar_zones(self) -> frozenset[str]:
        """The zones by which days are counted."""
        return self.zones or frozenset({self.agency_zone})

    def days_of(self, now: datetime) -> tuple[date, ...]:
        """Return the day by each of the ``clocks``."""
        return tuple(now.astimezone(clock).date() for clock in self.clocks)


@lru_cache(maxsize=4096)
def _clocks(zones: frozenset[str]) -> tuple[ZoneInfo, ...]:
    return tuple(zone_info(zone) for zone in sorted(zones))


@lru_cache(maxsize=4096)
def _days(zones: frozenset[str], now: datetime) -> frozenset[date]:
    return frozenset(now.astimezone(clock).date() for clock in _clocks(zones))
