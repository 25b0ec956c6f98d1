"""The gate under the policies of the shipped packs: named cases of contact law."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contact import policies, policy_packs
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact, ContactBlock, Facts, Purpose, ReasonCode, Verdict
from contact.engine.policies import Policy, Scope, Subject, location
from contact.models import ContactPolicy

DAY = (time(8), time(21))
DEBT = uuid.UUID(int=7)
FREE = Facts(
    channel="email",
    address="a@example.com",
    zones=frozenset({"Europe/London"}),
    locations=frozenset({location("GB")}),
    debt_id=DEBT,
)
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
NIGHT = datetime(2026, 1, 14, 3, tzinfo=UTC)


def shipped(window=DAY) -> PolicySet:
    """The packs, read from their files."""
    rows = [ContactPolicy(jurisdiction=j, code=code, **fields) for j, code, fields in policy_packs.read()]
    return PolicySet([policies.agency_window(window), *(row.value for row in rows)])


SHIPPED = shipped()


def decide(at=NOON, policies=SHIPPED, **facts):
    return gate.decide(replace(FREE, **facts), policies, at)


def codes(decision):
    return {reason.code for reason in decision.reasons}


def local(zone, *when):
    return datetime(*when, tzinfo=ZoneInfo(zone))


NEW_YORK = {"zones": frozenset({"America/New_York"}), "locations": frozenset({location("US", "NJ")})}
SYDNEY = {"zones": frozenset({"Australia/Sydney"}), "locations": frozenset({location("AU", "NSW")})}
KATHMANDU = {"zones": frozenset({"Asia/Kathmandu"}), "locations": frozenset({location("NP")})}


def calls(*moments, **values):
    return tuple(Contact(at=at, channel="call_script", debt_id=DEBT, **values) for at in moments)


def test_a_contact_that_nothing_forbids_is_allowed():
    assert decide().verdict == Verdict.ALLOW
    assert decide().reason is None


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"address": ""}, ReasonCode.NO_ADDRESS),
        ({"shared": True}, ReasonCode.SHARED_ADDRESS),
        ({"shared": True, "address": ""}, ReasonCode.SHARED_ADDRESS),
        ({"suppressed": True}, ReasonCode.SUPPRESSED),
        ({"debt_is_closed": True}, ReasonCode.DEBT_CLOSED),
        ({"debt_is_disputed": True}, ReasonCode.DEBT_DISPUTED),
        ({"blocks": (ContactBlock("deferral", Scope.DEBT, date(2026, 1, 1)),)}, ReasonCode.DEBT_HELD),
        ({"blocks": (ContactBlock("cease", Scope.PERSON, date(2026, 1, 1)),)}, ReasonCode.DEBT_HELD),
        ({"zones": frozenset()}, ReasonCode.LOCATION_UNKNOWN),
        ({"refusal": "No mail, please."}, ReasonCode.REFUSED_CHANNEL),
        ({"is_work_address": True}, ReasonCode.WORK_ADDRESS),
    ],
)
def test_a_denial_has_its_reason_code(facts, code):
    decision = decide(**facts)

    assert (decision.verdict, codes(decision)) == (Verdict.DENY, {code})


def test_every_rule_that_fails_is_listed_with_its_section_and_version():
    decision = decide(
        local("America/New_York", 2026, 1, 14, 3), **NEW_YORK, channel="sms", suppressed=True, debt_is_disputed=True
    )

    assert codes(decision) == {
        ReasonCode.SUPPRESSED,
        ReasonCode.DEBT_DISPUTED,
        ReasonCode.CONSENT_MISSING,
        ReasonCode.OUTSIDE_WINDOW,
    }
    assert decision.verdict == Verdict.DENY
    by_law = [r for r in decision.reasons if r.policy == "US-REGF/hours"]
    assert [(r.section, r.version) for r in by_law] == [("12 CFR 1006.6(b)(1)(i)", 1)]


@pytest.mark.parametrize("facts", [{"debt_is_closed": True}, {"debt_is_disputed": True}, {"zones": frozenset()}])
@pytest.mark.parametrize("purpose", [Purpose.CODE, Purpose.CONFIRMATION])
def test_a_code_and_a_confirmation_are_allowed_at_any_hour_and_for_any_debt(purpose, facts):
    assert decide(NIGHT, purpose=purpose, **facts).verdict == Verdict.ALLOW


@pytest.mark.parametrize("facts", [{"address": ""}, {"suppressed": True}])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_contact_needs_an_address_that_has_not_opted_out(purpose, facts):
    assert decide(purpose=purpose, **facts).verdict == Verdict.DENY


@pytest.mark.parametrize(
    "facts", [{"debt_is_closed": True}, {"debt_is_disputed": True}, {"validation_notice_missing": True}]
)
def test_an_answer_is_allowed_about_any_debt(facts):
    assert decide(purpose=Purpose.ANSWER, **facts).verdict == Verdict.ALLOW


def test_an_answer_waits_for_the_hours_but_not_for_caps():
    assert codes(decide(NIGHT, purpose=Purpose.ANSWER)) == {ReasonCode.OUTSIDE_WINDOW}
    many = tuple(Contact(at=NOON - timedelta(hours=n), channel="email") for n in range(1, 9))
    kathmandu = {**KATHMANDU, "history": many}
    noon = local("Asia/Kathmandu", 2026, 1, 14, 12)
    assert codes(decide(noon, **kathmandu)) == {ReasonCode.TOO_MANY}
    assert decide(noon, purpose=Purpose.ANSWER, **kathmandu).verdict == Verdict.ALLOW


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("attorney", ReasonCode.DEBT_HELD), ("cease", ReasonCode.DEBT_HELD), ("deceased", ReasonCode.DECEASED),
        ("minor", ReasonCode.MINOR), ("dispute", None), ("deferral", None), ("moratorium", None),
    ],
)  # fmt: skip
def test_an_attorney_a_cease_request_and_a_death_stop_answers_and_a_dispute_does_not(reason, code):
    held = decide(purpose=Purpose.ANSWER, blocks=(ContactBlock(reason, Scope.PERSON, date(2026, 1, 1)),))
    assert codes(held) == ({code} if code else set())


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        ((7, 59, 59), Verdict.POSTPONE),
        ((8, 0, 0), Verdict.ALLOW),
        ((20, 59, 59), Verdict.ALLOW),
        ((21, 0, 0), Verdict.POSTPONE),
    ],
)
@pytest.mark.parametrize("where", [NEW_YORK, SYDNEY])
def test_20_59_59_is_allowed_and_21_00_00_is_not(where, clock, verdict):
    (zone,) = where["zones"]
    if where is SYDNEY:
        clock = (7, 29, 59) if clock == (7, 59, 59) else clock

    assert decide(local(zone, 2026, 1, 14, *clock), **where).verdict == verdict


@pytest.mark.parametrize(
    ("where", "day", "opens_at"),
    [
        (NEW_YORK, date(2026, 3, 7), 13), (NEW_YORK, date(2026, 3, 8), 12),
        (NEW_YORK, date(2026, 10, 31), 12), (NEW_YORK, date(2026, 11, 1), 13),
        ({}, date(2026, 3, 28), 8), ({}, date(2026, 3, 29), 7), ({}, date(2026, 10, 24), 7), ({}, date(2026, 10, 25), 8),
        (KATHMANDU, date(2026, 3, 9), 3.25),
    ],
)  # fmt: skip
def test_the_window_follows_the_clock_on_the_wall_on_both_days(where, day, opens_at):
    (zone,) = where.get("zones", FREE.zones)
    night = local(zone, day.year, day.month, day.day, 0, 30)

    assert decide(night, **where).until == datetime.combine(day, time(), UTC) + timedelta(hours=opens_at)


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2026, 10, 3), "2026-10-02T23:00:00+00:00"),  # Saturday, 9:00 at +10
        (date(2026, 10, 4), "2026-10-03T22:00:00+00:00"),  # Sunday, 9:00 at +11: clocks went on
        (date(2026, 4, 12), "2026-04-11T23:00:00+00:00"),  # Sunday, 9:00 at +10: a week after they went back
        (date(2026, 4, 8), "2026-04-07T21:30:00+00:00"),  # Wednesday, 7:30 at +10
    ],
)
def test_sydney_opens_later_on_weekends_by_its_own_clock(day, opens):
    night = local("Australia/Sydney", day.year, day.month, day.day, 0, 30)

    assert decide(night, **SYDNEY, policies=shipped((time(0), time(23, 59)))).until == datetime.fromisoformat(opens)


def test_no_contact_in_australia_on_a_national_holiday():
    australia_day = local("Australia/Sydney", 2026, 1, 26, 12)
    decision = decide(australia_day, **SYDNEY)

    assert codes(decision) == {ReasonCode.PUBLIC_HOLIDAY}
    assert decision.until == local("Australia/Sydney", 2026, 1, 27, 8)


def test_arizona_does_not_change_its_clocks():
    phoenix = {"zones": frozenset({"America/Phoenix"}), "locations": frozenset({location("US", "AZ")})}

    for day in (7, 9):
        assert decide(datetime(2026, 3, day, 14, 59, 59, tzinfo=UTC), **phoenix).verdict == Verdict.POSTPONE
        assert decide(datetime(2026, 3, day, 15, tzinfo=UTC), **phoenix).verdict == Verdict.ALLOW


def test_an_eastern_phone_with_a_pacific_address_is_open_from_11_to_21_eastern():
    coasts = {
        "zones": frozenset({"America/New_York", "America/Los_Angeles"}), "locations": frozenset({location("US", "CA")})
    }  # fmt: skip
    verdicts = {
        clock: decide(local("America/New_York", 2026, 1, 14, *clock), **coasts).verdict
        for clock in [(10, 59, 59), (11, 0, 0), (20, 59, 59), (21, 0, 0)]
    }

    assert list(verdicts.values()) == [Verdict.POSTPONE, Verdict.ALLOW, Verdict.ALLOW, Verdict.POSTPONE]


def test_zones_without_a_common_hour_deny():
    poles = frozenset({"Europe/London", "Pacific/Auckland"})
    decision = decide(zones=poles, policies=shipped((time(9), time(17))))

    assert decision.verdict == Verdict.DENY
    assert ReasonCode.NO_COMMON_WINDOW in codes(decision)


WEDNESDAY = date(2026, 1, 7)


def noons(days):
    return [local("America/New_York", 2026, 1, day, 12) for day in days]


def call(at, **facts):
    return decide(at, **NEW_YORK, channel="call_script", address="+12015550123", **facts)


def test_seven_calls_from_wednesday_to_tuesday_leave_wednesday_free():
    week = calls(*noons(range(7, 14)))

    again = call(noons([13])[0] + timedelta(hours=1), history=week)
    assert (again.verdict, codes(again)) == (Verdict.POSTPONE, {ReasonCode.TOO_MANY})
    assert again.until == local("America/New_York", 2026, 1, 14, 8)
    assert call(noons([14])[0], history=week).verdict == Verdict.ALLOW


def test_seven_calls_on_one_day_close_the_whole_week():
    burst = calls(*(noons([7])[0] + timedelta(minutes=n) for n in range(7)))

    assert call(noons([13])[0], history=burst).until == local("America/New_York", 2026, 1, 14, 8)


def test_a_conversation_on_the_14th_blocks_to_the_20th_and_frees_the_21st():
    talk = calls(*noons([14]), conversation=True)

    assert codes(call(noons([20])[0], history=talk)) == {ReasonCode.COOLING_OFF}
    assert call(noons([20])[0], history=talk).until == local("America/New_York", 2026, 1, 21, 8)
    assert call(noons([21])[0], history=talk).verdict == Verdict.ALLOW


@pytest.mark.parametrize(
    "limit", [{"max_contacts": 1, "per_days": 7}, {"max_contacts": 1, "per_calendar": "month"}, {"cooling_off_days": 7}]
)
def test_a_limit_ends_with_its_version(limit):
    ends = Policy("GB", "limit", "s", countries=frozenset({"GB"}), valid_to=date(2026, 1, 16), **limit)

    decision = decide(policies=PolicySet([ends]), history=calls(NOON - timedelta(days=1), conversation=True))

    assert [reason.until for reason in decision.reasons] == [local("Europe/London", 2026, 1, 16)]
    assert (decision.verdict, decision.until) == (Verdict.POSTPONE, local("Europe/London", 2026, 1, 16))


def test_an_inbound_conversation_starts_the_cooling_off_and_is_not_an_attempt():
    talk = calls(*noons([14]), attempted=False, conversation=True)

    assert codes(call(noons([15])[0], history=talk)) == {ReasonCode.COOLING_OFF}


def test_busy_does_not_count_and_voicemail_does():
    six = calls(*noons(range(8, 14)))
    now = noons([14])[0]

    busy = calls(now - timedelta(hours=2), attempted=False, connected=False)
    voicemail = calls(now - timedelta(hours=2), attempted=True, connected=True)
    assert call(now, history=six + busy).verdict == Verdict.ALLOW
    assert codes(call(now, history=six + voicemail)) == {ReasonCode.TOO_MANY}


def test_calls_about_another_debt_do_not_count():
    other = tuple(replace(one, debt_id=uuid.UUID(int=8)) for one in calls(*noons(range(7, 14))))

    assert call(noons([13])[0], history=other).verdict == Verdict.ALLOW


def test_massachusetts_is_stricter_than_regulation_f():
    two = calls(*noons([12, 13]))
    boston = {**NEW_YORK, "locations": frozenset({location("US", "Massachusetts")})}
    decision = decide(noons([14])[0], **boston, channel="call_script", history=two, subject=Subject("mobile"))

    assert [(r.code, r.policy) for r in decision.reasons] == [(ReasonCode.TOO_MANY, "US-MA/calls")]


@pytest.mark.parametrize(("day", "verdict"), [(date(2026, 8, 31), Verdict.ALLOW), (date(2026, 9, 1), Verdict.DENY)])
@pytest.mark.parametrize("where", [location("US", "NY", "Brooklyn"), location("US", "New York", "", "10001")])
def test_new_york_city_asks_for_consent_to_mail_about_any_consumer_debt_from_september_on(where, day, verdict):
    at = datetime.combine(day, time(12), ZoneInfo("America/New_York"))
    city = {"zones": frozenset({"America/New_York"}), "locations": frozenset({where})}

    assert decide(at, **city, subject=Subject(debt_kind="consumer")).verdict == verdict


@pytest.mark.parametrize(
    ("kind", "verdict"), [("credit", "deny"), ("", "deny"), ("consumer", "allow"), ("business", "allow")]
)
def test_new_york_state_asks_for_consent_to_mail_about_credit_and_an_unknown_kind_counts_as_credit(kind, verdict):
    buffalo = {"zones": frozenset({"America/New_York"}), "locations": frozenset({location("US", "NY", "Buffalo")})}

    assert decide(noons([14])[0], **buffalo, subject=Subject(debt_kind=kind)).verdict == verdict


def test_new_york_city_counts_all_channels_together():
    city = {"zones": frozenset({"America/New_York"}), "locations": frozenset({location("US", "NY", "NYC")})}
    noon = local("America/New_York", 2026, 9, 10, 12)
    three = tuple(
        Contact(at=noon - timedelta(days=n), channel=channel, debt_id=DEBT)
        for n, channel in enumerate(("email", "sms", "voice"), start=1)
    )
    decision = decide(noon, **city, consented_at=noon - timedelta(days=100), history=three)

    assert [(r.code, r.policy) for r in decision.reasons] == [(ReasonCode.TOO_MANY, "US-NYC/contacts")]


@pytest.mark.parametrize(
    ("age", "codes_"), [(60, set()), (61, {ReasonCode.CONSENT_TOO_OLD}), (None, {ReasonCode.CONSENT_MISSING})]
)
def test_consent_to_a_text_is_good_for_60_days(age, codes_):
    noon = noons([14])[0]
    consented_at = noon - timedelta(days=age) if age else None

    assert codes(decide(noon, **NEW_YORK, channel="sms", consented_at=consented_at)) == codes_


def test_australia_allows_ten_contacts_a_calendar_month():
    noon = local("Australia/Sydney", 2026, 2, 27, 12)
    ten = tuple(Contact(at=noon - timedelta(days=2 * n + 8), channel="email") for n in range(9))
    ten += (Contact(at=local("Australia/Sydney", 2026, 1, 31, 12), channel="email"),)
    this_month = [one for one in ten if one.at.astimezone(ZoneInfo("Australia/Sydney")).month == 2]
    filled = (*ten, *(Contact(at=this_month[0].at, channel="sms") for _ in range(10 - len(this_month))))

    assert decide(noon, **SYDNEY, history=ten).verdict == Verdict.ALLOW
    decision = decide(noon, **SYDNEY, history=filled)
    assert [r.policy for r in decision.reasons] == ["AU-RG96/month"]
    assert decision.until == local("Australia/Sydney", 2026, 3, 1, 9)


@pytest.mark.parametrize("day", [17, 18])
def test_without_a_pack_weekends_are_free(day):
    assert codes(decide(local("Asia/Kathmandu", 2026, 1, day, 12), **KATHMANDU)) >= {ReasonCode.WEEKDAY}


@pytest.mark.parametrize(("clock", "verdict"), [
    ((8, 59, 59), "postpone"), ((9, 0, 0), "allow"), ((17, 59, 59), "allow"), ((18, 0, 0), "postpone")
])  # fmt: skip
def test_without_a_pack_the_day_is_from_9_to_18(clock, verdict):
    assert decide(local("Asia/Kathmandu", 2026, 1, 14, *clock), **KATHMANDU).verdict == verdict


def test_without_a_pack_one_a_day_and_three_a_week_are_the_limit():
    wednesday = local("Asia/Kathmandu", 2026, 1, 21, 12)
    today = (Contact(at=wednesday - timedelta(hours=1), channel="email"),)
    (reason,) = decide(wednesday, **KATHMANDU, history=today).reasons
    assert (reason.code, reason.policy) == (ReasonCode.TOO_MANY, "DEFAULT/day")
    three = tuple(Contact(at=wednesday - timedelta(days=n), channel="email") for n in (1, 2, 5))
    assert {(r.code, r.policy) for r in decide(wednesday, **KATHMANDU, history=three).reasons} == {
        (ReasonCode.TOO_MANY, "DEFAULT/week")
    }


def test_the_strictest_policy_of_all_locations_applies():
    both = {"zones": frozenset({"Europe/London"}), "locations": frozenset({location("GB"), location("NP")})}
    sunday = datetime(2026, 1, 18, 12, tzinfo=UTC)

    assert decide(sunday).verdict == Verdict.ALLOW
    assert codes(decide(sunday, **both)) == {ReasonCode.WEEKDAY}


def test_a_hold_ends_at_midnight_by_the_debtors_clock():
    hold = (ContactBlock("moratorium", Scope.PERSON, date(2026, 1, 1), date(2026, 1, 14)),)
    tokyo = {"zones": frozenset({"Asia/Tokyo"}), "locations": frozenset({location("JP")}), "blocks": hold}
    always = PolicySet([])

    assert decide(local("Asia/Tokyo", 2026, 1, 13, 23, 59, 59), policies=always, **tokyo).verdict == Verdict.DENY
    assert decide(local("Asia/Tokyo", 2026, 1, 14, 0, 0, 0), policies=always, **tokyo).verdict == Verdict.ALLOW


def test_the_agencys_day_counts_where_no_zone_is_known():
    hold = ContactBlock("moratorium", Scope.PERSON, date(2026, 1, 1), date(2026, 1, 14))
    unknown = {"blocks": (hold,), "zones": frozenset(), "agency_zone": "Asia/Tokyo"}

    def is_held(now: datetime) -> bool:
        return "hold/moratorium" in [reason.policy for reason in decide(now, **unknown).reasons]

    assert is_held(local("Asia/Tokyo", 2026, 1, 13, 23, 59, 59))
    assert not is_held(local("Asia/Tokyo", 2026, 1, 14, 0, 0, 0))


def test_overlapping_holds_are_all_named():
    holds = (
        ContactBlock("moratorium", Scope.PERSON, date(2026, 1, 1), date(2026, 3, 2)),
        ContactBlock("complaint", Scope.DEBT, date(2026, 1, 9)),
    )
    decision = decide(blocks=holds)

    assert [reason.policy for reason in decision.reasons] == ["hold/moratorium", "hold/complaint"]
    assert decision.reasons[0].until == datetime(2026, 3, 2, tzinfo=UTC)
    assert decision.reasons[1].until is None


def test_a_preference_is_one_more_policy():
    wish = Policy("THE DEBTOR", "wish", "12 CFR 1006.6(b)(1)", hours="Mon-Sun 17:00-20:00")
    decision = decide(preferences=(wish,))

    assert decision.until == datetime(2026, 1, 14, 17, tzinfo=UTC)
    assert [reason.policy for reason in decision.reasons] == ["THE DEBTOR/wish"]


def test_a_window_that_opens_in_the_hour_that_comes_twice_opens_twice():
    window = shipped((time(1, 30), time(2)))
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 01:10 in London for the second time

    assert decide(between, window).until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_window_that_opens_in_the_hour_that_is_left_out_is_open_once_the_clock_is_past_it():
    window = shipped((time(1, 30), time(4)))
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert decide(before, window).until == datetime(2026, 3, 29, 1, tzinfo=UTC)  # From 01:00 on it is 02:00 in London.


@pytest.mark.parametrize(("days", "verdict"), [(None, "allow"), (0, "allow"), (5, "allow"), (6, "deny"), (90, "deny")])
def test_the_validation_notice_is_due_five_days_after_the_first_contact(days, verdict):
    """12 CFR 1006.34(a)(1)(i)(B)."""
    noon = noons([14])[0]
    facts = {"validation_notice_missing": True}
    if days is not None:
        facts["first_contacted_at"] = noon - timedelta(days=days)

    decision = decide(noon, **NEW_YORK, **facts)
    assert decision.verdict == verdict
    assert codes(decision) == ({ReasonCode.VALIDATION_NOTICE_FIRST} if verdict == "deny" else set())
    assert decide(noon, **NEW_YORK, **facts, is_validation_notice=True).verdict == Verdict.ALLOW
    assert decide(**facts).verdict == Verdict.ALLOW


def test_a_policy_without_days_wants_the_notice_first():
    first = Policy("GB", "notice", "s", countries=frozenset({"GB"}), validation_notice=True)
    decision = decide(policies=PolicySet([first]), validation_notice_missing=True)
    assert codes(decision) == {ReasonCode.VALIDATION_NOTICE_FIRST}


def test_a_template_that_overshadows_the_notice_waits_until_the_time_to_dispute_ends():
    noon = noons([14])[0]
    inside, over = date(2026, 1, 15), date(2026, 1, 14)

    assert codes(decide(noon, **NEW_YORK, overshadows=True, validation_period_ends=inside)) == {ReasonCode.OVERSHADOWS}
    assert decide(noon, **NEW_YORK, overshadows=True, validation_period_ends=over).verdict == Verdict.ALLOW
    assert decide(noon, **NEW_YORK, validation_period_ends=inside).verdict == Verdict.ALLOW


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        (
            ReasonCode.VALIDATION_NOTICE_FIRST,
            {"validation_notice_missing": True, "first_contacted_at": NOON - timedelta(days=9)},
        ),
        (ReasonCode.OVERSHADOWS, {"overshadows": True, "validation_period_ends": date(2026, 3, 1)}),
        (ReasonCode.CONSENT_MISSING, {"channel": "sms"}),
        (ReasonCode.CONSENT_TOO_OLD, {"channel": "sms", "consented_at": NOON - timedelta(days=90)}),
    ],
)
def test_a_demand_ends_with_its_version(code, facts):
    noon, last = noons([14])[0], date(2026, 1, 20)
    until = PolicySet(replace(policy, valid_to=last) for policy in SHIPPED.all)
    midnight = local("America/New_York", 2026, 1, 20)

    (reason,) = decide(noon, until, **NEW_YORK, **facts).reasons
    assert (reason.code, reason.until) == (code, midnight)
    assert gate.next_contact(replace(FREE, **NEW_YORK, **facts), until, noon) == midnight
    (reason,) = decide(noon, **NEW_YORK, **facts).reasons
    assert reason.until == (local("America/New_York", 2026, 3, 1) if code == ReasonCode.OVERSHADOWS else None)
