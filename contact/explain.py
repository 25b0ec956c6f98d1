"""Policies, preferences, facts and verdicts of the contact gate in plain English."""

from collections.abc import Iterator
from datetime import datetime, time

from contact.engine.decision import Facts, Verdict
from contact.engine.policies import Location, Policy
from contact.models import WEEKDAYS, ContactPreference
from ddc.common.zones import zone_info
from debtors.channels import Channel
from debtors.places import regions

VERDICTS = {Verdict.ALLOW: "Allowed", Verdict.POSTPONE: "Postponed", Verdict.DENY: "Denied"}
_DAYS = dict(WEEKDAYS)
_MOST_CLOCKS = 3
_UNKNOWN_REGION = "region unknown (the rules of every region count)"


def demands(policy: Policy) -> Iterator[str]:
    """Yield the demands of a policy."""
    if policy.opens is not None:
        yield f"{policy.opens:%H:%M} to {policy.closes or time.min:%H:%M}"
    if policy.weekend_opens is not None:
        yield f"on weekends {policy.weekend_opens:%H:%M} to {policy.weekend_closes or time.min:%H:%M}"
    if policy.weekdays:
        yield "on " + ", ".join(_DAYS[day] for day in sorted(policy.weekdays))
    if policy.no_holidays:
        yield "not on public holidays"
    if policy.max_contacts:
        per = f"{policy.per_days} days" if policy.per_days else "a calendar month"
        yield f"at most {policy.max_contacts} {policy.counted} in {per} per {policy.scope}"
    if policy.cooling_off_days:
        yield f"no calls for {policy.cooling_off_days} days from a conversation on"
    if policy.consent_needed:
        yield "consent" + (f" that is not older than {policy.consent_days} days" if policy.consent_days else "")
    if policy.validation_notice:
        yield "the validation notice first, and nothing that overshadows it"


def channels(policy: Policy) -> str:
    """Name the channels that a policy is about."""
    return ", ".join(channel.label for channel in Channel if channel in policy.channels) or "Every channel"


def preference(row: ContactPreference) -> str:
    """Describe how a preference is applied."""
    parts = []
    if row.no_contact:
        parts.append("no contact")
    if row.work_address:
        parts.append(f"do not use {row.work_address}")
    if row.has_times:
        parts.append("contact " + ", ".join(demands(row.value)))
    if row.time_zone:
        parts.append(f"also apply the time in {row.time_zone}")
    about = f" ({channels(row.value)})" if row.channels else ""
    return "; ".join(parts) + about


def clocks(zones: frozenset[str], now: datetime) -> str:
    """Give the local time in every zone where the debtor may be; of many zones, only the first and the last."""
    if not zones:
        return "unknown"
    shown = sorted((now.astimezone(zone_info(zone)) for zone in zones), key=lambda local: local.isoformat()[:16])
    if len(shown) > _MOST_CLOCKS:
        shown = [shown[0], shown[-1]]
    text = " and ".join(f"{local:%A} {local:%H:%M} in {local.tzinfo}" for local in shown)
    return f"{text} ({len(zones)} zones)" if len(shown) < len(zones) else text


def place(where: Location) -> str:
    """Describe a location by city or postcode, region and country."""
    if where.region:
        region = regions.names().get((where.country, where.region), where.region)
    else:
        region = _UNKNOWN_REGION if where.country in regions.countries() else ""
    parts = (where.city.title() or where.postal_code.upper(), region, where.country)
    return ", ".join(part for part in parts if part)


def facts(known: Facts, now: datetime) -> Iterator[str]:
    """Yield the facts that a decision may have depended on."""
    if known.locations:
        yield "Possible locations: " + "; ".join(sorted(map(place, known.locations)))
    if known.solicited:
        yield "The debtor requested it: allowed at any hour"
    attempts = [contact.at for contact in known.history if contact.attempted and contact.at <= now]
    if attempts:
        yield f"{len(attempts)} contacts in the last 33 days, the last one {max(attempts):%Y-%m-%d %H:%M} UTC"
    if talks := [contact.at for contact in known.history if contact.conversation and contact.at <= now]:
        yield f"Last conversation on {max(talks):%Y-%m-%d}"
    if known.consented_at:
        yield f"Consent given on {known.consented_at:%Y-%m-%d}"
    for policy in known.preferences:
        yield "Preferred times: " + ", ".join(demands(policy))
    for block in known.blocks:
        until = f"until {block.ends_on}" if block.ends_on else "without an end"
        kind = "Hold of payment requests" if block.only_payment_requests else "Hold"
        yield f"{kind} on the {block.scope} ({block.reason.replace('_', ' ')}) from {block.starts_on} {until}"
    if known.validation_period_ends:
        yield f"Validation notice sent; the time to dispute ends before {known.validation_period_ends}"
