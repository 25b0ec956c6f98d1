"""Frequency caps and cooling-off periods: how many contacts there were, by the debtor's calendar."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from contact.engine.applicable import ApplicablePolicies
from contact.engine.decision import Contact, Facts, Reason, ReasonCode
from contact.engine.policies import Counted, Policy, Scope
from contact.engine.windows import midnight


def reached(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterator[Reason]:
    """Yield the caps that are reached and the cooling-off periods that run, by any of the debtor's clocks."""
    if not facts.history:
        return
    for policy in policies.caps:
        counted = [contact.at for contact in _counted(facts, policy, policy.counted) if contact.at <= now]
        if len(counted) >= (policy.max_contacts or 0) and (until := _latest(facts, policy, counted, now, _cap_ends)):
            per = f"{policy.per_days} days" if policy.per_days else "a calendar month"
            text = f"{policy.max_contacts} {policy.counted} in {per} per {policy.scope} are allowed."
            yield policy_reason(policy, ReasonCode.TOO_MANY, text, until)
    for policy in policies.cooling_off:
        talks = [contact.at for contact in _counted(facts, policy, Counted.CONVERSATIONS) if contact.at <= now]
        if talks and (until := _latest(facts, policy, talks, now, _cooling_off_ends)):
            last = max(talks).astimezone(facts.clocks[0])
            text = (
                f"The last conversation was on {last:%d %B}. No calls for {policy.cooling_off_days} days from then on."
            )
            yield policy_reason(policy, ReasonCode.COOLING_OFF, text, until)


def policy_reason(policy: Policy, code: ReasonCode, text: str, until: datetime | None = None) -> Reason:
    """Return the reason that a policy gives."""
    return Reason(code, text, policy.section, policy.name, policy.version, until)


def _counted(facts: Facts, policy: Policy, counted: Counted) -> Iterator[Contact]:
    for contact in facts.history:
        if policy.channels and contact.channel not in policy.channels:
            continue
        about = {contact.debt_id, facts.debt_id}
        if policy.scope == Scope.DEBT and None not in about and len(about) > 1:
            continue
        if policy.scope == Scope.ADDRESS and contact.address != facts.address:
            continue
        if _COUNTS[counted](contact):
            yield contact


_COUNTS: dict[Counted, Callable[[Contact], bool]] = {
    Counted.ATTEMPTS: lambda contact: contact.attempted,
    Counted.CONNECTED: lambda contact: contact.attempted and contact.connected,
    Counted.CONVERSATIONS: lambda contact: contact.conversation,
}
_Ends = Callable[[Policy, list[date], date], date | None]


def _latest(facts: Facts, policy: Policy, moments: list[datetime], now: datetime, ends: _Ends) -> datetime | None:
    """Return when a limit ends by the last of the clocks; None if it is over, or not in force, by all of them.

    A limit ends at the latest with the policy's version.
    """
    found = []
    for zone, info in zip(sorted(facts.zones), facts.clocks, strict=True):
        today = now.astimezone(info).date()
        if policy.is_in_force(today) and (day := ends(policy, [m.astimezone(info).date() for m in moments], today)):
            found.append(midnight(min(day, policy.valid_to or day), zone))
    return max(found, default=None)


def _cap_ends(policy: Policy, days: list[date], today: date) -> date | None:
    """Return the first day with room for another contact; None if there is room today."""
    most = policy.max_contacts or 0
    if policy.per_days is None:
        this_month = [day for day in days if (day.year, day.month) == (today.year, today.month)]
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1) if len(this_month) >= most else None
    span = timedelta(days=policy.per_days)
    recent = sorted(day for day in days if day > today - span)
    return recent[len(recent) - most] + span if len(recent) >= most else None


def _cooling_off_ends(policy: Policy, days: list[date], today: date) -> date | None:
    free = max(days) + timedelta(days=policy.cooling_off_days or 0)
    return free if today < free else None
