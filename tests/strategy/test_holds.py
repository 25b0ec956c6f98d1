"""The strategy leaves out held debts, for every reason, until midnight where the debtor is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from collection.holds import amendments, holds
from collection.holds.reasons import POLICIES
from payments import posting
from strategy import runs
from strategy.models import StrategyStep
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 30, 5, tzinfo=UTC)
AMERICAN = {"country_code": "US", "region_state": "NY", "mobile_phone": "+12125550123"}


def run(at=AT, **options):
    return runs.run_now(day=options.pop("day", at.date()), dry_run=False, by=None, clock=lambda: at, **options).rules[0]


@pytest.mark.parametrize("reason", sorted(reason for reason, policy in POLICIES.items() if policy.is_manual))
@pytest.mark.parametrize("scope", ["person", "debt"])
def test_every_reason_is_left_out_until_it_is_ended(reason, scope):
    rule = makers.rule()
    debt = makers.due_debt(rule)
    on = {"debt": debt} if scope == "debt" else {"debtor": debt.debtor}
    hold = holds.open_hold(reason=reason, source="Letter", by=None, now=AT, **on)
    assert run()["left_out"] == [{"reason": "held", "count": 1}]
    amendments.end(hold, why="It is over.", by=factories.agent(), now=AT)
    assert run()["queued"] == 1


def test_a_hold_that_does_not_block_the_strategy_leaves_nothing_out():
    rule = makers.rule()
    holds.open_hold(reason="complaint", blocks=["interest"], debt=makers.due_debt(rule), source="x", by=None, now=AT)
    assert run()["queued"] == 1


def test_a_hold_on_payment_requests_leaves_out_the_rules_whose_template_asks_for_payment():
    asking = makers.rule(template=factories.template(asks_for_payment=True))
    other = makers.rule(segment=asking.segment)
    debt = makers.due_debt(asking)
    holds.open_hold(reason="complaint", blocks=["payment_requests"], debt=debt, source="x", by=None, now=AT)
    report = makers.lines(runs.run_now(day=TODAY, dry_run=False, by=None, clock=lambda: AT))
    assert report == {asking.name: (1, 0, {"held": 1}), other.name: (1, 1, {})}


def test_a_hold_lasts_until_midnight_where_the_debtor_is():
    rule = makers.rule()
    debt = makers.due_debt(rule, debtor=factories.debtor(**AMERICAN))
    holds.open_hold(
        reason="cease", debt=debt, ends_on=TODAY, starts_on=TODAY - timedelta(days=9), source="x", by=None, now=AT
    )
    one_to_four = datetime(2026, 6, 30, 3, 59, tzinfo=UTC)
    assert run(one_to_four)["left_out"] == [{"reason": "held", "count": 1}]
    assert run(one_to_four + timedelta(minutes=1))["queued"] == 1


def test_a_dry_run_of_a_future_day_ends_the_holds_that_are_over_then():
    rule = makers.rule()
    debt = makers.due_debt(rule, debtor=factories.debtor(**AMERICAN), late=-2)
    hold = holds.open_hold(reason="cease", debt=debt, ends_on=TODAY + timedelta(days=2), source="x", by=None, now=AT)
    forecast = makers.run(day=TODAY + timedelta(days=2), dry_run=True)
    assert forecast.rules[0]["queued"] == 1
    hold.refresh_from_db()
    assert hold.ended_at is None


@pytest.mark.parametrize(("portion", "queued"), [(None, 0), (Decimal(300), 1)])
def test_a_debt_is_left_out_while_all_that_is_open_is_disputed(portion, queued):
    rule = makers.rule()
    debt = makers.due_debt(rule)
    factories.dispute(debt=debt, portion=portion, now=AT)
    assert run()["queued"] == queued


def test_a_debt_is_left_out_once_all_but_the_disputed_part_is_paid():
    rule = makers.rule()
    debt = makers.due_debt(rule)
    factories.dispute(debt=debt, portion=Decimal(300), now=AT)
    posting.record(debt=debt, amount=Decimal(700), by=None, today=TODAY)
    assert run()["left_out"] == [{"reason": "disputed", "count": 1}]


def test_a_run_late_in_the_day_compares_holds_with_the_debtors_date():
    """At 16:00 UTC it is tomorrow in Japan: a hold from tomorrow on counts there, and does not in London."""
    late = datetime(2026, 6, 30, 16, tzinfo=UTC)
    rule = makers.rule()
    people = [
        factories.debtor(country_code="JP", mobile_phone="+819012345678"),
        factories.debtor(country_code="GB", mobile_phone="+447400123456"),
    ]
    for person in people:
        hold = {"debt": makers.due_debt(rule, debtor=person), "starts_on": TODAY + timedelta(days=1)}
        holds.open_hold(reason="cease", source="x", by=None, now=late, **hold)
    report = run(late)
    assert (report["queued"], report["left_out"]) == (1, [{"reason": "held", "count": 1}])
    assert StrategyStep.objects.get().debt.debtor == people[1]


def test_a_hold_that_is_over_for_the_debtor_but_not_everywhere_holds_nothing():
    """At 5:00 UTC a hold until the 30th is over in London, and goes on in New York until 4:00 and in Honolulu until 10:00."""
    rule = makers.rule()
    for location in (AMERICAN, {"country_code": "US", "region_state": "HI", "mobile_phone": "+18085550123"}):
        debt = makers.due_debt(rule, debtor=factories.debtor(**location))
        began = TODAY - timedelta(days=9)
        holds.open_hold(reason="cease", debt=debt, starts_on=began, ends_on=TODAY, source="x", by=None, now=AT)
    report = run()
    assert (report["queued"], report["left_out"]) == (1, [{"reason": "held", "count": 1}])


def test_the_scheduled_run_is_of_the_agencys_day(settings):
    settings.AGENCY_TIME_ZONE = "Asia/Tokyo"
    assert runs.run_daily(clock=lambda: datetime(2026, 6, 30, 20, tzinfo=UTC)).date == TODAY + timedelta(days=1)
