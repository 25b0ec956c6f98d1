"""May this contact be made now, and if not, why? One pure function, asked before every outbound contact."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from communications.contact_rules import Counts, Place, Policies, Policy, Rules, Scope, Shut, midnight

#: How often caps and windows are asked in turn for a moment that suits both, before giving up.
_ROUNDS = 60


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
_SHUT = {Shut.HOURS: Code.OUTSIDE_WINDOW, Shut.WEEKDAY: Code.WEEKDAY, Shut.HOLIDAY: Code.PUBLIC_HOLIDAY}


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


def decide(facts: Facts, policies: Policies, at: datetime) -> Decision:
    """Decide by facts, policies and time alone; every rule that fails is listed.

    A solicited contact answers the debtor's own request: it goes at any hour and whatever becomes of the debt, but never
    to an address that opted out.
    """
    never = [*_of_address(facts)]
    if facts.solicited:
        return Decision(Verdict.DENY if never else Verdict.ALLOW, tuple(never))
    rules = applying(facts, policies)
    asked = rules.titles_on(frozenset(_days(facts, at)))
    never += [*_of_debt(facts, at), *_of_consent(facts, rules, at), *_of_notice(facts, rules, at)]
    if not facts.zones:
        never.append(Reason(Code.LOCATION_UNKNOWN, "Neither country nor phone tell what time it is for the debtor."))
        return Decision(Verdict.DENY, tuple(never), policies=asked)
    passing = [*_of_windows(facts, rules, at), *_of_counts(facts, rules, at)]
    if not passing and not never:
        return Decision(Verdict.ALLOW, policies=asked)
    if not passing:
        return Decision(Verdict.DENY, tuple(never), policies=asked)
    until = _first_fit(facts, rules, at)
    if until is None:
        words = "At no hour is it a fit time in every zone where the debtor may be."
        never.append(Reason(Code.NO_COMMON_WINDOW, words))
    verdict = Verdict.DENY if never else Verdict.POSTPONE
    return Decision(verdict, (*never, *passing), None if never else until, asked)


def applying(facts: Facts, policies: Policies) -> Rules:
    """Return the policies that count for this contact, the debtor's own wishes among them."""
    rules = policies.applying(facts.places, facts.channel)
    return Rules((*rules.policies, *facts.wishes), facts.places) if facts.wishes else rules


def _of_address(facts: Facts) -> Iterator[Reason]:
    if not facts.address:
        yield Reason(Code.NO_ADDRESS, "There is no address for this channel.")
    if facts.suppressed:
        yield Reason(
            Code.SUPPRESSED, "The address opted out, or does not work.", "12 CFR 1006.6(e); 47 CFR 64.1200(a)(10)"
        )


def _of_debt(facts: Facts, at: datetime) -> Iterator[Reason]:
    if facts.refused:
        yield Reason(Code.REFUSED_CHANNEL, facts.refused, "12 CFR 1006.14(h), 1006.22(f)(3)")
    if facts.debt_is_closed:
        yield Reason(Code.DEBT_CLOSED, "The debt is closed.")
    if facts.debt_is_disputed:
        yield Reason(Code.DEBT_DISPUTED, "The debt is disputed.", "15 U.S.C. 1692g(b); 12 CFR 1006.38(d)")
    for stop in facts.holds:
        if stop.payment_requests_alone and not facts.asks_for_payment:
            continue
        if any(stop.holds_on(day) for day in _days(facts, at)):
            yield _held(stop, facts)


def _held(stop: Stop, facts: Facts) -> Reason:
    whose = "The debt" if stop.scope == Scope.DEBT else "The person"
    ends = max((midnight(stop.ends_on, zone) for zone in facts.zones), default=None) if stop.ends_on else None
    code, words = Code.DEBT_HELD, f"{whose} is on hold{_because(stop.reason)}."
    if stop.payment_requests_alone:
        code, words = Code.PAYMENT_REQUEST_HELD, f"{words[:-1]}: nothing may be asked for now."
    return Reason(code, words, HOLD_SECTIONS.get(stop.reason, ""), f"hold/{stop.reason}", until=ends)


def _because(reason: str) -> str:
    return "" if reason == "deferral" else f" ({reason.replace('_', ' ')})"


#: The sections that make a hold of its reason a duty.
HOLD_SECTIONS = {
    "dispute": "15 U.S.C. 1692g(b); 12 CFR 1006.38(d)",
    "moratorium": "SI 2020/1311 (UK), reg. 7",
    "mental_health_moratorium": "SI 2020/1311 (UK), reg. 7, 28-34",
    "cease": "15 U.S.C. 1692c(c); 12 CFR 1006.6(c)",
    "attorney": "15 U.S.C. 1692c(a)(2); 12 CFR 1006.6(b)(2)",
    "bankruptcy": "11 U.S.C. 362(a)(6)",
    "deceased": "12 CFR 1006.6(a)(4)",
    "vulnerable": "CONC 7.2.1R, 7.10",
}


def _of_consent(facts: Facts, rules: Rules, at: datetime) -> Iterator[Reason]:
    for policy in rules.consents:
        if not any(policy.holds_on(day) for day in _days(facts, at)):
            continue
        if facts.consented_at is None or facts.consented_at > at:
            yield _reason(policy, Code.CONSENT_MISSING, "They have not agreed to be written to there.")
        elif policy.consent_days and any(
            (at.astimezone(zone).date() - facts.consented_at.astimezone(zone).date()).days > policy.consent_days
            for zone in _infos(facts)
        ):
            yield _reason(policy, Code.CONSENT_TOO_OLD, f"Their consent is older than {policy.consent_days} days.")


def _of_notice(facts: Facts, rules: Rules, at: datetime) -> Iterator[Reason]:
    for policy in rules.first_notices:
        if not any(policy.holds_on(day) for day in _days(facts, at)):
            continue
        if facts.notice_missing and not facts.is_notice:
            yield _reason(policy, Code.NOTICE_FIRST, "The first contact about a debt is, or carries, the notice.")
        ends = facts.notice_period_ends
        if facts.overshadows and ends and any(day < ends for day in _days(facts, at)):
            words = f"This would overshadow the notice: they may dispute until {ends - timedelta(days=1)}."
            yield _reason(policy, Code.OVERSHADOWS, words, max(midnight(ends, zone) for zone in facts.zones or {"UTC"}))


def _of_windows(facts: Facts, rules: Rules, at: datetime) -> Iterable[Reason]:
    return () if rules.is_open(at, facts.zones) else _shut_windows(rules, facts.zones, at)


@lru_cache(maxsize=4096)
def _shut_windows(rules: Rules, zones: frozenset[str], at: datetime) -> tuple[Reason, ...]:
    """Name the windows that are shut; the same for everybody under the same rules and clocks."""
    found = []
    locals_ = {zone: at.astimezone(_info(zone)) for zone in sorted(zones)}
    for policy in rules.windows:
        shut = {zone: why for zone, local in locals_.items() if (why := rules.shut(policy, local))}
        for why in sorted(set(shut.values())):
            where = [zone for zone, its in shut.items() if its == why]
            found.append(_reason(policy, _SHUT[why], _words_of_shut(policy, why, where, at)))
    return tuple(found)


def _words_of_shut(policy: Policy, why: Shut, zones: list[str], at: datetime) -> str:
    local = at.astimezone(_info(zones[0]))
    where = f"in {zones[0]}" + (f" and {len(zones) - 1} more zones" if zones[1:] else "")
    if why == Shut.HOLIDAY:
        return f"{local:%d %B} is a public holiday {where}."
    if why == Shut.WEEKDAY:
        return f"It is {local:%A} {where}."
    first, end = policy.hours(local.date()) or (local.time(), local.time())
    return f"It is {local:%H:%M} {where}; allowed is {first:%H:%M} to {end:%H:%M}."


def _of_counts(facts: Facts, rules: Rules, at: datetime) -> Iterator[Reason]:
    """The caps that are reached, and the cool-downs that run, by any of the clocks."""
    if not facts.history:
        return
    for policy in rules.caps:
        counted = [contact.at for contact in _counted(facts, policy, policy.counts) if contact.at <= at]
        if len(counted) >= (policy.most or 0) and (until := _latest(facts, policy, counted, at, _cap_ends)):
            per = f"{policy.per_days} days" if policy.per_days else "a calendar month"
            words = f"{policy.most} {policy.counts} in {per} per {policy.scope} are the most."
            yield _reason(policy, Code.TOO_MANY, words, until)
    for policy in rules.cool_downs:
        talks = [contact.at for contact in _counted(facts, policy, Counts.CONVERSATIONS) if contact.at <= at]
        if talks and (until := _latest(facts, policy, talks, at, _cool_down_ends)):
            spoke = max(talks).astimezone(_infos(facts)[0])
            words = f"We spoke on {spoke:%d %B}, and {policy.cool_down_days} days are free of calls, that one included."
            yield _reason(policy, Code.COOL_DOWN, words, until)


def _counted(facts: Facts, policy: Policy, counts: Counts) -> Iterator[Contact]:
    for contact in facts.history:
        if policy.channels and contact.channel not in policy.channels:
            continue
        if policy.scope == Scope.DEBT and not (
            contact.debt is None or facts.debt is None or contact.debt == facts.debt
        ):
            continue
        if policy.scope == Scope.ADDRESS and contact.address != facts.address:
            continue
        if _COUNTED[counts](contact):
            yield contact


_COUNTED: dict[Counts, Callable[[Contact], bool]] = {
    Counts.ATTEMPTS: lambda contact: contact.attempted,
    Counts.CONNECTED: lambda contact: contact.attempted and contact.connected,
    Counts.CONVERSATIONS: lambda contact: contact.conversation,
}
_Ends = Callable[[Policy, list[date], date], date | None]


def _latest(facts: Facts, policy: Policy, moments: list[datetime], at: datetime, ends: _Ends) -> datetime | None:
    """Return when a limit ends by the last of the clocks; None if it is over, or not in force, by all of them."""
    found = []
    for zone, info in zip(sorted(facts.zones), _infos(facts), strict=True):
        today = at.astimezone(info).date()
        if policy.holds_on(today) and (day := ends(policy, [m.astimezone(info).date() for m in moments], today)):
            found.append(midnight(day, zone))
    return max(found, default=None)


def _cap_ends(policy: Policy, days: list[date], today: date) -> date | None:
    """Return the day on which there is room again; None if there is today."""
    most = policy.most or 0
    if policy.per_days is None:
        this_month = [day for day in days if (day.year, day.month) == (today.year, today.month)]
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1) if len(this_month) >= most else None
    span = timedelta(days=policy.per_days)
    recent = sorted(day for day in days if day > today - span)
    return recent[len(recent) - most] + span if len(recent) >= most else None


def _cool_down_ends(policy: Policy, days: list[date], today: date) -> date | None:
    free = max(days) + timedelta(days=policy.cool_down_days or 0)
    return free if today < free else None


def _first_fit(facts: Facts, rules: Rules, at: datetime) -> datetime | None:
    """Return the first moment that suits windows, caps and cool-downs; None if windows leave none."""
    moment: datetime | None = at
    for _ in range(_ROUNDS):
        moment = rules.opening(moment, facts.zones) if moment else None
        if moment is None:
            return None
        ends = [reason.until for reason in _of_counts(facts, rules, moment) if reason.until]
        if not ends:
            return moment
        moment = max(ends)
    return None


def _reason(policy: Policy, code: Code, words: str, until: datetime | None = None) -> Reason:
    return Reason(code, words, policy.section, policy.name, policy.version, until)


def _days(facts: Facts, at: datetime) -> set[date]:
    """What day it may be for the debtor; the day in UTC where nothing is known."""
    return {at.astimezone(info).date() for info in _infos(facts)} or {at.astimezone(UTC).date()}


def _infos(facts: Facts) -> list[ZoneInfo]:
    return _zone_infos(facts.zones)


@lru_cache(maxsize=4096)
def _zone_infos(zones: frozenset[str]) -> list[ZoneInfo]:
    return [ZoneInfo(zone) for zone in sorted(zones)]


def _info(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)
