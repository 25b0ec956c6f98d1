"""May this message go now, and if not, why?"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.models import Hold
from communications import contact_gate, outbox
from communications.contact_gate import Facts, Verdict, Window
from communications.models import Purpose
from tests import factories
from tests.communications.conftest import NOON

DAY = Window(time(8), time(21))
FREE = Facts(
    solicited=False, address="a@example.com", suppressed=False, debt_is_closed=False, debt_is_disputed=False,
    debt_is_held=False, zones=frozenset({"Europe/London"}),
)  # fmt: skip
NIGHT = datetime(2026, 1, 14, 3, tzinfo=UTC)


def decide(at=NOON, window=DAY, **facts):
    return contact_gate.decide(replace(FREE, **facts), window=window, at=at)


def test_what_nothing_forbids_is_allowed():
    assert decide().verdict == Verdict.ALLOW
    assert decide().reason is None


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"address": ""}, "no_address"),
        ({"suppressed": True}, "suppressed"),
        ({"debt_is_closed": True}, "debt_closed"),
        ({"debt_is_disputed": True}, "debt_disputed"),
        ({"debt_is_held": True}, "debt_held"),
        ({"zones": frozenset()}, "location_unknown"),
    ],
)
def test_what_blocks_a_message_says_so(facts, code):
    decision = decide(**facts)

    assert (decision.verdict, decision.code) == (Verdict.BLOCK, code)


@pytest.mark.parametrize("facts", [{"debt_is_closed": True}, {"debt_is_held": True}, {"debt_is_disputed": True}])
def test_what_was_solicited_goes_at_any_hour_whatever_becomes_of_the_debt(facts):
    assert decide(NIGHT, solicited=True, zones=frozenset(), **facts).verdict == Verdict.ALLOW


@pytest.mark.parametrize("facts", [{"address": ""}, {"suppressed": True}])
def test_what_was_solicited_never_goes_to_nobody_or_to_who_opted_out(facts):
    assert decide(solicited=True, **facts).verdict == Verdict.BLOCK


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (datetime(2026, 1, 14, 7, 59, 59, 999999, tzinfo=UTC), datetime(2026, 1, 14, 8, tzinfo=UTC)),
        (datetime(2026, 1, 14, 8, tzinfo=UTC), None),
        (datetime(2026, 1, 14, 20, 59, 59, 999999, tzinfo=UTC), None),
        (datetime(2026, 1, 14, 21, tzinfo=UTC), datetime(2026, 1, 15, 8, tzinfo=UTC)),
    ],
)
def test_the_window_is_half_open(at, until):
    decision = decide(at)

    assert decision.until == until
    assert decision.verdict == (Verdict.POSTPONE if until else Verdict.ALLOW)


def test_it_must_be_a_fit_time_in_every_zone_where_the_debtor_may_be():
    coasts = frozenset({"America/New_York", "America/Los_Angeles"})

    assert decide(datetime(2026, 1, 14, 15, tzinfo=UTC), zones=coasts).until == datetime(2026, 1, 14, 16, tzinfo=UTC)
    assert decide(datetime(2026, 1, 15, 1, 59, tzinfo=UTC), zones=coasts).verdict == Verdict.ALLOW
    assert decide(datetime(2026, 1, 15, 2, tzinfo=UTC), zones=coasts).until == datetime(2026, 1, 15, 16, tzinfo=UTC)


def test_zones_without_a_common_hour_block():
    decision = decide(zones=frozenset({"Europe/London", "Pacific/Auckland"}), window=Window(time(9), time(17)))

    assert (decision.verdict, decision.code) == (Verdict.BLOCK, "no_common_window")


@pytest.mark.parametrize(
    ("day", "opens_at"),
    [(date(2026, 3, 28), 8), (date(2026, 3, 29), 7), (date(2026, 10, 24), 7), (date(2026, 10, 25), 8)],
)
def test_the_window_follows_the_clock_on_the_wall(day, opens_at):
    night = datetime.combine(day, time(1, 30), UTC)

    assert decide(night).until == datetime.combine(day, time(opens_at), UTC)


def test_a_window_that_opens_in_the_hour_that_comes_twice_opens_twice():
    window = Window(time(1, 30), time(2))
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 01:10 in London for the second time

    assert decide(between, window=window).until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_window_that_opens_in_the_hour_that_is_left_out_is_open_after_it():
    window = Window(time(1, 30), time(4))
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert decide(before, window=window).until == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 in London


ZONES = [
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
]


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    zones=st.frozensets(st.sampled_from(ZONES), min_size=1, max_size=3),
)
def test_a_postponed_message_goes_at_the_first_fit_moment(at, zones):
    until = contact_gate.opening(zones, window=DAY, at=at)

    def fit(moment):
        return all(DAY.is_open(moment, zone) for zone in zones)

    step, walk = timedelta(minutes=15), at
    while walk < at + timedelta(days=2) and not (until and walk >= until):
        assert not fit(walk)
        walk += step
    assert until is None or (until >= at and fit(until))


@pytest.mark.django_db
class TestFacts:
    def facts(self, debt, **values):
        values = {"channel": "email", "subject": "x", "body": "x", "now": NOON} | values
        log = outbox.queue(debtor=debt.debtor, debt=debt, **values)
        (found,) = contact_gate.facts_of([log], today=NOON.date())
        return found

    def test_an_ordinary_debt_is_free(self):
        found = self.facts(factories.debt())

        assert (found.suppressed, found.debt_is_closed, found.debt_is_held) == (False, False, False)
        assert found.zones == {"Europe/London"}

    def test_an_address_is_suppressed_whatever_its_case(self):
        factories.stop("john@example.com", medium="email", reason="opted_out")
        debtor = factories.debtor(email="John@Example.COM")

        assert self.facts(factories.debt(debtor=debtor)).suppressed

    def test_an_opt_out_counts_for_its_own_medium(self):
        debt = factories.debt()
        factories.stop(debt.debtor.mobile_phone, medium="sms", reason="opted_out")

        assert self.facts(debt, channel="sms").suppressed
        assert not self.facts(debt, channel="voice").suppressed
        assert not self.facts(debt).suppressed

    def test_a_hold_counts_from_its_first_day_to_the_one_before_its_last(self):
        today = NOON.date()
        past, present, future = factories.debt(), factories.debt(), factories.debt()
        Hold.objects.create(debt=past, reason="deferral", starts_on=today - timedelta(days=9), ends_on=today)
        Hold.objects.create(debt=present, reason="deferral", starts_on=today, ends_on=today + timedelta(days=1))
        Hold.objects.create(debt=future, reason="deferral", starts_on=today + timedelta(days=1))

        assert [self.facts(debt).debt_is_held for debt in (past, present, future)] == [False, True, False]

    def test_nothing_known_of_the_place_is_no_zone(self):
        debtor = factories.debtor(country_code=None, mobile_phone=None)

        found = self.facts(factories.debt(debtor=debtor), channel="sms", purpose=Purpose.COLLECTION)

        assert (found.zones, found.address) == (frozenset(), "")

    def test_many_messages_cost_no_more_queries_than_one(self, django_assert_num_queries):
        from communications.models import CommunicationLog

        for _ in range(5):
            self.facts(factories.debt())
        logs = list(CommunicationLog.objects.select_related("debtor", "debt"))

        with django_assert_num_queries(2):
            assert len(contact_gate.facts_of(logs, today=NOON.date())) == 5
