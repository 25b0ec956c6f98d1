"""Withdraw queued messages: by switching a rule off, and by rule, run, creditor or person."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from communications.models import CommunicationLog, PendingDispatch
from communications.outbox import outbox
from communications.sending import dispatch, evidence, uncertain, worker
from contact.models import Purpose
from ddc.common.errors import Forbidden
from strategy import matching, reports, rules, withdrawals
from strategy.models import StrategyRun
from strategy.withdrawals import Selection
from tests import factories
from tests.admin.conftest import Browser, address
from tests.strategy import makers

pytestmark = pytest.mark.django_db
NOW = makers.clock()
PATH = "/communication-logs/withdraw"


def drain(at=NOW + timedelta(seconds=1)):
    return dict(worker.drain(clock=lambda: at).statuses)


def queued(rule=None, **values):
    """Queue a message by a rule; return the rule, the run and the message."""
    rule = rule or makers.rule()
    debt = makers.due_debt(rule, **values)
    run = makers.run()
    return rule, run, CommunicationLog.objects.get(debt=debt)


def assert_withdrawn(log, reason):
    log.refresh_from_db()
    assert (log.status, log.due_at, log.failure_reason) == ("blocked", None, f"withdrawn: {reason}")


class TestSwitchingOff:
    def test_a_rule_that_is_switched_off_sends_nothing_more(self):
        rule, run, log = queued()
        _, _, other = queued()
        rules.amend(rule, is_active=False, now=NOW)
        assert_withdrawn(log, f"The strategy rule “{rule.name}” was switched off.")
        assert drain() == {"sent": 1}
        other.refresh_from_db()
        assert other.status == "sent"
        assert reports.outcomes(run) == [reports.Outcome("blocked", "WITHDRAWN", 1)]
        assert makers.run().rules[0]["name"] != rule.name

    def test_by_the_api(self, api):
        rule, _, log = queued()
        assert api.put(f"/strategy-rules/{rule.pk}", {"isActive": False}).status_code == 200
        log.refresh_from_db()
        assert log.status == "blocked"
        assert drain() == {}

    def test_any_other_change_withdraws_nothing(self):
        rule, _, log = queued()
        rules.amend(rule, name="New", priority=5, is_active=True, now=NOW)
        log.refresh_from_db()
        assert log.status == "queued"

    def test_switching_it_on_again_sends_no_withdrawn_message(self):
        rule, _, log = queued()
        rules.amend(rule, is_active=False, now=NOW)
        rules.amend(rule, is_active=True, now=NOW)
        makers.run()
        assert drain() == {}
        assert CommunicationLog.objects.get() == log

    def test_a_refused_change_withdraws_nothing(self, api):
        rule, _, log = queued()
        makers.rule(name="Taken")
        assert api.put(f"/strategy-rules/{rule.pk}", {"isActive": False, "name": "Taken"}).status_code == 422
        log.refresh_from_db()
        assert log.status == "queued"

    def test_a_rule_with_queued_messages_is_not_deleted(self, api):
        rule, _, log = queued()
        assert api.delete(f"/strategy-rules/{rule.pk}").status_code == 409
        log.refresh_from_db()
        assert log.status == "queued"

    def test_a_postponed_and_a_claimed_one_are_stopped_too(self):
        rule, _, postponed = queued()
        CommunicationLog.objects.update(status="postponed")
        _, _, claimed = queued(rule)
        CommunicationLog.objects.filter(pk=claimed.pk).update(status="claimed", due_at=NOW + timedelta(minutes=1))
        rules.amend(rule, is_active=False, now=NOW)
        for log in (postponed, claimed):
            log.refresh_from_db()
            assert log.status == "blocked"

    def test_one_that_a_worker_has_just_claimed_is_not_handed_over(self, monkeypatch):
        rule, _, log = queued()
        mark_sending = dispatch.mark_sending

        def late(prepared):
            rules.amend(rule, is_active=False, now=NOW)
            return mark_sending(prepared)

        monkeypatch.setattr(dispatch, "mark_sending", late)
        monkeypatch.setattr(dispatch, "hand_over", lambda *_: pytest.fail("handed over"))
        assert drain() == {"released": 1}
        log.refresh_from_db()
        assert (log.status, log.attempts) == ("blocked", 0)

    def test_one_that_is_about_to_be_handed_over_is_not(self, monkeypatch):
        rule, _, log = queued()
        start = dispatch.start

        def late(prepared):
            rules.amend(rule, is_active=False, now=NOW)
            return start(prepared)

        monkeypatch.setattr(dispatch, "start", late)
        monkeypatch.setattr(dispatch, "hand_over", lambda *_: pytest.fail("handed over"))
        assert drain() == {"released": 1}
        log.refresh_from_db()
        assert (log.status, log.attempts, log.seal) == ("blocked", 0, None)
        assert not PendingDispatch.objects.exists()
        assert not list(evidence.differences())

    def test_a_message_is_not_stopped_once_its_hand_over_has_begun(self, monkeypatch):
        rule, _, log = queued()
        hand_over = dispatch.hand_over

        def late(*args):
            found = withdrawals.preview(Selection(rule=rule), now=NOW)
            assert (found.messages, found.not_stopped) == (0, {"sending": 1})
            rules.amend(rule, is_active=False, now=NOW)
            return hand_over(*args)

        monkeypatch.setattr(dispatch, "hand_over", late)
        assert drain() == {"sent": 1}
        log.refresh_from_db()
        assert log.status == "sent"

    def test_a_call_that_no_agent_has_begun_is_withdrawn(self):
        script = factories.template(communication_type="call_script", subject=None)
        rule, _, call = queued(makers.rule(template=script))
        _, _, begun = queued(rule)
        assert drain() == {"sent": 2}
        CommunicationLog.objects.filter(pk=begun.pk).update(begun_at=NOW)
        rules.amend(rule, is_active=False, now=NOW)
        for task in (call, begun):
            task.refresh_from_db()
        assert (call.outcome, begun.outcome) == ("not_called", None)
        assert call.outcome_notes.startswith("Withdrawn: The strategy rule")


def test_a_rule_that_is_switched_off_during_a_run_queues_nothing_more(monkeypatch):
    rule = makers.rule()
    makers.due_debt(rule)
    match = matching.match

    def then_off(*args, **values):
        found = match(*args, **values)
        rules.amend(rule, is_active=False, now=NOW)
        return found

    monkeypatch.setattr(matching, "match", then_off)
    assert makers.lines(makers.run()) == {rule.name: (1, 0, {"rule_inactive": 1})}
    assert not CommunicationLog.objects.exists()


class TestSelections:
    def test_a_rule_a_run_a_creditor_and_a_person(self, supervisor):
        creditor = {"original_creditor": "Northwind"}
        selections = {}
        logs = {}
        for name in ("rule", "run", "creditor", "debtor"):
            rule, run, log = queued(**(creditor if name == "creditor" else {}))
            row = {"rule": rule, "run": run, "creditor": log.debt.creditor, "debtor": log.debtor}[name]
            selections[name], logs[name] = Selection(**{name: row}), log
        for done, (name, selection) in enumerate(selections.items(), 1):
            assert withdrawals.preview(selection, now=NOW).messages == 1
            found = withdrawals.withdraw(selection, by=supervisor, reason="Wrong text", now=NOW)
            assert (found.messages, found.call_tasks, found.not_stopped) == (1, 0, {})
            assert_withdrawn(logs[name], f"Withdrawn by {supervisor}: Wrong text")
            assert CommunicationLog.objects.filter(status="queued").count() == 4 - done

    def test_exactly_one_is_needed(self):
        rule = makers.rule()
        for wrong in ({}, {"rule": rule, "debtor": factories.debtor()}):
            with pytest.raises(withdrawals.SelectorRequired):
                Selection(**wrong)

    def test_what_a_debtor_asked_for_is_left_alone(self, supervisor):
        debtor = factories.debtor()
        kept = outbox.queue(debtor=debtor, channel="sms", body="Code", purpose=Purpose.CODE, now=NOW)
        assert withdrawals.withdraw(Selection(debtor=debtor), by=supervisor, now=NOW).messages == 0
        kept.refresh_from_db()
        assert kept.status == "queued"

    def test_messages_that_are_gone_are_counted_by_status(self, supervisor):
        rule = makers.rule()
        for status in ("sent", "delivered", "sent", "uncertain", "blocked", "failed", "queued"):
            _, _, log = queued(rule)
            CommunicationLog.objects.filter(pk=log.pk).update(status=status)
        long_ago = CommunicationLog.objects.filter(status="delivered")
        long_ago.update(created_at=NOW - timedelta(days=8))
        found = withdrawals.withdraw(Selection(rule=rule), by=supervisor, now=NOW)
        assert (found.messages, found.not_stopped) == (1, {"sent": 2, "uncertain": 1})

    def test_a_message_that_was_sent_again_in_place_of_an_uncertain_one_counts_to_its_rule(self, supervisor):
        rule, run, log = queued()
        CommunicationLog.objects.update(status="uncertain", due_at=None, attempts=1)
        log.refresh_from_db()
        again = uncertain.send_again(log, by=supervisor, reason="Lost", now=NOW).replacement
        assert withdrawals.preview(Selection(run=run), now=NOW).messages == 1
        rules.amend(rule, is_active=False, now=NOW)
        again.refresh_from_db()
        assert again.status == "blocked"

    @pytest.mark.parametrize("role", ["Agent", "Auditor"])
    def test_only_a_supervisor_may(self, role):
        rule, _, log = queued()
        with pytest.raises(Forbidden):
            withdrawals.withdraw(Selection(rule=rule), by=factories.agent(role), now=NOW)
        log.refresh_from_db()
        assert log.status == "queued"


class TestApi:
    def test_a_dry_request_counts_and_changes_nothing(self, api):
        rule, _, log = queued()
        answer = api.post(PATH, {"dryRun": True, "ruleId": str(rule.pk)})
        assert answer.status_code == 200
        assert answer.json() == {"dryRun": True, "withdrawn": 1, "callTasks": 0, "notStopped": []}
        log.refresh_from_db()
        assert log.status == "queued"

    def test_each_selector_withdraws(self, api, supervisor):
        for name in ("ruleId", "runId", "originalCreditor", "debtorId"):
            rule, run, log = queued(original_creditor=f"Creditor of {name}")
            value = {
                "ruleId": str(rule.pk),
                "runId": str(run.pk),
                "originalCreditor": f" CREDITOR of {name}",
                "debtorId": str(log.debtor_id),
            }[name]
            answer = api.post(PATH, {"dryRun": False, name: value, "reason": "Wrong"})
            assert answer.json() == {"dryRun": False, "withdrawn": 1, "callTasks": 0, "notStopped": []}
            assert_withdrawn(log, f"Withdrawn by {supervisor}: Wrong")

    @pytest.mark.parametrize(
        ("body", "field", "rule"),
        [
            ({"debtorId": "{debtor}"}, "dryRun", "required"),
            ({"dryRun": "no", "debtorId": "{debtor}"}, "dryRun", "boolean"),
            ({"dryRun": False}, None, "required"),
            ({"dryRun": False, "debtorId": None}, None, "required"),
            ({"dryRun": False, "debtorId": "{debtor}", "ruleId": "{rule}"}, None, "required"),
            ({"dryRun": False, "segmentId": "x"}, "segmentId", "unknown"),
            ({"dryRun": False, "debtorId": "{debtor}", "segmentId": "x"}, "segmentId", "unknown"),
            ({"dryRun": False, "debtorsId": "{debtor}"}, "debtorsId", "unknown"),
            ({"dryRun": False, "ruleId": "00000000-0000-7000-8000-000000000000"}, "ruleId", "database.exists"),
            ({"dryRun": False, "runId": "x"}, "runId", "uuid"),
            ({"dryRun": False, "originalCreditor": "Nobody"}, "originalCreditor", "database.exists"),
        ],
    )
    def test_a_wrong_body_is_refused_and_withdraws_nothing(self, api, body, field, rule):
        made, _, log = queued()
        ids = {"{debtor}": str(log.debtor_id), "{rule}": str(made.pk)}
        answer = api.post(PATH, {name: ids.get(value, value) for name, value in body.items()})
        assert answer.status_code == 422, answer.content
        assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
        log.refresh_from_db()
        assert log.status == "queued"

    def test_a_run_shows_what_became_of_its_messages(self, api):
        rule = makers.rule()
        for _ in range(3):
            makers.due_debt(rule)
        run = makers.run()
        first, second, _ = CommunicationLog.objects.order_by("pk")
        CommunicationLog.objects.filter(pk=first.pk).update(status="sent")
        withdrawals.withdraw(Selection(debtor=second.debtor), by=factories.agent(), now=NOW)
        drain(NOW + timedelta(days=9))
        assert api.get(f"/strategy/runs/{run.pk}/outcomes").json() == {
            "data": [
                {"status": "blocked", "code": "STALE", "count": 1},
                {"status": "blocked", "code": "WITHDRAWN", "count": 1},
                {"status": "sent", "code": None, "count": 1},
            ]
        }
        assert api.get("/strategy/runs/00000000-0000-7000-8000-000000000000/outcomes").status_code == 404


def test_the_page_of_a_run_counts_blocked_messages_by_reason(supervisor):
    rule = makers.rule()
    for _ in range(5):
        makers.due_debt(rule)
    run = makers.run()
    shared, stale, other_stale, taken, _ = CommunicationLog.objects.all()
    for log, reason in ((shared, "shared_address: x"), (stale, "stale: x"), (other_stale, "stale: y; weekday: z")):
        CommunicationLog.objects.filter(pk=log.pk).update(status="blocked", due_at=None, failure_reason=reason)
    withdrawals.withdraw(Selection(debtor=taken.debtor), by=supervisor, now=NOW)
    page = Browser(supervisor).get(address(StrategyRun, "change", run.pk)).content.decode()
    cells = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for row in ("blocked Stale 2", "blocked Shared address 1", "blocked Withdrawn 1", "queued - 1"):
        assert row in cells


def test_the_queries_do_not_depend_on_the_number_of_messages(supervisor):
    assert supervisor.has_perm(withdrawals.PERMISSION)  # Asked for once.
    counts = []
    for number in (1, 20):
        rule = makers.rule()
        for _ in range(number):
            makers.due_debt(rule)
        makers.run()
        with CaptureQueriesContext(connection) as queries:
            assert withdrawals.withdraw(Selection(rule=rule), by=supervisor, now=NOW).messages == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
