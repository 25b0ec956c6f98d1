"""Messages that a run queues, debts that it leaves out, and its report."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection import debts, deferrals
from collection.models import Debt, DebtStatus, Hold
from communications.models import CommunicationLog, CommunicationTemplate
from debtors.models import Debtor
from strategy import matching, queueing, slices
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db


def test_a_due_debt_gets_a_message_in_the_outbox_with_the_step_that_queued_it():
    rule = makers.rule()
    debt = makers.due_debt(rule)
    run = makers.run()
    log = CommunicationLog.objects.get()
    assert (log.debtor_id, log.debt_id, log.template_id) == (debt.debtor_id, debt.pk, rule.template_id)
    assert (log.communication_type, log.direction, log.purpose, log.status) == (
        "email",
        "outbound",
        "collection",
        "queued",
    )
    assert (log.created_at, log.due_at) == (makers.clock(), makers.clock())
    assert (log.subject, log.body, log.attempts, log.open_count) == (None, None, 0, 0)
    step = StrategyStep.objects.get()
    assert (step.rule, step.debt, step.message, step.run, step.occurrence) == (rule, debt, log, run, TODAY)
    assert makers.lines(run) == {rule.name: (1, 1, {})}


def test_an_occurrence_is_due_on_its_day_and_as_late_as_the_rule_allows():
    rule = makers.rule(max_lateness_days=2)
    due = {makers.due_debt(rule, late=late).pk for late in (0, 1, 2)}
    makers.due_debt(rule, late=3)
    makers.due_debt(rule, late=-1)
    assert makers.lines(makers.run()) == {rule.name: (3, 3, {})}
    assert set(CommunicationLog.objects.values_list("debt_id", flat=True)) == due


def test_a_run_repeated_the_same_day_queues_only_what_is_new():
    rule = makers.rule()
    makers.due_debt(rule)
    makers.run()
    makers.due_debt(rule)
    assert makers.lines(makers.run()) == {rule.name: (2, 1, {"already_queued": 1})}
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == 2


def test_a_missed_day_is_caught_up_and_each_occurrence_queued_once():
    rule = makers.rule()
    for late in range(3):
        makers.due_debt(rule, late=late)
    makers.run(day=TODAY - timedelta(days=2))
    assert CommunicationLog.objects.count() == 1
    makers.run()  # the day between was missed
    assert CommunicationLog.objects.count() == 3


def test_a_day_that_was_missed_by_more_than_the_rule_allows_stays_missed():
    rule = makers.rule(max_lateness_days=0)
    makers.due_debt(rule, late=1)
    assert makers.lines(makers.run()) == {rule.name: (0, 0, {})}


def test_each_reason_to_leave_a_debt_out_is_counted():
    rule = makers.rule()
    makers.due_debt(rule)
    makers.due_debt(rule, current_status="disputed")
    makers.due_debt(rule, current_status="payment_plan")
    deferred, held, broke, mute = (makers.due_debt(rule) for _ in range(4))
    for status in ("settled", "written_off", "recalled"):
        closed = makers.due_debt(rule)
        Debt.objects.filter(pk=closed.pk).update(current_status=status)
    makers.due_debt(rule, current_balance=Decimal(0))
    Debt.objects.filter(pk=deferred.pk).update(current_status=DebtStatus.DEFERRED)
    Hold.objects.create(debt=held, reason="deferral", starts_on=TODAY, ends_on=TODAY + timedelta(days=1))
    Debt.objects.filter(pk=broke.pk).update(current_balance=0)
    Debtor.objects.filter(pk=mute.debtor_id).update(email="")
    quiet = factories.debtor(email="Quiet@Example.com")
    makers.due_debt(rule, debtor=quiet)
    factories.suppress("quiet@example.com", channel="email", reason="opted_out")
    left_out = {
        "closed": 4, "disputed": 1, "deferred": 1, "held": 1, "nothing_owed": 1, "no_address": 1, "suppressed": 1,
    }  # fmt: skip
    assert makers.lines(makers.run(dry_run=True)) == {rule.name: (12, 2, left_out)}
    assert makers.lines(makers.run()) == {rule.name: (12, 2, left_out)}
    assert CommunicationLog.objects.count() == 2


@pytest.mark.parametrize(
    ("starts", "ends", "queued"),
    [(0, 1, 0), (-5, None, 0), (-5, 0, 1), (1, None, 1)],
)
def test_a_hold_counts_from_its_first_day_up_to_but_without_its_last(starts, ends, queued):
    rule = makers.rule()
    debt = makers.due_debt(rule)
    Hold.objects.create(
        debt=debt,
        reason="deferral",
        starts_on=TODAY + timedelta(days=starts),
        ends_on=None if ends is None else TODAY + timedelta(days=ends),
    )
    assert makers.run().rules[0]["queued"] == queued


@pytest.mark.parametrize("channel", ["sms", "voice", "call_script"])
def test_other_channels_than_mail_want_a_phone(channel):
    rule = makers.rule(template=factories.template(communication_type=channel, subject=None))
    makers.due_debt(rule)
    makers.due_debt(rule, debtor=factories.debtor(mobile_phone=None))
    opted_out = makers.due_debt(rule).debtor
    suppressed_channel = "sms" if channel == "sms" else "voice"
    factories.suppress(opted_out.mobile_phone, channel=suppressed_channel, reason="opted_out")
    factories.suppress(opted_out.email, channel="email", reason="bounced")
    assert makers.lines(makers.run()) == {rule.name: (3, 1, {"no_address": 1, "suppressed": 1})}
    assert CommunicationLog.objects.get().communication_type == channel


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"is_active": False}, "template_inactive"), ({"communication_type": "sms"}, "template_changed")],
)
def test_a_rule_leaves_all_out_once_its_template_is_inactive_or_changed(change, reason):
    rule = makers.rule()
    makers.due_debt(rule)
    CommunicationTemplate.objects.filter(pk=rule.template_id).update(**change)
    assert makers.lines(makers.run()) == {rule.name: (1, 0, {reason: 1})}
    assert not CommunicationLog.objects.exists()


def test_an_inactive_rule_is_not_applied():
    makers.due_debt(makers.rule(is_active=False))
    assert makers.run().rules == []


def test_rules_are_applied_by_priority():
    names = [makers.rule(name=name, priority=priority).name for name, priority in (("c", 3), ("a", 1), ("b", 2))]
    assert [line["name"] for line in makers.run().rules] == sorted(names)


def test_messages_are_due_in_the_order_of_their_rules():
    rules = {priority: makers.rule(priority=priority) for priority in (3, 1, 2)}
    for rule in rules.values():
        makers.due_debt(rule)
    makers.run()
    due = CommunicationLog.objects.order_by("due_at").values_list("strategy_step__rule", flat=True)
    assert list(due) == [rules[1].pk, rules[2].pk, rules[3].pk]


def test_a_debt_that_was_deleted_since_the_match_gets_no_message():
    rule = makers.rule()
    gone, there = makers.due_debt(rule), makers.due_debt(rule)
    matching.match([rule], day=TODAY)
    debts.delete(gone, by=None, today=TODAY)
    run = StrategyRun.objects.create(status="running", date=TODAY)
    assert queueing.queue([rule], run, now=makers.clock()) == {rule.pk: 1}
    assert CommunicationLog.objects.get().debt == there


def test_a_rule_sends_to_its_own_segment_only():
    rule, other = makers.rule(), makers.rule(is_active=False)
    makers.due_debt(other)
    assert makers.lines(makers.run()) == {rule.name: (0, 0, {})}


def test_debts_move_to_their_segments_before_the_rules_apply():
    rule = makers.rule()
    debt = factories.debt(placement_date=TODAY - timedelta(days=7))
    Debt.objects.update(segment=None)
    assert makers.run().rules[0]["queued"] == 1
    debt.refresh_from_db()
    assert debt.segment_id == rule.segment_id


def test_a_debt_whose_deferral_is_over_is_active_again_and_written_to():
    rule = makers.rule()
    debt = makers.due_debt(rule, due_date=None)
    request = deferrals.request(
        debt, debtor=debt.debtor, days=1, reason="I will be paid on Friday.", now=makers.clock() - timedelta(days=1)
    )
    deferrals.approve(request, by=factories.agent(), notes="", now=makers.clock() - timedelta(days=1))
    assert makers.lines(makers.run(day=TODAY - timedelta(days=1)))[rule.name][1] == 0
    assert makers.run().rules[0]["queued"] == 1
    debt.refresh_from_db()
    assert debt.current_status == "active"


def test_a_dry_run_reports_what_a_real_run_then_does_and_writes_only_its_report():
    rule = makers.rule()
    debt = factories.debt(placement_date=TODAY - timedelta(days=7))
    makers.due_debt(rule, current_status="disputed")
    Debt.objects.filter(segment_is_pinned=False).update(segment=None)
    before = list(Debt.objects.order_by("id").values())
    forecast = makers.run(dry_run=True)
    assert forecast.status == "done"
    assert list(Debt.objects.order_by("id").values()) == before
    assert not CommunicationLog.objects.exists()
    assert not StrategyStep.objects.exists()
    assert makers.lines(makers.run(dry_run=True)) == makers.lines(forecast)
    assert makers.lines(makers.run()) == makers.lines(forecast) == {rule.name: (2, 1, {"disputed": 1})}
    assert CommunicationLog.objects.get().debt == debt


def test_a_dry_run_may_look_ahead():
    rule = makers.rule()
    makers.due_debt(rule, late=-5)
    run = makers.run(day=TODAY + timedelta(days=5), dry_run=True)
    assert makers.lines(run) == {rule.name: (1, 1, {})}


def test_progress_is_reported_with_each_slice(monkeypatch):
    monkeypatch.setattr(slices, "SIZE", 2)
    rules = [makers.rule(priority=priority) for priority in (1, 2)]
    for rule in rules * 2:
        makers.due_debt(rule)
    seen = []
    run = makers.run(progress=lambda done, total: seen.append((done, total, CommunicationLog.objects.count())))
    assert seen == [(1, 2, 2), (2, 2, 4)]
    assert makers.lines(run) == {rule.name: (2, 2, {}) for rule in rules}


def test_a_run_takes_as_many_queries_for_fifty_debts_as_for_one():
    rule = makers.rule()
    owner = factories.debtor()
    counts = []
    for number in (1, 50):
        for _ in range(number):
            makers.due_debt(rule, debtor=owner)
        with CaptureQueriesContext(connection) as queries:
            assert makers.run().rules[0]["queued"] == number
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_absurdly_distant_day_breaks_nothing():
    makers.rule(days_since_placement=36_500, max_lateness_days=36_500)
    assert makers.run(day=date(9999, 12, 31), dry_run=True).status == "done"
    assert makers.run(day=date(1900, 1, 1)).status == "done"
