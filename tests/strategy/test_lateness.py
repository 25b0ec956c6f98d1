"""A message of a rule expires at the end of the last day that the rule allows, however it was delayed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from collection.models import Debt, Segment
from communications.channels import email
from communications.channels.message import Outcome, Result
from communications.models import Circuit, CommunicationLog
from communications.sending import leases, uncertain, worker
from contact.models import ContactDecision
from debtors import calendars
from strategy import reports, rules, runs
from strategy.models import StrategyStep
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db
#: Tuesday, nine in the morning in UTC and ten in London.
MORNING = clock()


def drain(at):
    return dict(worker.drain(clock=lambda: at).statuses)


def run_at(at, **values):
    return runs.run_now(dry_run=False, by=None, clock=lambda: at, **values)


@pytest.mark.parametrize(
    ("place", "expires_at"),
    [
        ({"country_code": "GB"}, datetime(2026, 7, 2, 23, tzinfo=UTC)),
        ({"country_code": "JP"}, datetime(2026, 7, 2, 15, tzinfo=UTC)),
        ({"country_code": "US", "region_state": "California"}, datetime(2026, 7, 3, 7, tzinfo=UTC)),
        ({"country_code": "US"}, datetime(2026, 7, 3, 4, tzinfo=UTC)),  # The first of its clocks is New York's.
        ({"country_code": None, "mobile_phone": "+819012345678"}, datetime(2026, 7, 2, 15, tzinfo=UTC)),
        ({"country_code": None, "mobile_phone": None}, datetime(2026, 7, 3, tzinfo=UTC)),
    ],
)
def test_a_message_expires_at_the_end_of_the_debtors_last_day(place, expires_at):
    rule = makers.rule(max_lateness_days=2)
    makers.due_debt(rule, debtor=factories.debtor(**place))
    makers.run()
    assert CommunicationLog.objects.get().expires_at == expires_at


def test_a_late_message_has_only_the_days_that_are_left():
    rule = makers.rule(max_lateness_days=2)
    makers.due_debt(rule, late=2)
    makers.run()
    assert CommunicationLog.objects.get().expires_at == datetime(2026, 6, 30, 23, tzinfo=UTC)


def test_the_api_shows_when_it_expires(api):
    makers.due_debt(makers.rule(max_lateness_days=0))
    makers.run()
    (row,) = api.get("/communication-logs").json()["data"]
    assert row["expiresAt"] == "2026-06-30T23:00:00.000Z"


class TestStale:
    def queued(self, lateness=0):
        rule = makers.rule(max_lateness_days=lateness)
        makers.due_debt(rule)
        run = makers.run()
        return CommunicationLog.objects.get(), run

    def assert_stale(self, log, run):
        log.refresh_from_db()
        assert (log.status, log.due_at) == ("blocked", None)
        assert log.failure_reason == "stale: It is later now than its rule allows."
        assert reports.outcomes(run) == [reports.Outcome("blocked", "STALE", 1)]

    def test_in_time_it_goes(self):
        log, run = self.queued()
        assert drain(log.expires_at - timedelta(hours=4)) == {"sent": 1}
        assert reports.outcomes(run) == [reports.Outcome("sent", None, 1)]

    def test_if_no_worker_lived(self):
        log, run = self.queued()
        assert drain(MORNING + timedelta(days=1)) == {"blocked": 1}
        self.assert_stale(log, run)
        (decision,) = ContactDecision.objects.filter(message_id=log.pk)
        assert [reason["code"] for reason in decision.reasons] == ["STALE"]

    def test_exactly_at_its_end(self):
        log, run = self.queued()
        assert drain(log.expires_at) == {"blocked": 1}
        self.assert_stale(log, run)

    def test_if_the_gate_postponed_it(self):
        log, run = self.queued()
        night = datetime(2026, 6, 30, 21, tzinfo=UTC)
        assert drain(night) == {"postponed": 1}
        log.refresh_from_db()
        assert log.status == "postponed"
        assert drain(log.due_at) == {"blocked": 1}
        self.assert_stale(log, run)

    def test_if_the_provider_was_down(self):
        log, run = self.queued()
        Circuit.objects.create(
            provider=email.provider(), failures=5, openings=1, open_until=MORNING + timedelta(days=1)
        )
        assert drain(MORNING) == {}
        assert drain(MORNING + timedelta(days=1, minutes=1)) == {"blocked": 1}
        self.assert_stale(log, run)

    def test_if_its_worker_died_with_the_claim_or_before_the_hand_over(self, monkeypatch):
        log, run = self.queued()

        def die(*_):
            raise SystemExit

        monkeypatch.setattr("communications.sending.dispatch.hand_over", lambda *_: pytest.fail("handed over"))
        monkeypatch.setattr("communications.sending.dispatch.start", die)
        with pytest.raises(SystemExit):
            drain(MORNING)
        log.refresh_from_db()
        assert log.status == "sending"
        monkeypatch.undo()
        leases.expire(now=MORNING + timedelta(days=1))
        assert drain(MORNING + timedelta(days=1)) == {"blocked": 1}
        self.assert_stale(log, run)

    def test_if_it_was_refused_for_now(self, monkeypatch):
        log, run = self.queued()
        retry = Outcome(Result.RETRY, "console", reason_text="451 later")
        monkeypatch.setattr("communications.sending.dispatch.hand_over", lambda *_: retry)
        evening = datetime(2026, 6, 30, 19, 59, tzinfo=UTC)
        assert drain(evening) == {"queued": 1}
        log.refresh_from_db()
        # It is tried again after the usual pauses, not the short ones of one-time codes.
        assert timedelta(seconds=15) <= log.due_at - evening <= timedelta(seconds=30)
        monkeypatch.undo()
        assert drain(MORNING + timedelta(days=1)) == {"blocked": 1}
        self.assert_stale(log, run)

    def test_an_agent_does_not_send_a_late_one_again(self):
        log, _ = self.queued()
        CommunicationLog.objects.update(status="uncertain", due_at=None, attempts=1)
        agent = factories.agent()
        log.refresh_from_db()
        again = {"by": agent, "reason": "Not there"}
        with pytest.raises(uncertain.Expired):
            uncertain.send_again(log, **again, now=log.expires_at)
        made = uncertain.send_again(log, **again, now=log.expires_at - timedelta(hours=5))
        assert made.replacement.expires_at == log.expires_at


class TestWhatIsTooLateIsReported:
    def test_what_a_real_run_for_a_past_day_queues_too_late_is_never_sent(self):
        rule = makers.rule(max_lateness_days=1)
        past = TODAY - timedelta(days=10)
        factories.debt(segment=rule.segment, placement_date=past - timedelta(days=7))
        run = makers.run(day=past)
        assert drain(MORNING) == {"blocked": 1}
        assert reports.outcomes(run) == [reports.Outcome("blocked", "STALE", 1)]

    def test_days_without_a_run_are_reported_once(self):
        rule = makers.rule(max_lateness_days=1)
        for late in range(5):
            makers.due_debt(rule, late=late)
        Debt.objects.update(created_at=MORNING - timedelta(days=30))
        run_at(MORNING - timedelta(days=4))  # Due then: the one that is four days late now.
        assert makers.lines(makers.run()) == {rule.name: (4, 2, {"too_late": 2})}
        assert makers.lines(makers.run()) == {rule.name: (2, 0, {"already_queued": 2})}

    def test_a_debt_that_came_too_late_for_a_rule_is_reported_once(self):
        rule = makers.rule(max_lateness_days=1)
        makers.run()
        debt = makers.due_debt(rule, late=40)
        Debt.objects.filter(pk=debt.pk).update(created_at=MORNING + timedelta(hours=1))
        tomorrow = MORNING + timedelta(days=1)
        assert makers.lines(run_at(tomorrow)) == {rule.name: (1, 0, {"too_late": 1})}
        assert makers.lines(run_at(tomorrow + timedelta(days=1))) == {rule.name: (0, 0, {})}

    def test_a_closed_debt_is_not_too_late(self):
        rule = makers.rule(max_lateness_days=1)
        debt = makers.due_debt(rule, late=3)
        Debt.objects.filter(pk=debt.pk).update(current_status="recalled", created_at=MORNING - timedelta(days=30))
        run_at(MORNING - timedelta(days=8))
        assert makers.lines(makers.run()) == {rule.name: (0, 0, {})}

    def test_a_day_that_is_over_where_the_debtor_lives(self):
        rule = makers.rule(max_lateness_days=0)
        makers.due_debt(rule, debtor=factories.debtor(country_code="JP", mobile_phone="+819012345678"))
        makers.due_debt(rule)
        evening = datetime(2026, 6, 30, 15, tzinfo=UTC)  # Midnight in Tokyo, four in the afternoon in London.
        run_at(evening)
        assert drain(evening) == {"blocked": 1, "sent": 1}


class TestOnce:
    def test_another_number_of_days_does_not_send_the_text_again(self):
        rule = makers.rule()
        makers.due_debt(rule)
        makers.run()
        for days in (8, 9):
            rules.amend(rule, trigger={"days_since_placement": days}, now=MORNING)
            assert makers.lines(run_at(MORNING + timedelta(days=days - 7)))[rule.name][1] == 0
        assert CommunicationLog.objects.count() == 1

    @pytest.mark.parametrize("days", [-1, 1, 3])
    def test_another_placement_date_does_not_send_it_again(self, days):
        rule = makers.rule()
        debt = makers.due_debt(rule)
        makers.run()
        Debt.objects.filter(pk=debt.pk).update(placement_date=debt.placement_date + timedelta(days=days))
        run_at(MORNING + timedelta(days=max(days, 0)))
        assert CommunicationLog.objects.count() == 1

    def test_another_template_segment_or_name_does_not_send_it_again(self):
        rule = makers.rule()
        makers.due_debt(rule)
        makers.run()
        rules.amend(rule, template=factories.template(), name="New", max_lateness_days=9, now=MORNING)
        makers.run()
        assert CommunicationLog.objects.count() == 1

    def test_another_rule_sends_its_own_text(self):
        rule = makers.rule()
        makers.due_debt(rule)
        makers.run()
        makers.rule(segment=rule.segment)
        makers.run()
        assert CommunicationLog.objects.count() == 2


class TestAnotherDay:
    def test_a_dry_run_of_another_day_changes_nothing(self):
        rule = makers.rule(max_lateness_days=0)
        old = factories.segment(name="Old debts", priority=1, min_days_since_placement=100)
        debt = makers.due_debt(rule)
        Debt.objects.update(segment=rule.segment, segment_is_pinned=False)
        Segment.objects.filter(pk=rule.segment_id).update(priority=2)
        before = (list(Debt.objects.values()), list(Segment.objects.values()))
        for day in (TODAY + timedelta(days=200), TODAY - timedelta(days=5), TODAY + timedelta(days=1)):
            makers.run(day=day, dry_run=True)
            assert (list(Debt.objects.values()), list(Segment.objects.values())) == before
            assert not CommunicationLog.objects.exists()
            assert not StrategyStep.objects.exists()
        assert makers.lines(makers.run())[rule.name] == (1, 1, {})
        debt.refresh_from_db()
        assert debt.segment_id != old.pk

    def test_a_real_run_of_a_past_day_leaves_debts_in_todays_segments(self):
        rule = makers.rule(max_lateness_days=0)
        young = factories.segment(name="Young debts", priority=1, max_days_since_placement=5)
        Segment.objects.filter(pk=rule.segment_id).update(priority=2)
        debt = makers.due_debt(rule)
        Debt.objects.update(segment=rule.segment, segment_is_pinned=False)
        makers.run(day=TODAY - timedelta(days=4))
        debt.refresh_from_db()
        assert debt.segment_id == rule.segment_id != young.pk

    def test_a_dry_run_does_not_count_as_the_last_run(self):
        rule = makers.rule(max_lateness_days=1)
        makers.due_debt(rule, late=3)
        Debt.objects.update(created_at=MORNING - timedelta(days=30))
        run_at(MORNING - timedelta(days=9))
        for _ in range(2):
            assert makers.lines(makers.run(dry_run=True))[rule.name] == (1, 0, {"too_late": 1})
        assert makers.lines(makers.run())[rule.name] == (1, 0, {"too_late": 1})

    def test_a_dry_run_ahead_reports_nothing_of_the_days_between(self):
        rule = makers.rule(max_lateness_days=1)
        for late in range(-9, 1):
            makers.due_debt(rule, late=late)
        Debt.objects.update(created_at=MORNING - timedelta(days=30))
        makers.run()
        lines = makers.lines(makers.run(day=TODAY + timedelta(days=9), dry_run=True))
        assert lines[rule.name] == (2, 2, {})


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu"])
def test_the_end_of_a_day_is_midnight_there(zone):
    from zoneinfo import ZoneInfo

    country = {"Pacific/Auckland": "NZ", "America/St_Johns": "CA", "Asia/Kathmandu": "NP"}[zone]
    ends = calendars.end_of(date(2026, 3, 8), country_code=country, region_state="NL", mobile_phone=None)
    local = ends.astimezone(ZoneInfo(zone))
    assert local.date() in (date(2026, 3, 8), date(2026, 3, 9))
    assert abs(local - datetime(2026, 3, 9, tzinfo=ZoneInfo(zone))) <= timedelta(hours=1)
