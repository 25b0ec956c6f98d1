"""Policies, preferences, facts and verdicts of the contact gate in plain English."""

from collections.abc import Iterator
from datetime import datetime

from contact.engine import frequency_caps
from contact.engine.decision import Facts, Purpose, Verdict
from contact.engine.policies import Counted, Event, Location, Policy
from contact.limitation import Limitation
from contact.models import WEEKDAYS, ContactPreference
from ddc.common.days import begun
from ddc.common.zones import zone_info
from debtors.channels import Channel
from debtors.places import regions

VERDICTS = {Verdict.ALLOW: "Allowed", Verdict.POSTPONE: "Postponed", Verdict.DENY: "Denied"}
_DAYS = dict(WEEKDAYS)
_MOST_CLOCKS = 3
_UNKNOWN_REGION = "region unknown (the rules of every region count)"


def demands(policy: Policy) -> Iterator[str]:
    """Yield the demands of a policy."""
    if policy.hours:
        yield policy.hours
    if policy.max_contacts:
        consent = " without consent" if policy.unless_consented else ""
        yield f"at most {policy.max_contacts} {policy.counted}{consent} in {frequency_caps.period(policy)} per {policy.scope}"
    if policy.max_channels:
        yield f"at most {policy.max_channels} channel in {frequency_caps.period(policy)}"
    if policy.cooling_off_days:
        what = "exchange" if policy.counted == Counted.EXCHANGES else "conversation"
        yield f"nothing for {policy.cooling_off_days} days from a{'n' if what[0] == 'e' else ''} {what} on"
    if policy.call_back_days:
        yield f"but a call that the debtor asked for in the last {policy.call_back_days} days"
    if policy.consent_needed:
        yield "consent" + (f" that is not older than {policy.consent_days} days" if policy.consent_days else "")
    if policy.validation_notice:
        when = f"at most {policy.notice_days} days after the first contact" if policy.notice_days else "first"
        yield f"the validation notice {when}, and nothing that overshadows it"
    if policy.wait_days:
        event = "a written notice" if policy.wait_from == Event.NOTICE else "the due date"
        yield f"nothing for {policy.wait_days} days after {event}"


def limits(policy: Policy) -> str:
    """Name the numbers, debts and debtors to which a policy is limited; empty if to none."""
    kinds = (("numbers", policy.number_kinds), ("debts", policy.debt_kinds), ("debtors", policy.debtor_kinds))
    return "; ".join(f"{name}: {', '.join(sorted(some))}" for name, some in kinds if some)


def limitation(known: Limitation | None, now: datetime) -> str:
    """Describe the limitation of a debt; empty if its period is not known."""
    if known is None:
        return ""
    period = known.period
    source = f" ({period.section}; confidence: {period.confidence})"
    if known.is_over(begun(now)):
        return f"Time-barred since {known.last_day}: do not sue or threaten to{source}"
    return f"Ends on {known.last_day}{source}"


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


def assumptions(known: Facts) -> Iterator[str]:
    """Yield the place and the clock by which a decision was made."""
    if known.locations:
        title = "Places, the rules of each apply" if len(known.locations) > 1 else "Place"
        yield f"{title}: {'; '.join(sorted(map(place, known.locations)))}"
    else:
        yield "The place is not known, so no country's rules could be chosen"
    if len(known.zones) > 1:
        yield f"{len(known.zones)} time zones are possible, the hours have to suit each"
    else:
        yield f"Time zone: {next(iter(known.zones), 'not known')}"


def channel_assumptions(known: Facts) -> Iterator[str]:
    """Yield what a decision assumed about the consent, the number and the debt."""
    yield _consent(known) or "No consent to this channel at this address"
    if known.subject.number_kind:
        yield f"The number counts as {known.subject.number_kind} phone"
    if known.debt_id and not known.subject.debt_kind:
        yield "The creditor's kind of debt is not entered, so the rules of every kind apply"


def _consent(known: Facts) -> str:
    if not known.consented_at:
        return ""
    confirmed = known.consent_confirmed_at or known.consented_at
    return f"Consent given on {known.consented_at:%Y-%m-%d}, last confirmed on {confirmed:%Y-%m-%d}"


def facts(known: Facts, now: datetime) -> Iterator[str]:
    """Yield the facts that a decision may have depended on."""
    if known.locations:
        yield "Possible locations: " + "; ".join(sorted(map(place, known.locations)))
    if known.purpose != Purpose.COLLECTION:
        yield f"Purpose: {known.purpose}"
    attempts = [contact.at for contact in known.history if contact.attempted and contact.at <= now]
    if attempts:
        yield f"{len(attempts)} contacts that may count, the last one {max(attempts):%Y-%m-%d %H:%M} UTC"
    if talks := [contact.at for contact in known.history if contact.conversation and contact.at <= now]:
        yield f"Last conversation on {max(talks):%Y-%m-%d}"
    if consent := _consent(known):
        yield consent
    for policy in known.preferences:
        yield "Preferred times: " + ", ".join(demands(policy))
    for block in known.blocks:
        until = f"until {block.ends_on}" if block.ends_on else "without an end"
        kind = "Hold of payment requests" if block.only_payment_requests else "Hold"
        yield f"{kind} on the {block.scope} ({block.reason.replace('_', ' ')}) from {block.starts_on} {until}"
    if known.validation_period_ends:
        yield f"Validation notice sent; the time to dispute ends before {known.validation_period_ends}"
