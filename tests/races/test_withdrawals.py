"""Withdrawals against runs that queue and workers that send."""

import functools
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from communications.models import CommunicationLog, PendingDispatch
from communications.outbox import states
from communications.sending import dispatch, worker
from strategy import matching, queueing, rules, withdrawals
from strategy.models import StrategyRule, StrategyRun
from strategy.withdrawals import Selection
from tests import factories
from tests.races.threads import at_once, refusals
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
NOW = makers.clock()
LATER = NOW + timedelta(seconds=1)
DEBTS = 40


def race_of_switching_off() -> StrategyRule:
    """Switch a rule off while a run has queued for it and not committed yet."""
    rule = makers.rule()
    for _ in range(5):
        makers.due_debt(rule)
    run = StrategyRun.objects.create(status="done", date=TODAY)

    def queue() -> None:
        matching.match([rule], day=TODAY)
        with transaction.atomic():
            queueing.queue([rule], run, now=NOW)
            time.sleep(0.6)

    def switch_off() -> None:
        time.sleep(0.3)
        rules.amend(rule, is_active=False, now=NOW)

    assert not refusals(at_once(queue, switch_off))
    return rule


def test_switching_a_rule_off_waits_for_a_run_and_withdraws_what_it_queued():
    race_of_switching_off()
    assert Counter(CommunicationLog.objects.values_list("status", flat=True)) == {"blocked": 5}


@pytest.mark.deep
def test_without_the_lock_on_the_rule_messages_of_the_run_stay_queued(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queueing, "LOCK", "")
    race_of_switching_off()
    assert Counter(CommunicationLog.objects.values_list("status", flat=True)) == {"queued": 5}


def queued() -> StrategyRule:
    rule = makers.rule()
    for _ in range(DEBTS):
        makers.due_debt(rule)
    makers.run()
    return rule


def race_with_workers(rule: StrategyRule, monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Withdraw while three workers send, each hand-over taking a while; return the ids that were handed over."""
    handed_over, has_begun = [], threading.Event()
    hand_over, mark_sending = dispatch.hand_over, dispatch.mark_sending

    def recorded(prepared: Any, senders: Any) -> Any:
        handed_over.append(prepared.message.pk)
        has_begun.set()
        time.sleep(0.02)
        return hand_over(prepared, senders)

    def late(prepared: Any) -> Any:
        if has_begun.is_set():
            time.sleep(0.2)  # The withdrawal comes between the claim and this.
        return mark_sending(prepared)

    monkeypatch.setattr(dispatch, "hand_over", recorded)
    monkeypatch.setattr(dispatch, "mark_sending", late)
    monkeypatch.setattr(dispatch, "WINDOW", 4)
    monkeypatch.setattr(worker, "MAX_BATCH", 8)
    supervisor = factories.agent()

    def withdraw() -> int:
        has_begun.wait(timeout=20)
        return withdrawals.withdraw(Selection(rule=rule), by=supervisor, now=LATER).messages

    drain = functools.partial(worker.drain, clock=lambda: LATER)
    results = at_once(withdraw, drain, drain, drain)
    assert not refusals(results)
    assert len(handed_over) == len(set(handed_over))
    assert not PendingDispatch.objects.exists()
    return set(handed_over)


def test_a_withdrawn_message_is_never_handed_over(monkeypatch: pytest.MonkeyPatch):
    handed_over = race_with_workers(queued(), monkeypatch)
    withdrawn = set(CommunicationLog.objects.filter(status="blocked").values_list("pk", flat=True))
    sent = set(CommunicationLog.objects.filter(status="sent").values_list("pk", flat=True))
    assert handed_over == sent
    assert withdrawn
    assert sent
    assert len(withdrawn) + len(sent) == DEBTS


@pytest.mark.deep
def test_without_the_condition_on_the_claim_a_withdrawn_message_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    unconditional = dispatch.MARK_SENDING.replace(
        "AND log.status || '' = 'claimed' AND log.due_at = prepared.claimed_until", ""
    )
    rule = queued()
    monkeypatch.setattr(dispatch, "MARK_SENDING", unconditional)
    blocked: set[Any] = set()
    withdraw = states.withdraw

    def recorded(ids: Any, **values: Any) -> int:
        blocked.update(ids)
        return withdraw(ids, **values)

    monkeypatch.setattr(states, "withdraw", recorded)
    assert race_with_workers(rule, monkeypatch) & blocked


def test_withdrawals_at_once_withdraw_each_message_once():
    rule = queued()
    supervisor = factories.agent()
    creditor = CommunicationLog.objects.first().debt.creditor
    selections = [Selection(rule=rule), Selection(creditor=creditor)] * 2
    results = at_once(*[functools.partial(withdrawals.withdraw, one, by=supervisor, now=LATER) for one in selections])
    assert not refusals(results)
    assert sum(result.messages for result in results) == DEBTS
