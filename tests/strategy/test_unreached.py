"""The list of debts that no rule will reach, and why."""

from datetime import timedelta

import pytest

from collection.models import Debt, Hold
from debtors.models import Debtor
from strategy import unreached
from strategy.models import StrategyRule, StrategyUnreached
from tests import factories
from tests.admin.conftest import Browser, staff
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db


def listed() -> dict[Debt, str]:
    makers.run()
    unreached.refresh(now=clock())
    return {row.debt: row.reason for row in StrategyUnreached.objects.select_related("debt")}


def test_each_open_debt_that_no_rule_will_reach_is_listed_with_the_reason():
    rule = makers.rule()
    due, early, done = makers.due_debt(rule), makers.due_debt(rule, late=-5), makers.due_debt(rule, late=30)
    mute, quiet, held, paused = (makers.due_debt(rule, late=-5) for _ in range(4))
    Debtor.objects.filter(pk=mute.debtor_id).update(email="")
    factories.suppress(quiet.debtor.email)
    Hold.objects.create(debt=held, reason="attorney", starts_on=TODAY)
    Hold.objects.create(debt=paused, reason="complaint", starts_on=TODAY, ends_on=TODAY + timedelta(days=90))
    elsewhere = factories.debt(segment=factories.segment())
    nowhere = factories.debt()
    Debt.objects.filter(pk=nowhere.pk).update(
        segment=None, segment_is_pinned=True
    )  # Else it would move to one without bounds.
    closed = factories.debt()
    Debt.objects.filter(pk=closed.pk).update(current_status="recalled")
    assert listed() == {
        due: "nothing_follows",  # The run has just used the only rule for it.
        done: "nothing_follows",
        mute: "no_address",
        quiet: "suppressed",
        held: "held",
        elsewhere: "no_rule",
        nowhere: "no_segment",
    }
    assert early not in listed()
    assert paused not in listed()


def test_a_debt_that_a_rule_will_reach_again_leaves_the_list():
    rule = makers.rule()
    debt = makers.due_debt(rule)
    assert listed() == {debt: "nothing_follows"}
    since = StrategyUnreached.objects.get().since
    assert listed() == {debt: "nothing_follows"}
    assert StrategyUnreached.objects.get().since == since
    later = makers.rule(segment=rule.segment, days_since_placement=30)
    assert listed() == {}
    StrategyRule.objects.filter(pk=later.pk).update(is_active=False)
    assert listed() == {debt: "nothing_follows"}


def test_what_fell_into_a_pause_reaches_the_debt_after_it_unless_the_rule_skips_it():
    rule = makers.rule(days_since_placement=7)
    debt = makers.due_debt(rule, late=20)
    Hold.objects.create(
        debt=debt, reason="complaint", starts_on=TODAY - timedelta(days=25), ends_on=TODAY + timedelta(days=5)
    )
    assert listed() == {}
    StrategyRule.objects.update(after_pause="skip")
    assert listed() == {debt: "held"}


def test_the_back_office_lists_them():
    debt = factories.debt(external_reference="A-1")
    listed()
    page = Browser(staff("Agent")).list(StrategyUnreached).content.decode()
    assert str(debt) in page
    assert "It fits no segment" in page or "it fits no segment" in page
