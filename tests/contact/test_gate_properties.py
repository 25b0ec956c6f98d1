"""Compare the gate with a naive restatement of the law, minute by minute, for any debtor, policies and history.

Nothing here uses the gate's own helpers: the oracle asks one moment at a time, policy by policy, clock by clock.
"""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact, ContactBlock, Facts, ReasonCode, Verdict
from contact.engine.policies import Counted, Location, Policy, Scope

ZONES = [
    "America/New_York", "America/Los_Angeles", "America/Phoenix", "Europe/London", "Europe/Berlin", "Asia/Kathmandu",
    "Australia/Sydney", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Honolulu",
]  # fmt: skip
LOCATIONS = [Location("US", "MA"), Location("US", "AZ"), Location("GB"), Location("AU"), Location("NP"), Location("DE")]

CHANNELS = ["email", "sms", "voice"]
#: None: about no debt, or about all of them.
DEBTS = [uuid.UUID(int=1), uuid.UUID(int=2), None]
ADDRESSES = ["a@example.com", "b@example.com"]
FIRST = datetime(2026, 2, 1, tzinfo=UTC)
#: Days on which clocks change somewhere.
CHANGES = [
    datetime(2026, 3, 8),
    datetime(2026, 3, 29),
    datetime(2026, 4, 5),
    datetime(2026, 10, 4),
    datetime(2026, 11, 1),
]

minutes = st.integers(0, 24 * 60 - 1).map(lambda m: time(m // 60, m % 60))
moments = st.one_of(
    st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 30)),
    st.tuples(st.sampled_from(CHANGES), st.integers(-3600 * 14, 3600 * 38)).map(
        lambda p: p[0] + timedelta(seconds=p[1])
    ),
).map(lambda at: at.replace(tzinfo=UTC))


@st.composite
def hours(draw):
    opens, closes = sorted(draw(st.lists(minutes, min_size=2, max_size=2, unique=True)))
    return {"opens": opens, "closes": closes}


@st.composite
def policies(draw):
    jurisdiction, countries = draw(st.sampled_from([
        ("AGENCY", ()), ("DEFAULT", ()), ("US", ("US",)), ("GB", ("GB",)), ("AU", ("AU",)), ("DE", ("DE",)),
    ]))  # fmt: skip
    values = {
        "countries": frozenset(countries),
        "channels": frozenset(draw(st.sets(st.sampled_from(CHANNELS), max_size=2))),
        "valid_from": draw(st.sampled_from([date.min, date(2026, 6, 1)])),
        "valid_to": draw(st.sampled_from([None, date(2026, 9, 1)])),
        "scope": draw(st.sampled_from(list(Scope))),
        "counted": draw(st.sampled_from(list(Counted))),
    }
    kind = draw(st.sampled_from(["hours", "wide", "days", "cap", "month", "talk", "consent", "notice"]))
    if kind == "hours":
        values |= draw(hours()) | (
            {"weekend_opens": time(9), "weekend_closes": time(20)} if draw(st.booleans()) else {}
        )
    elif kind == "wide":
        values |= {"opens": time(8), "closes": time(21)}
    elif kind == "days":
        values |= {
            "weekdays": frozenset(draw(st.sets(st.integers(1, 7), min_size=4))),
            "no_holidays": draw(st.booleans()),
        }
    elif kind in ("cap", "month"):
        values |= {
            "max_contacts": draw(st.integers(1, 4)),
            "per_days": draw(st.integers(1, 8)) if kind == "cap" else None,
        }
    elif kind == "talk":
        values["cooling_off_days"] = draw(st.integers(1, 8))
    elif kind == "consent":
        values |= {"consent_needed": True, "consent_days": draw(st.sampled_from([None, 60]))}
    else:
        values["validation_notice"] = True
    return Policy(jurisdiction, kind, "a section", **values)


@st.composite
def cases(draw):
    at = draw(moments)
    ago = st.integers(-3600, 3600 * 24 * 12).map(lambda s: at - timedelta(seconds=s))
    contacts = st.builds(
        Contact, at=ago, channel=st.sampled_from(CHANNELS), debt_id=st.sampled_from([*DEBTS, None]),
        address=st.sampled_from(ADDRESSES), attempted=st.booleans(), connected=st.booleans(), conversation=st.booleans(),
    )  # fmt: skip
    near = st.integers(-3, 3).map(lambda d: at.date() + timedelta(days=d))
    stops = st.builds(
        ContactBlock, reason=st.sampled_from(["moratorium", "cease"]), scope=st.sampled_from([Scope.DEBT, Scope.PERSON]),
        starts_on=near, ends_on=st.one_of(st.none(), near),
    )  # fmt: skip
    rarely = st.sampled_from([False] * 6 + [True])
    facts = Facts(
        channel=draw(st.sampled_from(CHANNELS)),
        address=draw(st.sampled_from([*ADDRESSES * 3, ""])),
        zones=draw(st.frozensets(st.sampled_from(ZONES), min_size=draw(st.sampled_from([0, 1, 1, 1, 1])), max_size=3)),
        locations=draw(st.frozensets(st.sampled_from(LOCATIONS), min_size=1, max_size=2)),
        solicited=draw(rarely),
        expires_at=draw(st.one_of(st.none(), st.integers(-1, 48 * 60).map(lambda m: at + timedelta(minutes=m)))),
        suppressed=draw(rarely),
        refusal=draw(st.sampled_from([None] * 6 + ["No mail, please."])),
        is_work_address=draw(rarely),
        debt_id=draw(st.sampled_from(DEBTS)),
        debt_is_closed=draw(rarely),
        debt_is_disputed=draw(rarely),
        blocks=tuple(draw(st.lists(stops, max_size=1))) if draw(rarely) else (),
        history=tuple(draw(st.lists(contacts, max_size=10))),
        consented_at=draw(st.one_of(st.none(), st.integers(-1, 70).map(lambda d: at - timedelta(days=d)))),
        preferences=tuple(draw(st.lists(wishes(), max_size=1))) if draw(rarely) else (),
        validation_notice_missing=draw(rarely),
        is_validation_notice=draw(st.booleans()),
        overshadows=draw(rarely),
        validation_period_ends=draw(st.one_of(st.none(), near)),
    )
    return facts, draw(st.lists(policies(), max_size=5)), at


@st.composite
def wishes(draw):
    return Policy(
        "THE DEBTOR", "wish", "", **draw(hours()), weekdays=frozenset(draw(st.sets(st.integers(1, 7), min_size=3)))
    )


class Oracle:
    """The law, asked of one moment."""

    def __init__(self, facts, policies):
        self.facts = facts
        where = [p for p in policies if p.jurisdiction == "AGENCY"]
        for place in facts.locations:
            own = [p for p in policies if place.country in p.countries]
            where += own or [p for p in policies if p.jurisdiction == "DEFAULT"]
        self.policies = [p for p in where if not p.channels or facts.channel in p.channels] + list(facts.preferences)

    def clocks(self, at):
        return [at.astimezone(ZoneInfo(zone)) for zone in self.facts.zones]

    def in_force(self, policy, local):
        return policy.valid_from <= local.date() and not (policy.valid_to and local.date() >= policy.valid_to)

    def shut(self, at):
        """Return why a window is closed, by any policy and any clock."""
        found = set()
        for policy in self.policies:
            for local in self.clocks(at):
                if not self.in_force(policy, local):
                    continue
                if policy.no_holidays and self.is_holiday(policy, local.date()):
                    found.add(ReasonCode.PUBLIC_HOLIDAY)
                elif policy.weekdays and local.isoweekday() not in policy.weekdays:
                    found.add(ReasonCode.WEEKDAY)
                elif policy.opens:
                    weekend = local.weekday() in (5, 6) and policy.weekend_opens
                    first, end = (
                        (policy.weekend_opens, policy.weekend_closes) if weekend else (policy.opens, policy.closes)
                    )
                    if local.time() < first or local.time() >= end:
                        found.add(ReasonCode.OUTSIDE_WINDOW)
        return found

    def is_holiday(self, policy, day):
        import holidays

        countries = {p.country for p in self.facts.locations if not policy.countries or p.country in policy.countries}
        return any(day in self.calendar(country, day.year, holidays) for country in countries)

    def calendar(self, country, year, holidays, cache={}):  # noqa: B006
        if (country, year) not in cache:
            # Longer codes are those of single cities. Without a region it may be any of them.
            regions = [code for code in holidays.country_holidays(country).subdivisions if len(code) <= 3]
            by_region = {
                region: set(holidays.country_holidays(country, subdiv=region, years=year)) for region in regions
            }
            anywhere = set(holidays.country_holidays(country, years=year)).union(*by_region.values())
            cache[country, year] = by_region | {"": anywhere}
        mine = {p.region for p in self.facts.locations if p.country == country}
        return {day for region in mine for day in cache[country, year][region]}

    def counted(self, policy, what, at):
        for contact in self.facts.history:
            if contact.at > at or (policy.channels and contact.channel not in policy.channels):
                continue
            about = {contact.debt_id, self.facts.debt_id}
            if policy.scope == "debt" and None not in about and len(about) > 1:
                continue
            if policy.scope == "address" and contact.address != self.facts.address:
                continue
            counts = {
                "attempts": contact.attempted,
                "connected": contact.attempted and contact.connected,
                "conversations": contact.conversation,
            }
            if counts[what]:
                yield contact

    def limits(self, at):
        found = set()
        for policy in self.policies:
            for zone in self.facts.zones:
                today = at.astimezone(ZoneInfo(zone))
                if not self.in_force(policy, today):
                    continue
                if policy.max_contacts:
                    days = [c.at.astimezone(ZoneInfo(zone)).date() for c in self.counted(policy, policy.counted, at)]
                    if policy.per_days:
                        back = [today.date() - timedelta(days=n) for n in range(policy.per_days)]
                        n = sum(day in back for day in days)
                    else:
                        n = sum((day.month, day.year) == (today.month, today.year) for day in days)
                    if n >= policy.max_contacts:
                        found.add(ReasonCode.TOO_MANY)
                if policy.cooling_off_days:
                    for contact in self.counted(policy, "conversations", at):
                        spoke = contact.at.astimezone(ZoneInfo(zone)).date()
                        if today.date() in [spoke + timedelta(days=n) for n in range(policy.cooling_off_days)]:
                            found.add(ReasonCode.COOLING_OFF)
        return found

    def forbidden(self, at):
        facts, found = self.facts, set()
        if not facts.address:
            found.add(ReasonCode.NO_ADDRESS)
        if facts.suppressed:
            found.add(ReasonCode.SUPPRESSED)
        if facts.solicited:
            return found
        if facts.refusal:
            found.add(ReasonCode.REFUSED_CHANNEL)
        if facts.is_work_address:
            found.add(ReasonCode.WORK_ADDRESS)
        if facts.debt_is_closed:
            found.add(ReasonCode.DEBT_CLOSED)
        if facts.debt_is_disputed:
            found.add(ReasonCode.DEBT_DISPUTED)
        if not facts.zones:
            found.add(ReasonCode.LOCATION_UNKNOWN)
        locals_ = self.clocks(at) or [at]
        for stop in facts.blocks:
            if any(stop.starts_on <= l.date() and not (stop.ends_on and l.date() >= stop.ends_on) for l in locals_):  # noqa: E741
                found.add(ReasonCode.DEBT_HELD)
        for policy in self.policies:
            if not any(self.in_force(policy, local) for local in locals_):
                continue
            if policy.consent_needed:
                if facts.consented_at is None or facts.consented_at > at:
                    found.add(ReasonCode.CONSENT_MISSING)
                elif policy.consent_days and any(
                    facts.consented_at.astimezone(ZoneInfo(z)).date() + timedelta(days=policy.consent_days)
                    < at.astimezone(ZoneInfo(z)).date()
                    for z in facts.zones
                ):
                    found.add(ReasonCode.CONSENT_TOO_OLD)
            if policy.validation_notice and facts.validation_notice_missing and not facts.is_validation_notice:
                found.add(ReasonCode.VALIDATION_NOTICE_FIRST)
            ends = facts.validation_period_ends
            if (
                policy.validation_notice
                and facts.overshadows
                and ends
                and any(local.date() < ends for local in locals_)
            ):
                found.add(ReasonCode.OVERSHADOWS)
        return found

    def against(self, at):
        expires_at = self.facts.expires_at
        if expires_at and at >= expires_at and not self.facts.solicited:
            return {ReasonCode.STALE}, set()
        timed = set() if self.facts.solicited else self.shut(at) | self.limits(at)
        return self.forbidden(at), timed


def hold_next_moment(facts, rules, at, oracle):
    """Check that the next contact is allowed at its time, and missing only where the contact is forbidden now."""
    following = gate.next_contact(facts, PolicySet(rules), at)
    if following is not None:
        assert following >= at
        assert oracle.against(following) == (set(), set())
    else:
        assert oracle.against(at) != (set(), set())


def check(case, *, most):
    facts, rules, at = case
    decision = gate.decide(facts, PolicySet(rules), at)
    oracle = Oracle(facts, rules)
    never, timed = oracle.against(at)
    given_ = {reason.code for reason in decision.reasons}

    # Every failing rule is named, and nothing else except NO_COMMON_WINDOW.
    assert given_ - {ReasonCode.NO_COMMON_WINDOW} == never | timed
    if decision.verdict == Verdict.ALLOW:
        assert not never
        assert not timed
        assert decision.reasons == ()
    elif decision.verdict == Verdict.DENY:
        assert decision.until is None
        assert never or ReasonCode.NO_COMMON_WINDOW in given_
    else:
        assert not never
        assert decision.until > at
        assert oracle.against(decision.until)[1] == set()
    hold_next_moment(facts, rules, at, oracle)
    if decision.verdict == Verdict.POSTPONE or ReasonCode.NO_COMMON_WINDOW in given_:
        # No earlier moment is allowed: each minute of the last hours, each quarter of an hour before.
        end = decision.until or at + timedelta(days=15)
        walk = [end - timedelta(minutes=n) for n in range(1, min(most, 120))] if decision.until else []
        quarter = min(max(timedelta(minutes=15), (end - at) / 200), timedelta(hours=3))
        while end > at and len(walk) < most:
            end -= quarter
            walk.append(end)
        for moment in walk:
            assert moment < at or oracle.shut(moment) | oracle.limits(moment), moment


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_no_forbidden_contact_is_allowed_and_each_reason_is_true(case):
    check(case, most=150)


@pytest.mark.deep
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_ten_thousand_cases_find_no_contact_that_the_law_forbids(case):
    check(case, most=500)
