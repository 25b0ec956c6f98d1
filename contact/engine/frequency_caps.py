"""Limits that pass with time: frequency caps, cooling-off and waiting periods, by the debtor's calendar."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from contact.engine.applicable import ApplicablePolicies
from contact.engine.decision import Contact, Facts, Reason, ReasonCode
from contact.engine.policies import Calendar, Counted, Event, Policy, Scope
from contact.engine.windows import midnight


def reached(facts: Facts, policies: ApplicablePolicies, now: datetime) -> Iterator[Reason]:
    """Yield the caps that are reached, and the cooling-off and waiting periods that run, by any of the debtor's clocks."""
    for policy in policies.waits:
        yield from _wait(facts, policy, now)
    if not facts.history:
        return
    for policy in policies.caps:
        if policy.unless_consented and facts.consented_at and facts.consented_at <= now:
            continue
        if policy.max_contacts:
            yield from _cap(facts, policy, now)
        if policy.max_channels:
            yield from _channel_cap(facts, policy, now)
    for policy in policies.cooling_off:
        yield from _cooling_off(facts, policy, now)


def policy_reason(policy: Policy, code: ReasonCode, text: str, until: datetime | None = None) -> Reason:
    """Return the reason that a policy gives."""
    return Reason(code, text, policy.section, policy.name, policy.version, until, policy.confidence)


def period(policy: Policy) -> str:
    """Name the period of a cap."""
    return f"{policy.per_days} days" if policy.per_days else f"a calendar {policy.per_calendar}"


def _cap(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    most = policy.max_contacts or 0
    counted = [contact.at for contact in _counted(facts, policy, policy.counted, now)]
    if len(counted) < most or _is_asked_for(facts, policy, now):
        return
    if until := _latest(facts, policy, counted, now, lambda days, today: _cap_ends(policy, most, days, today)):
        text = f"{most} {policy.counted} in {period(policy)} per {policy.scope} are allowed."
        yield policy_reason(policy, ReasonCode.TOO_MANY, text, until)


def _channel_cap(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    """Compare the other channels in use with ``max_channels``; both kinds of call are one channel."""
    most, own = policy.max_channels or 0, _group(facts.channel)
    last: dict[str, datetime] = {}
    for contact in _counted(facts, policy, policy.counted, now):
        group = _group(contact.channel)
        if group != own:
            last[group] = max(contact.at, last.get(group, contact.at))
    if until := _latest(facts, policy, last.values(), now, lambda days, today: _cap_ends(policy, most, days, today)):
        text = f"{most} channel in {period(policy)} is allowed. In use: {', '.join(sorted(last))}."
        yield policy_reason(policy, ReasonCode.OTHER_CHANNEL, text, until)


def _cooling_off(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    counted = Counted.EXCHANGES if policy.counted == Counted.EXCHANGES else Counted.CONVERSATIONS
    talks = [contact.at for contact in _counted(facts, policy, counted, now)]
    if not talks or _is_asked_for(facts, policy, now):
        return
    cooling_off = timedelta(days=policy.cooling_off_days or 0)
    if until := _latest(facts, policy, talks, now, lambda days, today: _end_after(max(days) + cooling_off, today)):
        last = max(talks).astimezone(facts.clocks[0])
        text = f"The last conversation was on {last:%d %B}. No calls for {policy.cooling_off_days} days from then on."
        yield policy_reason(policy, ReasonCode.COOLING_OFF, text, until)


def _wait(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    """Wait from the validation notice on, except with the notice itself, or from the day on which the debt was due."""
    wait, due = timedelta(days=policy.wait_days or 0), facts.due_on
    until = None
    if policy.wait_from == Event.NOTICE and facts.notice_sent_at and not facts.is_validation_notice:
        sent = [facts.notice_sent_at]
        until = _latest(facts, policy, sent, now, lambda days, today: _end_after(days[0] + wait, today))
    elif policy.wait_from == Event.DUE and due:
        until = _latest(facts, policy, (), now, lambda days, today: _end_after(due + wait, today))
    if until:
        since = "the notice was sent" if policy.wait_from == Event.NOTICE else "the debt was due"
        text = f"{policy.wait_days} days have to pass since {since}."
        yield policy_reason(policy, ReasonCode.WAITING_PERIOD, text, until)


def _counted(facts: Facts, policy: Policy, counted: Counted, now: datetime) -> Iterator[Contact]:
    for contact in facts.history:
        if contact.at > now or (policy.channels and contact.channel not in policy.channels):
            continue
        if not _is_in_scope(facts, policy, contact) or not _COUNTS[counted](contact):
            continue
        if counted == Counted.ATTEMPTS and _is_asked_for(facts, policy, contact.at):
            continue
        yield contact


def _is_in_scope(facts: Facts, policy: Policy, contact: Contact) -> bool:
    """Check whether a contact is about the same subject; one about no debt in particular is about all of them."""
    if policy.scope == Scope.ADDRESS:
        return contact.address == facts.address
    if policy.scope == Scope.DEBT:
        return contact.debt_id == facts.debt_id or contact.debt_id is None or facts.debt_id is None
    if policy.scope == Scope.CREDITOR:
        return contact.creditor_id == facts.creditor_id or contact.creditor_id is None or facts.creditor_id is None
    return True


def _is_asked_for(facts: Facts, policy: Policy, at: datetime) -> bool:
    """Check whether a call at this moment is the one that the debtor asked for in their last conversation."""
    if policy.call_back_days is None:
        return False
    before = [one for one in facts.history if one.at < at and _is_in_scope(facts, policy, one)]
    asked = max((one.at for one in before if one.asked_for_call), default=None)
    if asked is None or any(one.at > asked and (one.attempted or one.conversation) for one in before if one.is_call):
        return False
    return all(
        (at.astimezone(clock).date() - asked.astimezone(clock).date()).days < policy.call_back_days
        for clock in facts.clocks
    )


_COUNTS: dict[Counted, Callable[[Contact], bool]] = {
    Counted.ATTEMPTS: lambda contact: contact.attempted,
    Counted.CONTACTS: lambda contact: contact.attempted and contact.connected,
    Counted.CONVERSATIONS: lambda contact: contact.conversation,
    Counted.EXCHANGES: lambda contact: contact.conversation or contact.written_by_debtor,
}
_Ends = Callable[[list[date], date], date | None]


def _latest(facts: Facts, policy: Policy, moments: Iterable[datetime], now: datetime, ends: _Ends) -> datetime | None:
    """Return when a limit ends by the last of the clocks; None if it is over, or not in force, by all of them.

    A limit ends at the latest with the policy's version.
    """
    found, moments = [], list(moments)
    for zone, info in zip(sorted(facts.zones), facts.clocks, strict=True):
        today = now.astimezone(info).date()
        if policy.is_in_force(today) and (day := ends([m.astimezone(info).date() for m in moments], today)):
            found.append(midnight(min(day, policy.valid_to or day), zone))
    return max(found, default=None)


def _cap_ends(policy: Policy, most: int, days: list[date], today: date) -> date | None:
    """Return the first day with room for another contact; None if there is room today."""
    if policy.per_days is None:
        first, following = _calendar_period(Calendar(policy.per_calendar), today)
        return following if sum(first <= day for day in days) >= most else None
    span = timedelta(days=policy.per_days)
    recent = sorted(day for day in days if day > today - span)
    return recent[len(recent) - most] + span if len(recent) >= most else None


def _calendar_period(calendar: Calendar, today: date) -> tuple[date, date]:
    """Return the first day of the period that has ``today``, and of the one after it."""
    if calendar == Calendar.WEEK:
        first = today - timedelta(days=today.weekday())
        return first, first + timedelta(days=7)
    if calendar == Calendar.MONTH:
        first = today.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    return date(today.year, 1, 1), date(today.year + 1, 1, 1)


def _end_after(day: date, today: date) -> date | None:
    return day if today < day else None


def _group(channel: str) -> str:
    return "call" if channel in ("voice", "call_script") else channel
