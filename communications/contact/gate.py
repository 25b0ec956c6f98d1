"""May this contact be made now, and if not, why? One pure function, asked before every outbound contact."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from communications.contact import counts
from communications.contact.rules import Policies, Policy, Rules, Scope, Shut, midnight
from communications.contact.terms import PASSING, Code, Contact, Decision, Facts, Reason, Stop, Verdict, reason

__all__ = ["PASSING", "Code", "Contact", "Decision", "Facts", "Reason", "Stop", "Verdict", "applying", "decide"]

#: How often caps and windows are asked in turn for a moment that suits both, before giving up.
_ROUNDS = 60
_SHUT = {Shut.HOURS: Code.OUTSIDE_WINDOW, Shut.WEEKDAY: Code.WEEKDAY, Shut.HOLIDAY: Code.PUBLIC_HOLIDAY}


def decide(facts: Facts, policies: Policies, at: datetime) -> Decision:
    """Decide by facts, policies and time alone; every rule that fails is listed.

    A solicited contact answers the debtor's own request: it goes at any hour and whatever becomes of the debt, but never
    to an address that opted out.
    """
    never = [*_of_address(facts)]
    if facts.solicited:
        return Decision(Verdict.DENY if never else Verdict.ALLOW, tuple(never))
    rules = applying(facts, policies)
    asked = rules.titles_on(facts.days(at))
    never += [*_of_debt(facts, at), *_of_consent(facts, rules, at), *_of_notice(facts, rules, at)]
    if not facts.zones:
        never.append(Reason(Code.LOCATION_UNKNOWN, "Neither country nor phone tell what time it is for the debtor."))
        return Decision(Verdict.DENY, tuple(never), policies=asked)
    passing = [*_of_windows(facts, rules, at), *counts.reached(facts, rules, at)]
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
        yield Reason(Code.REFUSED_CHANNEL, f"They told us not to: {facts.refused}", "12 CFR 1006.14(h)")
    if facts.at_work:
        words = "The address is their employer's."
        yield Reason(Code.WORK_ADDRESS, words, "12 CFR 1006.6(b)(3), 1006.22(f)(3)")
    if facts.debt_is_closed:
        yield Reason(Code.DEBT_CLOSED, "The debt is closed.")
    if facts.debt_is_disputed:
        yield Reason(Code.DEBT_DISPUTED, "The debt is disputed.", "15 U.S.C. 1692g(b); 12 CFR 1006.38(d)")
    for stop in facts.holds:
        if stop.payment_requests_alone and not facts.asks_for_payment:
            continue
        if any(stop.holds_on(day) for day in facts.days(at)):
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
        if not any(policy.holds_on(day) for day in facts.days(at)):
            continue
        if facts.consented_at is None or facts.consented_at > at:
            words = "They have not agreed to be written to there."
            yield reason(policy, Code.CONSENT_MISSING, words, _ends(policy, facts))
        elif policy.consent_days and any(
            (at.astimezone(zone).date() - facts.consented_at.astimezone(zone).date()).days > policy.consent_days
            for zone in facts.clocks
        ):
            words = f"Their consent is older than {policy.consent_days} days."
            yield reason(policy, Code.CONSENT_TOO_OLD, words, _ends(policy, facts))


def _of_notice(facts: Facts, rules: Rules, at: datetime) -> Iterator[Reason]:
    for policy in rules.first_notices:
        if not any(policy.holds_on(day) for day in facts.days(at)):
            continue
        if facts.notice_missing and not facts.is_notice:
            words = "The first contact about a debt is, or carries, the notice."
            yield reason(policy, Code.NOTICE_FIRST, words, _ends(policy, facts))
        ends = facts.notice_period_ends
        if facts.overshadows and ends and any(day < ends for day in facts.days(at)):
            words = f"This would overshadow the notice: they may dispute until {ends - timedelta(days=1)}."
            yield reason(policy, Code.OVERSHADOWS, words, _ends(policy, facts, ends))


def _ends(policy: Policy, facts: Facts, day: date | None = None) -> datetime | None:
    """Return when a reason ends by the last of the clocks: on a day, or with the version that gives it; None if with neither."""
    last = min((ends for ends in (day, policy.valid_to) if ends), default=None)
    return max(midnight(last, zone) for zone in facts.zones or {"UTC"}) if last else None


def _of_windows(facts: Facts, rules: Rules, at: datetime) -> Iterable[Reason]:
    return () if rules.is_open(at, facts.zones) else _shut_windows(rules, facts.zones, at)


@lru_cache(maxsize=4096)
def _shut_windows(rules: Rules, zones: frozenset[str], at: datetime) -> tuple[Reason, ...]:
    """Name the windows that are shut; the same for everybody under the same rules and clocks."""
    found = []
    locals_ = {zone: at.astimezone(ZoneInfo(zone)) for zone in sorted(zones)}
    for policy in rules.windows:
        shut = {zone: why for zone, local in locals_.items() if (why := rules.shut(policy, local))}
        for why in sorted(set(shut.values())):
            where = [zone for zone, its in shut.items() if its == why]
            found.append(reason(policy, _SHUT[why], _words_of_shut(policy, why, where, at)))
    return tuple(found)


def _words_of_shut(policy: Policy, why: Shut, zones: list[str], at: datetime) -> str:
    local = at.astimezone(ZoneInfo(zones[0]))
    where = f"in {zones[0]}" + (f" and {len(zones) - 1} more zones" if zones[1:] else "")
    if why == Shut.HOLIDAY:
        return f"{local:%d %B} is a public holiday {where}."
    if why == Shut.WEEKDAY:
        return f"It is {local:%A} {where}."
    first, end = policy.hours(local.date()) or (local.time(), local.time())
    return f"It is {local:%H:%M} {where}; allowed is {first:%H:%M} to {end:%H:%M}."


def _first_fit(facts: Facts, rules: Rules, at: datetime) -> datetime | None:
    """Return the first moment that suits windows, caps and cool-downs; None if windows leave none."""
    moment: datetime | None = at
    for _ in range(_ROUNDS):
        moment = rules.opening(moment, facts.zones) if moment else None
        if moment is None:
            return None
        ends = [reason.until for reason in counts.reached(facts, rules, moment) if reason.until]
        if not ends:
            return moment
        moment = max(ends)
    return None
