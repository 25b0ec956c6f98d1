"""Compare gate and strategy with a naive restatement of holds, clock by clock, for any sequence of changes.

The oracle keeps a list of its own, and asks each clock by itself; nothing of the rules is used in it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection.holds import amendments, expiry, holds
from collection.models import Hold
from contact import facts
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.facts import ContactRequest, TemplateFacts
from ddc.common.errors import DomainError
from debtors.channels import Channel
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 6, tzinfo=UTC)  # Clocks change in New York on the 8th.
PEOPLE = {
    ("Europe/London",): {"country_code": "GB"},
    ("America/New_York",): {"country_code": "US", "region_state": "NY", "mobile_phone": "+12125550123"},
    ("America/New_York", "America/Los_Angeles"): {
        "country_code": "US", "region_state": "CA", "mobile_phone": "+12125550124",
    },
    ("Australia/Sydney",): {"country_code": "AU", "postal_code": "2000", "mobile_phone": "+61255501234"},
}  # fmt: skip
REASONS = ["cease", "attorney", "complaint", "arrangement", "client_request", "vulnerable"]
BLOCKS = ["contact", "strategy", "payment_requests"]

whens = st.integers(0, 60)
days = st.one_of(st.none(), st.integers(-3, 5))
places = st.tuples(
    st.just("place"), whens, st.sampled_from(REASONS), st.sampled_from(["person", "first", "second"]), days, days,
    st.one_of(st.just(()), st.sets(st.sampled_from(BLOCKS), min_size=1)),
)  # fmt: skip
changes = st.one_of(
    st.tuples(st.just("end"), whens, st.integers(0, 5)),
    st.tuples(st.just("move"), whens, st.integers(0, 5), days),
    st.tuples(st.just("expire"), whens),
)
stories = st.tuples(
    st.sampled_from(sorted(PEOPLE)), st.lists(st.one_of(places, places, changes), min_size=1, max_size=6), whens
)


@dataclass
class ExpectedHold:
    """A hold as the oracle remembers it."""

    scope: str
    blocks: set[str]
    starts_on: date
    ends_on: date | None
    over: bool = False

    def concerns(self, scope: str, block: str) -> bool:
        return not self.over and self.scope in ("person", scope) and block in self.blocks

    def blocks_on(self, scope: str, block: str, local_days: list[date]) -> bool:
        return self.concerns(scope, block) and any(
            self.starts_on <= day and (self.ends_on is None or day < self.ends_on) for day in local_days
        )

    def is_left_out(self, scope: str, run_day: date, local_days: list[date]) -> bool:
        lasts = self.ends_on is None or any(day < self.ends_on for day in local_days)
        return self.concerns(scope, "strategy") and lasts and self.starts_on <= run_day


USUAL = {"arrangement": {"strategy", "payment_requests"}}
DEMANDED = {"cease": set(BLOCKS), "attorney": {"contact", "strategy"}}


class World:
    """All debtors, each with two debts, and an agent."""

    def __init__(self):
        self.boss = factories.agent()
        self.debts = {}
        for zones, where in PEOPLE.items():
            debtor = factories.debtor(**where)
            self.debts[zones] = {name: factories.debt(debtor=debtor) for name in ("first", "second")}


@pytest.fixture
def world(db):
    return World()


class Story:
    """One person with two debts, and the changes of their holds."""

    def __init__(self, world, zones):
        self.zones = [ZoneInfo(zone) for zone in zones]
        self.debts, self.boss = world.debts[zones], world.boss
        self.debtor = self.debts["first"].debtor
        self.at, self.expected, self.rows = START, [], []

    def local_days(self):
        return [self.at.astimezone(zone).date() for zone in self.zones]

    def step(self, name, hours, *rest):
        self.at += timedelta(hours=hours)
        try:
            with transaction.atomic():
                getattr(self, name)(*rest)
        except DomainError as refusal:
            self.refused = refusal

    def place(self, reason, scope, starts, length, blocks):
        today = self.at.date()
        on = {"debtor": self.debtor} if scope == "person" else {"debt": self.debts[scope]}
        starts_on = None if starts is None else today + timedelta(days=starts)
        ends_on = None if length is None else (starts_on or today) + timedelta(days=length)
        row = holds.open_hold(
            reason=reason,
            source="x",
            starts_on=starts_on,
            ends_on=ends_on,
            blocks=blocks,
            by=self.boss,
            now=self.at,
            **on,
        )
        self.rows.append(row)
        chosen = set(blocks) or USUAL.get(reason, set(BLOCKS))
        assert chosen >= DEMANDED.get(reason, set()), "the law demanded more"
        self.expected.append(ExpectedHold(scope, chosen, starts_on or min(self.local_days()), ends_on))

    def end(self, number):
        if number < len(self.rows):
            amendments.end(self.rows[number], why="x", by=self.boss, now=self.at)
            self.expected[number].over = True

    def move(self, number, ends):
        if number < len(self.rows):
            ends_on = None if ends is None else self.at.date() + timedelta(days=ends)
            amendments.move(self.rows[number], ends_on=ends_on, why="x", by=self.boss, now=self.at)
            self.expected[number].ends_on = ends_on

    def expire(self):
        expiry.expire(now=self.at)
        for hold in self.expected:
            hold.over = hold.over or (
                hold.ends_on is not None and all(day >= hold.ends_on for day in self.local_days())
            )

    def gate(self, scope):
        asking = TemplateFacts(asks_for_payment=True)
        request = ContactRequest(Channel.EMAIL, self.debtor, self.debts[scope], template=asking)
        (found,) = facts.gather([request], now=self.at)
        return {reason.code.value for reason in gate.decide(found, PolicySet([]), self.at).reasons}

    def check(self, hours):
        self.at += timedelta(hours=hours)
        for scope in self.debts:
            stopped = {
                block: any(hold.blocks_on(scope, block, self.local_days()) for hold in self.expected)
                for block in BLOCKS
            }
            codes = self.gate(scope)
            assert ("DEBT_HELD" in codes) == stopped["contact"]
            assert bool(codes & {"DEBT_HELD", "PAYMENT_REQUEST_HELD"}) == (
                stopped["contact"] or stopped["payment_requests"]
            )
        # A strategy run first lifts the holds that are over, and then matches by its day.
        self.expire()
        today = self.at.date()
        active = Hold.objects.active_between(today - timedelta(days=1), today).filter(blocks_strategy=True)
        for scope, debt in self.debts.items():
            left_out = [hold.is_left_out(scope, self.at.date(), self.local_days()) for hold in self.expected]
            assert active.on(debt).exists() == any(left_out)


def check(world, story):
    zones, steps, last = story
    with transaction.atomic():
        played = Story(world, zones)
        for step in steps:
            played.step(*step)
        played.check(last)
        transaction.set_rollback(True)


_SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=500, **_SETTINGS)
@given(stories)
def test_holds_add_up_whatever_is_opened_moved_and_ended(world, story):
    check(world, story)


@pytest.mark.deep
@settings(max_examples=10_000, **_SETTINGS)
@given(stories)
def test_holds_add_up_in_ten_thousand_stories(world, story):
    check(world, story)
