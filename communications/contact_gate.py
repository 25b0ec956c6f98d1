"""May this message go to this person now, and if not, why?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings

from collection.models import DebtStatus, Hold
from communications import suppressions
from communications.models import Channel, CommunicationLog, Purpose
from debtors.models import Debtor, Medium
from debtors.zones import possible_zones

#: How far ahead a moment that suits every zone is looked for; a window that opens nowhere in a day never does.
_HORIZON_DAYS = 4


class Verdict(StrEnum):
    ALLOW = "allow"
    POSTPONE = "postpone"
    BLOCK = "block"


@dataclass(frozen=True)
class Decision:
    """What becomes of a message: ``until`` says to when it is put off, ``code`` and ``words`` why it doesn't go."""

    verdict: Verdict
    code: str = ""
    words: str = ""
    until: datetime | None = None

    @property
    def reason(self) -> str | None:
        return f"{self.code}: {self.words}" if self.code else None


@dataclass(frozen=True)
class Facts:
    """All that the decision depends on, but for the policy and the time."""

    solicited: bool
    address: str
    suppressed: bool
    debt_is_closed: bool
    debt_is_disputed: bool
    debt_is_held: bool
    zones: frozenset[str]


@dataclass(frozen=True)
class Window:
    """From the first moment of ``opens`` to the last before ``closes``, by the clock where the person is."""

    opens: time
    closes: time

    def is_open(self, at: datetime, zone: str) -> bool:
        return self.opens <= at.astimezone(ZoneInfo(zone)).time() < self.closes


def policy() -> Window:
    """Return the window that CONTACT_WINDOW sets."""
    return Window(*settings.CONTACT_WINDOW)


def decide(facts: Facts, *, window: Window, at: datetime) -> Decision:
    """Decide by facts, policy and time alone.

    A solicited message answers the debtor's own request: it goes at any hour and whatever becomes of the debt, but never
    to an address that opted out.
    """
    if not facts.address:
        return _block("no_address", "There is no address for this channel.")
    if facts.suppressed:
        return _block("suppressed", "The address opted out, or does not work.")
    if facts.solicited:
        return Decision(Verdict.ALLOW)
    if facts.debt_is_closed:
        return _block("debt_closed", "The debt is closed.")
    if facts.debt_is_disputed:
        return _block("debt_disputed", "The debt is disputed.")
    if facts.debt_is_held:
        return _block("debt_held", "The debt is on hold.")
    if not facts.zones:
        return _block("location_unknown", "Neither country nor phone tell what time it is for the debtor.")
    until = opening(facts.zones, window=window, at=at)
    if until is None:
        return _block("no_common_window", "At no hour is it a fit time in every zone where the debtor may be.")
    if until > at:
        return Decision(Verdict.POSTPONE, "outside_window", "It is no fit time where the debtor may be.", until)
    return Decision(Verdict.ALLOW)


def opening(zones: frozenset[str], *, window: Window, at: datetime) -> datetime | None:
    """Return the first moment from ``at`` on (UTC) at which the window is open in every zone; None if there is none.

    Such a stretch begins now, or when the window opens in one of the zones.
    """
    candidates = {at.astimezone(UTC)}
    for zone in zones:
        first = at.astimezone(ZoneInfo(zone)).date()
        for days in range(_HORIZON_DAYS):
            candidates |= _opens(first + timedelta(days=days), window, zone)
    fit = (moment for moment in sorted(candidates) if moment >= at and all(window.is_open(moment, z) for z in zones))
    return next(fit, None)


def _opens(day: date, window: Window, zone: str) -> set[datetime]:
    """When the window opens on a day: twice where the clock is put back over that hour."""
    local = datetime.combine(day, window.opens, ZoneInfo(zone))
    return {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}


def facts_of(logs: Sequence[CommunicationLog], *, today: date) -> list[Facts]:
    """Fetch the facts of many messages (with their debtors and debts loaded) in two queries."""
    addresses: dict[Medium, set[str]] = {}
    for log in logs:
        if log.debtor:
            medium = suppressions.MEDIUM[Channel(log.communication_type)]
            addresses.setdefault(medium, set()).add(suppressions.address(log.debtor, log.communication_type))
    listed = suppressions.suppressed(addresses)
    debts = {log.debt_id for log in logs if log.debt_id}
    held = (
        set(Hold.objects.in_force(today).filter(debt__in=debts).values_list("debt_id", flat=True)) if debts else set()
    )
    return [_facts(log, listed=listed, is_held=log.debt_id in held) for log in logs]


def _facts(log: CommunicationLog, *, listed: set[tuple[str, str]], is_held: bool) -> Facts:
    debtor, debt = log.debtor, log.debt
    address = suppressions.address_of(log)
    return Facts(
        solicited=log.purpose == Purpose.SOLICITED,
        address=address,
        suppressed=not log.confirms_opt_out
        and (suppressions.MEDIUM[Channel(log.communication_type)], address) in listed,
        debt_is_closed=debt is not None and not debt.is_open,
        debt_is_disputed=debt is not None and debt.current_status == DebtStatus.DISPUTED,
        debt_is_held=is_held,
        zones=_zones(debtor) if debtor else frozenset(),
    )


def _zones(debtor: Debtor) -> frozenset[str]:
    return possible_zones(
        country_code=debtor.country_code, region_state=debtor.region_state, mobile_phone=debtor.mobile_phone
    )


def _block(code: str, words: str) -> Decision:
    return Decision(Verdict.BLOCK, code, words)
