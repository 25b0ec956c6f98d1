"""May this contact be made now, and if not, why? One pure function that is called before every outbound contact."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from contact.engine import frequency_caps
from contact.engine.applicable import ApplicablePolicies, PolicySet
from contact.engine.decision import TEMPORARY, ContactBlock, Decision, Facts, Purpose, Reason, ReasonCode, Verdict
from contact.engine.frequency_caps import policy_reason
from contact.engine.policies import Event, Policy, Scope
from contact.engine.sections import law_of
from contact.engine.windows import Closed, ContactWindows, midnight
from ddc.common.zones import zone_info

#: How often caps and windows are tried in turn for a moment that suits both.
_ROUNDS = 60
#: How many reasons in a row ``next_contact`` waits for.
_WAITS = 30
_CLOSED = {
    Closed.HOURS: ReasonCode.OUTSIDE_WINDOW,
    Closed.WEEKDAY: ReasonCode.WEEKDAY,
    Closed.HOLIDAY: ReasonCode.PUBLIC_HOLIDAY,
}
SUPPRESSED = Reason(ReasonCode.SUPPRESSED, "The address opted out or does not work.")
STALE = Reason(ReasonCode.STALE, "It is later now than its rule allows.")
#: The holds that also stop answers to the debtor's own requests.
ANSWERS_BLOCKED_BY = ("attorney", "cease", "deceased", "minor")
#: Holds with a code of their own, because they have a worklist.
_HOLD_CODES = {"deceased": ReasonCode.DECEASED, "minor": ReasonCode.MINOR}


def decide(facts: Facts, policies: PolicySet, now: datetime) -> Decision:
    """Decide by facts, policies and time; list every rule that forbids the contact. ``Purpose`` says which rules count."""
    lasting = [*_address_reasons(facts)]
    if facts.purpose.is_at_once:
        return Decision(Verdict.DENY if lasting else Verdict.ALLOW, tuple(lasting))
    applicable = applicable_policies(facts, policies)
    names = applicable.names_on(facts.days(now))
    if facts.expires_at and facts.expires_at <= now:
        return Decision(Verdict.DENY, (STALE,), policies=names)
    lasting += _person_reasons(facts)
    lasting += _hold_reasons(facts, now)
    lasting += _consent_reasons(facts, applicable, now)
    if facts.purpose == Purpose.COLLECTION:
        lasting += _debt_reasons(facts)
        lasting += _validation_notice_reasons(facts, applicable, now)
    if not facts.zones:
        lasting.append(Reason(ReasonCode.LOCATION_UNKNOWN, "Neither country nor phone gives the debtor's local time."))
        return Decision(Verdict.DENY, tuple(lasting), policies=names)
    temporary = [*_window_reasons(facts, applicable, now), *_limits(facts, applicable, now)]
    until = _next_allowed(facts, applicable, now) if temporary else None
    if temporary and until is None:
        text = "No hour is allowed in every time zone where the debtor may be."
        lasting.append(Reason(ReasonCode.NO_COMMON_WINDOW, text))
    if lasting:
        return Decision(Verdict.DENY, (*lasting, *temporary), policies=names)
    verdict = Verdict.POSTPONE if temporary else Verdict.ALLOW
    return Decision(verdict, tuple(temporary), until, names)


def applicable_policies(facts: Facts, policies: PolicySet) -> ApplicablePolicies:
    """Return the policies that apply to this contact, the debtor's preferences included."""
    applicable = policies.applicable(facts.locations, facts.channel, facts.subject)
    if not facts.preferences:
        return applicable
    return ApplicablePolicies((*applicable.policies, *facts.preferences), facts.locations)


def next_contact(facts: Facts, policies: PolicySet, now: datetime) -> datetime | None:
    """Return the first moment from ``now`` on at which these facts allow the contact; None if they never do.

    Unlike a postponement it also waits for holds that have an end.
    """
    for _ in range(_WAITS):
        decision = decide(facts, policies, now)
        if decision.verdict == Verdict.ALLOW:
            return now
        if decision.until:
            now = decision.until
            continue
        ends = [reason.until for reason in decision.reasons if reason.code not in TEMPORARY]
        known = [until for until in ends if until and until > now]
        if not known or len(known) < len(ends):
            return None
        now = max(known)
    return None


def _by_law(code: ReasonCode, text: str, duty: str, facts: Facts, **fields: Any) -> Reason:
    """Return a reason that is no policy, with the sections of the debtor's own law that make it a duty."""
    law = law_of(duty, facts.locations)
    return Reason(code, text, law.section, confidence=law.confidence, **fields)


def _address_reasons(facts: Facts) -> Iterator[Reason]:
    if facts.shared:
        text = "The address belongs to another person, who must not learn of this debt."
        yield _by_law(ReasonCode.SHARED_ADDRESS, text, "shared_address", facts)
    elif not facts.address:
        yield Reason(ReasonCode.NO_ADDRESS, "There is no address for this channel.")
    if facts.suppressed:
        yield _by_law(SUPPRESSED.code, SUPPRESSED.text, "suppressed", facts)


def _person_reasons(facts: Facts) -> Iterator[Reason]:
    if facts.refusal:
        text = f"The debtor refused this channel: {facts.refusal}"
        yield _by_law(ReasonCode.REFUSED_CHANNEL, text, "refused_channel", facts)
    if facts.is_work_address:
        text = "The address is the employer's."
        yield _by_law(ReasonCode.WORK_ADDRESS, text, "work_address", facts)
    if facts.is_minor:
        text = "The debtor is not of age. Contact a parent or guardian; a supervisor releases the debtor."
        yield _by_law(ReasonCode.MINOR, text, "minor", facts)


def _debt_reasons(facts: Facts) -> Iterator[Reason]:
    if facts.debt_is_closed:
        yield Reason(ReasonCode.DEBT_CLOSED, "The debt is closed.")
    if facts.debt_is_disputed:
        yield _by_law(ReasonCode.DEBT_DISPUTED, "The debt is disputed.", "dispute", facts)
    if facts.time_barred_by:
        text = "The limitation period of the debt is over, and the law forbids to collect it."
        yield Reason(ReasonCode.TIME_BARRED, text, facts.time_barred_by, confidence=facts.time_barred_confidence)


def _hold_reasons(facts: Facts, now: datetime) -> Iterator[Reason]:
    for block in facts.blocks:
        if facts.purpose == Purpose.ANSWER and block.reason not in ANSWERS_BLOCKED_BY:
            continue
        if block.is_active(facts.days(now)) and (facts.asks_for_payment or not block.only_payment_requests):
            yield _hold_reason(block, facts)


def _hold_reason(block: ContactBlock, facts: Facts) -> Reason:
    subject = "The debt" if block.scope == Scope.DEBT else "The person"
    because = "" if block.reason == "deferral" else f" ({block.reason.replace('_', ' ')})"
    code, text = _HOLD_CODES.get(block.reason, ReasonCode.DEBT_HELD), f"{subject} is on hold{because}."
    if block.only_payment_requests:
        code, text = ReasonCode.PAYMENT_REQUEST_HELD, f"{text[:-1]}: no payment may be asked for."
    ends = max((midnight(block.ends_on, zone) for zone in facts.zones), default=None) if block.ends_on else None
    return _by_law(code, text, block.reason, facts, policy=f"hold/{block.reason}", until=ends)


def _consent_reasons(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterator[Reason]:
    confirmed_at = facts.consent_confirmed_at or facts.consented_at
    for policy in policies.consents:
        if not any(policy.is_in_force(day) for day in facts.days(now)):
            continue
        if confirmed_at is None or facts.consented_at is None or facts.consented_at > now:
            text = "There is no consent of this debtor to this channel at this address."
            yield policy_reason(policy, ReasonCode.CONSENT_MISSING, text, _ends(policy, facts))
        elif policy.consent_days and any(
            (now.astimezone(zone).date() - confirmed_at.astimezone(zone).date()).days > policy.consent_days
            for zone in facts.clocks
        ):
            text = f"The consent was not given, used or checked in the last {policy.consent_days} days."
            yield policy_reason(policy, ReasonCode.CONSENT_TOO_OLD, text, _ends(policy, facts))


def _validation_notice_reasons(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterator[Reason]:
    for policy in policies.validation_notices:
        if not any(policy.is_in_force(day) for day in facts.days(now)):
            continue
        if not facts.is_validation_notice and (text := _notice_missing(facts, policy, now)):
            yield policy_reason(policy, ReasonCode.VALIDATION_NOTICE_FIRST, text, _ends(policy, facts))
        ends = facts.validation_period_ends
        if policy.validation_notice and facts.overshadows and ends and any(day < ends for day in facts.days(now)):
            last = ends - timedelta(days=1)
            text = f"This would overshadow the validation notice. The debt may be disputed until {last}."
            yield policy_reason(policy, ReasonCode.OVERSHADOWS, text, _ends(policy, facts, ends))


def _notice_missing(facts: Facts, policy: Policy, now: datetime) -> str | None:
    """Return what is wrong where a notice had to be sent by now; a waiting period needs one in any case."""
    if policy.wait_from == Event.NOTICE:
        missing = facts.debt_id is not None and facts.notice_sent_at is None
        return f"A written notice has to come first, and then {policy.wait_days} days." if missing else None
    if not facts.validation_notice_missing:
        return None
    if policy.notice_days is None:
        return "The first contact about a debt has to be, or carry, the validation notice."
    first = facts.first_contacted_at
    due = timedelta(days=policy.notice_days)
    if first is None or all(
        day <= first_day + due for day, first_day in zip(facts.days_of(now), facts.days_of(first), strict=True)
    ):
        return None
    return f"The validation notice was due {policy.notice_days} days after the first contact about the debt."


def _ends(policy: Policy, facts: Facts, day: date | None = None) -> datetime | None:
    """Return when a reason ends by the last of the clocks: on ``day`` or with the policy's version; None if it has no end."""
    last = min((ends for ends in (day, policy.valid_to) if ends), default=None)
    return max(midnight(last, zone) for zone in facts.calendar_zones) if last else None


def _window_reasons(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterable[Reason]:
    windows = policies.windows
    return () if windows.is_open(now, facts.zones) else _closed_windows(windows, facts.zones, now)


@lru_cache(maxsize=4096)
def _closed_windows(windows: ContactWindows, zones: frozenset[str], now: datetime) -> tuple[Reason, ...]:
    """Return the windows that are closed; the same for every debtor with the same policies and clocks."""
    found = []
    locals_ = {zone: now.astimezone(zone_info(zone)) for zone in sorted(zones)}
    for policy in windows.policies:
        closed = {zone: why for zone, local in locals_.items() if (why := windows.closed_because(policy, local))}
        for why in sorted(set(closed.values())):
            where = [zone for zone, its in closed.items() if its == why]
            found.append(policy_reason(policy, _CLOSED[why], _closed_text(windows, policy, why, where, now)))
    return tuple(found)


def _closed_text(windows: ContactWindows, policy: Policy, why: Closed, zones: list[str], now: datetime) -> str:
    local = now.astimezone(zone_info(zones[0]))
    where = f"in {zones[0]}" + (f" and {len(zones) - 1} more zones" if zones[1:] else "")
    if why == Closed.HOLIDAY:
        return f"{local:%d %B} is a public holiday {where}."
    if why == Closed.WEEKDAY:
        return f"It is {local:%A} {where}."
    first, end = windows.span(policy, local.date())[1] or (local.time(), local.time())
    return f"It is {local:%H:%M} {where}; allowed is {first:%H:%M} to {end:%H:%M}."


def _limits(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterator[Reason]:
    """Return the limits that are reached; none counts for an answer."""
    return frequency_caps.reached(facts, policies, now) if facts.purpose == Purpose.COLLECTION else iter(())


def _next_allowed(facts: Facts, policies: ApplicablePolicies, now: datetime) -> datetime | None:
    """Return the first moment that suits windows, caps and cooling-off periods; None if the windows leave none."""
    moment: datetime | None = now
    for _ in range(_ROUNDS):
        moment = policies.windows.next_open_time(moment, facts.zones) if moment else None
        if moment is None:
            return None
        ends = [reason.until for reason in _limits(facts, policies, moment) if reason.until]
        if not ends:
            return moment
        moment = max(ends)
    return None
