"""Caps that are reached and cool-downs that run: how many contacts there were, by the debtor's calendar."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from communications.contact.rules import Counts, Policy, Rules, Scope, midnight
from communications.contact.terms import Code, Contact, Facts, Reason, reason


def reached(facts: Facts, rules: Rules, at: datetime) -> Iterator[Reason]:
    """Name the caps that are reached, and the cool-downs that run, by any of the clocks."""
    if not facts.history:
        return
    for policy in rules.caps:
        counted = [contact.at for contact in _counted(facts, policy, policy.counts) if contact.at <= at]
        if len(counted) >= (policy.most or 0) and (until := _latest(facts, policy, counted, at, _cap_ends)):
            per = f"{policy.per_days} days" if policy.per_days else "a calendar month"
            words = f"{policy.most} {policy.counts} in {per} per {policy.scope} are the most."
            yield reason(policy, Code.TOO_MANY, words, until)
    for policy in rules.cool_downs:
        talks = [contact.at for contact in _counted(facts, policy, Counts.CONVERSATIONS) if contact.at <= at]
        if talks and (until := _latest(facts, policy, talks, at, _cool_down_ends)):
            spoke = max(talks).astimezone(facts.clocks[0])
            words = f"We spoke on {spoke:%d %B}, and {policy.cool_down_days} days are free of calls, that one included."
            yield reason(policy, Code.COOL_DOWN, words, until)


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
    """Return when a limit ends by the last of the clocks; None if it is over, or not in force, by all of them.

    A version that ends takes its limits along.
    """
    found = []
    for zone, info in zip(sorted(facts.zones), facts.clocks, strict=True):
        today = at.astimezone(info).date()
        if policy.holds_on(today) and (day := ends(policy, [m.astimezone(info).date() for m in moments], today)):
            found.append(midnight(min(day, policy.valid_to or day), zone))
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
