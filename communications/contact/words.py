"""Decisions of the contact gate in plain words, for who asks why something went, or didn't."""

from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

from communications.contact.gate import Facts, Verdict
from communications.contact.rules import Policy
from communications.models import ContactWish
from debtors.channels import Channel

VERDICTS = {Verdict.ALLOW: "It may go", Verdict.POSTPONE: "Not yet", Verdict.DENY: "No"}
CHANNELS = {
    Channel.EMAIL: "E-mail",
    Channel.SMS: "Text message",
    Channel.VOICE: "Call by machine",
    Channel.CALL_SCRIPT: "Call by an agent",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_CLOCKS = 3


def demands(policy: Policy) -> list[str]:
    """Say what a policy asks of a contact."""
    return list(_demands(policy))


def _demands(policy: Policy) -> Iterator[str]:
    if policy.opens is not None:
        yield f"{policy.opens:%H:%M} to {policy.closes or time.min:%H:%M}"
    if policy.weekend_opens is not None:
        yield f"on weekends {policy.weekend_opens:%H:%M} to {policy.weekend_closes or time.min:%H:%M}"
    if policy.weekdays:
        yield "on " + ", ".join(_DAYS[day - 1] for day in sorted(policy.weekdays))
    if policy.no_holidays:
        yield "not on public holidays"
    if policy.most:
        per = f"{policy.per_days} days" if policy.per_days else "a calendar month"
        yield f"at most {policy.most} {policy.counts} in {per} per {policy.scope}"
    if policy.cool_down_days:
        yield f"{policy.cool_down_days} days free after a talk, its own day included"
    if policy.consent_needed:
        yield "their consent" + (f", not older than {policy.consent_days} days" if policy.consent_days else "")
    if policy.first_notice:
        yield "the notice first, and nothing that overshadows it"


def channels(policy: Policy) -> str:
    """Name the channels that a policy is about."""
    named = [words for channel, words in CHANNELS.items() if channel in policy.channels]
    return ", ".join(named) or "Every channel"


def wish(told: ContactWish) -> str:
    """Say what we do as a debtor wants it."""
    parts = []
    if told.no_contact:
        parts.append("don't contact them")
    if told.work_address:
        parts.append(f"don't use {told.work_address}")
    if told.opens or told.closes or told.weekdays:
        parts.append("contact them " + ", ".join(demands(told.value)))
    if told.time_zone:
        parts.append(f"look at the clock in {told.time_zone}, too")
    by = f" ({channels(told.value)})" if told.channels else ""
    return "; ".join(parts) + by


def clocks(zones: frozenset[str], at: datetime) -> str:
    """Say what time it is for the debtor, by every clock where they may be; where those are many, by the first and the last."""
    if not zones:
        return "nobody knows what time it is there"
    shown = sorted((at.astimezone(ZoneInfo(zone)) for zone in zones), key=lambda local: local.isoformat()[:16])
    if len(shown) > _MOST_CLOCKS:
        shown = [shown[0], shown[-1]]
    told = " and ".join(f"{local:%A} {local:%H:%M} in {local.tzinfo}" for local in shown)
    return f"{told} ({len(zones)} zones)" if len(shown) < len(zones) else told


def known(facts: Facts, at: datetime) -> list[str]:
    """Say what was known, and so may have counted, when a decision was made."""
    return list(_known(facts, at))


def _known(facts: Facts, at: datetime) -> Iterator[str]:
    where = sorted(
        ", ".join(part.title() for part in (place.city, place.region) if part) + f" {place.country}"
        for place in facts.places
    )
    if where:
        yield "Where they may be: " + "; ".join(name.strip() for name in where)
    if facts.solicited:
        yield "They had asked for it: it goes at any hour"
    tried = [contact for contact in facts.history if contact.attempted and contact.at <= at]
    if tried:
        last = max(contact.at for contact in tried)
        yield f"{len(tried)} contacts in the last 33 days, the last one {last:%Y-%m-%d %H:%M} UTC"
    if talks := [contact.at for contact in facts.history if contact.conversation and contact.at <= at]:
        yield f"We spoke last on {max(talks):%Y-%m-%d}"
    if facts.consented_at:
        yield f"They had agreed on {facts.consented_at:%Y-%m-%d}"
    for wish in facts.wishes:
        yield "They told us when it suits them: " + ", ".join(demands(wish))
    for stop in facts.holds:
        until = f"until {stop.ends_on}" if stop.ends_on else "without an end"
        what = "Hold of payment requests" if stop.payment_requests_alone else "Hold"
        yield f"{what} on the {stop.scope} ({stop.reason.replace('_', ' ')}) from {stop.starts_on} {until}"
    if facts.notice_period_ends:
        yield f"The notice had gone; the time to dispute was over from {facts.notice_period_ends} on"
