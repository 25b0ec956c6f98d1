"""Compare the gate with a naive restatement of the law, minute by minute, for any debtor, policies and history.

Nothing here uses the gate's own helpers: the oracle asks one moment at a time, policy by policy, clock by clock.
"""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact, ContactBlock, Facts, Purpose, ReasonCode, Verdict
from contact.engine.policies import Calendar, Counted, Location, Policy, Scope, Subject

ZONES = [
    "America/New_York", "America/Los_Angeles", "America/Phoenix", "Europe/London", "Europe/Berlin", "Asia/Kathmandu",
    "Australia/Sydney", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Honolulu",
]  # fmt: skip
LOCATIONS = [Location("US", "MA"), Location("US", "AZ"), Location("GB"), Location("AU"), Location("NP"), Location("DE")]

CHANNELS = ["email", "sms", "voice", "call_script"]
CREDITORS = [uuid.UUID(int=11), uuid.UUID(int=12), None]
NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
KINDS = {
    "number_kind": ["mobile", "home", "work"], "debt_kind": ["credit", "consumer"], "debtor_kind": ["person", "company"],
}  # fmt: skip
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
def spans(draw):
    opens, closes = sorted(draw(st.lists(minutes, min_size=2, max_size=2, unique=True)))
    return f"{opens:%H:%M}-{closes:%H:%M}"


@st.composite
def hours(draw, *, holidays=True):
    """Hours of at least four weekdays, perhaps with others on holidays and named days."""
    days = draw(st.sets(st.sampled_from(NAMES), min_size=4))
    parts = [f"{name} {draw(spans())}" for name in NAMES if name in days]
    some = st.one_of(st.just("off"), spans())
    for name in ("24 Mar", "Easter+1", "national holidays", "holidays") if holidays else ():
        if draw(st.sampled_from([False, False, True])):
            parts.append(f"{name} {draw(some)}")
    return "; ".join(parts)


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
        "call_back_days": draw(st.sampled_from([None, None, 3, 7])),
    }
    for name, kinds in KINDS.items():
        values[f"{name}s"] = frozenset(draw(st.sampled_from([(), (), (), kinds[:1], kinds])))
    kind = draw(st.sampled_from([
        "hours", "wide", "days", "cap", "calendar", "channels", "talk", "consent", "notice", "wait", "due"
    ]))  # fmt: skip
    if kind == "hours":
        values["hours"] = draw(hours())
    elif kind == "wide":
        values["hours"] = "Mon-Sun 08:00-21:00"
    elif kind == "days":
        values["hours"] = draw(st.sampled_from([
            "Mon-Fri 00:00-24:00", "Sun-Thu 08:00-24:00; holidays off", "Mon-Sat 00:00-24:00; national holidays off",
            "Mon-Fri 07:00-19:00; Sat 08:00-15:00; holidays off", "Mon-Fri 08:00-20:00; Sat,Sun,holidays 08:00-18:00",
        ]))  # fmt: skip
    elif kind in ("cap", "calendar"):
        values |= {
            "max_contacts": draw(st.integers(1, 4)),
            "per_days": draw(st.integers(1, 8)) if kind == "cap" else None,
            "per_calendar": draw(st.sampled_from(list(Calendar))).value if kind == "calendar" else "",
            "unless_consented": draw(st.booleans()),
        }
    elif kind == "channels":
        values |= {"max_channels": draw(st.integers(1, 2)), "per_days": draw(st.integers(1, 8))}
    elif kind == "talk":
        values["cooling_off_days"] = draw(st.integers(1, 8))
    elif kind == "consent":
        values |= {"consent_needed": True, "consent_days": draw(st.sampled_from([None, 60]))}
    elif kind == "notice":
        values |= {"validation_notice": True, "notice_days": draw(st.sampled_from([None, 5]))}
    else:
        values |= {"wait_days": draw(st.integers(1, 9)), "wait_from": "notice" if kind == "wait" else "due"}
    return Policy(jurisdiction, kind, "a section", **values)


@st.composite
def cases(draw):
    at = draw(moments)
    ago = st.integers(-3600, 3600 * 24 * 12).map(lambda s: at - timedelta(seconds=s))
    contacts = st.builds(
        Contact, at=ago, channel=st.sampled_from(CHANNELS), debt_id=st.sampled_from([*DEBTS, None]),
        address=st.sampled_from(ADDRESSES), attempted=st.booleans(), connected=st.booleans(), conversation=st.booleans(),
        creditor_id=st.sampled_from(CREDITORS), asked_for_call=st.booleans(), written_by_debtor=st.booleans(),
    )  # fmt: skip
    near = st.integers(-3, 3).map(lambda d: at.date() + timedelta(days=d))
    stops = st.builds(
        ContactBlock, reason=st.sampled_from(["moratorium", "cease", "deceased", "minor"]),
        scope=st.sampled_from([Scope.DEBT, Scope.PERSON]),
        starts_on=near, ends_on=st.one_of(st.none(), near),
    )  # fmt: skip
    rarely = st.sampled_from([False] * 6 + [True])
    facts = Facts(
        channel=draw(st.sampled_from(CHANNELS)),
        address=draw(st.sampled_from([*ADDRESSES * 3, ""])),
        zones=draw(st.frozensets(st.sampled_from(ZONES), min_size=draw(st.sampled_from([0, 1, 1, 1, 1])), max_size=3)),
        locations=draw(st.frozensets(st.sampled_from(LOCATIONS), min_size=1, max_size=2)),
        purpose=draw(st.sampled_from([Purpose.COLLECTION] * 6 + list(Purpose))),
        subject=Subject(**{name: draw(st.sampled_from(["", *kinds])) for name, kinds in KINDS.items()}),
        creditor_id=draw(st.sampled_from(CREDITORS)),
        due_on=draw(st.one_of(st.none(), near)),
        is_minor=draw(rarely),
        time_barred_by=draw(st.sampled_from([""] * 6 + ["a section"])),
        notice_sent_at=draw(st.one_of(st.none(), ago)),
        first_contacted_at=draw(st.one_of(st.none(), ago)),
        expires_at=draw(st.one_of(st.none(), st.integers(-1, 48 * 60).map(lambda m: at + timedelta(minutes=m)))),
        suppressed=draw(rarely),
        shared=draw(rarely),
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
    return Policy("THE DEBTOR", "wish", "", hours=draw(hours(holidays=False)))


class Oracle:
    """The law, asked of one moment."""

    def __init__(self, facts, policies):
        self.facts = facts
        where = [p for p in policies if p.jurisdiction == "AGENCY"]
        for place in facts.locations:
            own = [p for p in policies if place.country in p.countries]
            where += own or [p for p in policies if p.jurisdiction == "DEFAULT"]
        self.policies = [p for p in where if self.is_about(p)] + list(facts.preferences)

    def is_about(self, policy):
        if policy.channels and self.facts.channel not in policy.channels:
            return False
        for name in KINDS:
            mine, wanted = getattr(self.facts.subject, name), getattr(policy, f"{name}s")
            if mine and wanted and mine not in wanted:
                return False
        return True

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
                if policy.hours and (why := self.closed(policy, local)):
                    found.add(why)
        return found

    def closed(self, policy, local):
        """Read the hours part by part: a named day goes before a holiday, a holiday before a weekday."""
        parts = [part.rsplit(" ", 1) for part in policy.hours.split("; ")]
        said = {day: span for days, span in parts for day in days.split(",")}
        day = local.date()
        easter = {2026: date(2026, 4, 5), 2027: date(2027, 3, 28)}[day.year]
        for name, its in (("24 Mar", date(day.year, 3, 24)), ("Easter+1", easter + timedelta(days=1))):
            if name in said and day == its:
                return self.outside(said[name], local, ReasonCode.PUBLIC_HOLIDAY)
        # In the order of the text.
        for name in [n for n in said if n.endswith("holidays")]:
            if self.is_holiday(policy, day, national=name.startswith("national")):
                return self.outside(said[name], local, ReasonCode.PUBLIC_HOLIDAY)
        mine = NAMES[local.weekday()]
        for days, span in said.items():
            first, _, last = days.partition("-")
            if first in NAMES and self.between(first, last or first, mine):
                return self.outside(span, local, ReasonCode.WEEKDAY)
        return ReasonCode.WEEKDAY

    @staticmethod
    def between(first, last, mine):
        week = NAMES + NAMES
        start = week.index(first)
        return mine in week[start : week.index(last, start) + 1]

    @staticmethod
    def outside(span, local, closed):
        if span == "off":
            return closed
        opens, closes = span.split("-")
        return None if opens <= f"{local:%H:%M}" < closes else ReasonCode.OUTSIDE_WINDOW

    def is_holiday(self, policy, day, *, national):
        import holidays

        countries = {p.country for p in self.facts.locations if not policy.countries or p.country in policy.countries}
        if not national:
            return any(day in self.calendar(country, day.year, holidays) for country in countries)
        return any(
            name.removesuffix(" (observed)") in self.national_names(country, day.year, holidays)
            for country in countries
            for region in {p.region.upper() for p in self.facts.locations if p.country == country}
            for name in holidays.country_holidays(country, subdiv=region or None, years=day.year).get_list(day)
        )

    def national_names(self, country, year, holidays, cache={}):  # noqa: B006
        if (country, year) not in cache:
            calendar = holidays.country_holidays(country, years=year)
            cache[country, year] = {name for day in calendar for name in calendar.get_list(day)}
        return cache[country, year]

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
            creditors = {contact.creditor_id, self.facts.creditor_id}
            if policy.scope == "creditor" and None not in creditors and len(creditors) > 1:
                continue
            counts = {
                "attempts": contact.attempted and not self.asked_for(policy, contact.at),
                "contacts": contact.attempted and contact.connected,
                "conversations": contact.conversation,
                "exchanges": contact.conversation or contact.written_by_debtor,
            }
            if counts[what]:
                yield contact

    def asked_for(self, policy, at):
        """Whether the debtor asked for a call at this moment, a few days ago, and no call came since."""
        if not policy.call_back_days:
            return False
        plain = replace(policy, channels=frozenset(), call_back_days=None)
        before = [c for c in self.facts.history if c.at < at and self.is_counted_for(plain, c)]
        wishes = sorted(c.at for c in before if c.asked_for_call)
        if not wishes:
            return False
        since = [c for c in before if c.at > wishes[-1] and c.channel in ("voice", "call_script")]
        if any(c.attempted or c.conversation for c in since):
            return False
        clocks = [ZoneInfo(zone) for zone in self.facts.zones]
        last = timedelta(days=policy.call_back_days - 1)
        return all(at.astimezone(c).date() <= wishes[-1].astimezone(c).date() + last for c in clocks)

    def is_counted_for(self, policy, contact):
        same = {"person": True, "address": contact.address == self.facts.address}
        same["debt"] = contact.debt_id in (None, self.facts.debt_id) or self.facts.debt_id is None
        same["creditor"] = contact.creditor_id in (None, self.facts.creditor_id) or self.facts.creditor_id is None
        return same[policy.scope]

    def limits(self, at):
        found = set()
        if self.facts.purpose != "collection":
            return found
        for policy in self.policies:
            for zone in self.facts.zones:
                today = at.astimezone(ZoneInfo(zone))
                if not self.in_force(policy, today):
                    continue
                if policy.wait_days:
                    self.wait(policy, zone, today, found)
                consented = self.facts.consented_at and self.facts.consented_at <= at
                if policy.max_channels:
                    self.channels(policy, zone, today, at, found)
                if (
                    policy.max_contacts
                    and not (policy.unless_consented and consented)
                    and not self.asked_for(policy, at)
                ):
                    days = [c.at.astimezone(ZoneInfo(zone)).date() for c in self.counted(policy, policy.counted, at)]
                    if policy.per_days:
                        back = [today.date() - timedelta(days=n) for n in range(policy.per_days)]
                        n = sum(day in back for day in days)
                    else:
                        form = {"week": "%G %V", "month": "%Y %m", "year": "%Y"}[policy.per_calendar]
                        n = sum(f"{day:{form}}" == f"{today:{form}}" for day in days)
                    if n >= policy.max_contacts:
                        found.add(ReasonCode.TOO_MANY)
                if policy.cooling_off_days and not self.asked_for(policy, at):
                    what = "exchanges" if policy.counted == "exchanges" else "conversations"
                    for contact in self.counted(policy, what, at):
                        spoke = contact.at.astimezone(ZoneInfo(zone)).date()
                        if today.date() in [spoke + timedelta(days=n) for n in range(policy.cooling_off_days)]:
                            found.add(ReasonCode.COOLING_OFF)
        return found

    def wait(self, policy, zone, today, found):
        facts, begins = self.facts, None
        if policy.wait_from == "notice" and facts.notice_sent_at and not facts.is_validation_notice:
            begins = facts.notice_sent_at.astimezone(ZoneInfo(zone)).date()
        if policy.wait_from == "due":
            begins = facts.due_on
        if begins and today.date() < begins + timedelta(days=policy.wait_days):
            found.add(ReasonCode.WAITING_PERIOD)

    def channels(self, policy, zone, today, at, found):
        groups = {"voice": "call", "call_script": "call"}
        mine, others = groups.get(self.facts.channel, self.facts.channel), set()
        back = [today.date() - timedelta(days=n) for n in range(-2, policy.per_days)]
        for contact in self.counted(policy, policy.counted, at):
            if contact.at.astimezone(ZoneInfo(zone)).date() in back:
                others.add(groups.get(contact.channel, contact.channel))
        if len(others - {mine}) >= policy.max_channels:
            found.add(ReasonCode.OTHER_CHANNEL)

    def forbidden(self, at):
        facts, found = self.facts, set()
        if facts.shared:
            found.add(ReasonCode.SHARED_ADDRESS)
        elif not facts.address:
            found.add(ReasonCode.NO_ADDRESS)
        if facts.suppressed:
            found.add(ReasonCode.SUPPRESSED)
        if facts.purpose in ("code", "confirmation"):
            return found
        collects = facts.purpose == "collection"
        if facts.is_minor:
            found.add(ReasonCode.MINOR)
        if facts.time_barred_by and collects:
            found.add(ReasonCode.TIME_BARRED)
        if facts.refusal:
            found.add(ReasonCode.REFUSED_CHANNEL)
        if facts.is_work_address:
            found.add(ReasonCode.WORK_ADDRESS)
        if facts.debt_is_closed and collects:
            found.add(ReasonCode.DEBT_CLOSED)
        if facts.debt_is_disputed and collects:
            found.add(ReasonCode.DEBT_DISPUTED)
        if not facts.zones:
            found.add(ReasonCode.LOCATION_UNKNOWN)
        locals_ = self.clocks(at) or [at]
        for stop in facts.blocks:
            if any(stop.starts_on <= l.date() and not (stop.ends_on and l.date() >= stop.ends_on) for l in locals_):  # noqa: E741
                codes = {"deceased": ReasonCode.DECEASED, "minor": ReasonCode.MINOR}
                if collects or stop.reason in ("cease", "deceased", "minor"):
                    found.add(codes.get(stop.reason, ReasonCode.DEBT_HELD))
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
            if not collects:
                continue
            unsent = facts.debt_id and facts.notice_sent_at is None and not facts.is_validation_notice
            if policy.wait_from == "notice" and unsent:
                found.add(ReasonCode.VALIDATION_NOTICE_FIRST)
            if policy.validation_notice and facts.validation_notice_missing and not facts.is_validation_notice:
                first, late = facts.first_contacted_at, policy.notice_days is None
                if first and not late:
                    clocks = [ZoneInfo(z) for z in facts.zones]
                    gone = [at.astimezone(c).date() - first.astimezone(c).date() for c in clocks]
                    late = any(since > timedelta(days=policy.notice_days) for since in gone)
                if late:
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
        at_once = self.facts.purpose in ("code", "confirmation")
        if expires_at and at >= expires_at and not at_once:
            return {ReasonCode.STALE}, set()
        timed = set() if at_once else self.shut(at) | self.limits(at)
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
        as_known = Oracle(known_at(facts, at), rules)
        for moment in walk:
            # A wish or a consent that comes after the decision may end a limit early, which nobody can know at the decision.
            limited = oracle.limits(moment) or as_known.limits(moment)
            assert moment < at or oracle.shut(moment) or limited, moment


def known_at(facts, at):
    """Leave out what happens after the decision."""
    consented_at = facts.consented_at if facts.consented_at and facts.consented_at <= at else None
    history = tuple(contact for contact in facts.history if contact.at <= at)
    return replace(facts, consented_at=consented_at, history=history)


#: A voice call that one attempt a day forbids until midnight in New York, on the day on which the clocks go forward.
HALF_PAST = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
CALLED = Contact(HALF_PAST - timedelta(hours=1), "voice")


def limited_until_midnight(*history, consented_at=None, **fields):
    facts = Facts(
        "voice", ADDRESSES[0], zones=frozenset({"America/New_York"}), locations=frozenset({LOCATIONS[0]}),
        history=(CALLED, *history), consented_at=consented_at,
    )  # fmt: skip
    policy = Policy("US", "cap", "a section", countries=frozenset({"US"}), max_contacts=1, per_days=1, **fields)
    return facts, [policy], HALF_PAST


WISHED_LATER = Contact(HALF_PAST + timedelta(minutes=28), "email", attempted=False, asked_for_call=True)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@example(limited_until_midnight(WISHED_LATER, call_back_days=3))
@example(limited_until_midnight(consented_at=HALF_PAST + timedelta(minutes=20), unless_consented=True))
@given(cases())
def test_no_forbidden_contact_is_allowed_and_each_reason_is_true(case):
    check(case, most=150)


@pytest.mark.deep
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_ten_thousand_cases_find_no_contact_that_the_law_forbids(case):
    check(case, most=500)
