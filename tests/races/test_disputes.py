"""Disputes under threads: one open, one decision."""

import functools
import time

import pytest
from django.db import connection
from django.utils.timezone import now

from collection import debts, disputes, states, statuses
from collection.balances import ledger
from collection.models import Debt, Dispute, Hold
from payments import reconciliation
from tests import factories
from tests.races.threads import at_once, refusals

THREADS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def race_of_disputes():
    debt = factories.debt()
    return at_once(*[functools.partial(factories.dispute, debt=debt)] * THREADS)


def race_of_decisions():
    dispute = disputes.ask_creditor(factories.dispute(), by=factories.agent(), now=now())
    bosses = [factories.agent() for _ in range(THREADS)]

    def decide(index):
        mine, rule = Dispute.objects.get(pk=dispute.pk), disputes.verify if index % 2 else disputes.recall
        return rule(mine, answer="The contract.", by=bosses[index], now=now())

    return at_once(*[functools.partial(decide, index) for index in range(THREADS)])


def test_of_disputes_at_once_one_is_open():
    results = race_of_disputes()
    assert [type(refused) for refused in refusals(results)] == [disputes.AlreadyDisputed] * (THREADS - 1)
    assert (Dispute.objects.count(), Hold.objects.count()) == (1, 1)


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_constraint_disputes_at_once_are_open_together():
    (constraint,) = [one for one in Dispute._meta.constraints if one.name == "debt_has_one_open_dispute"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Dispute, constraint)
    try:
        race_of_disputes()
        assert Dispute.objects.count() > 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE hold_event, hold, dispute CASCADE")
        with connection.schema_editor() as editor:
            editor.add_constraint(Dispute, constraint)


def test_of_decisions_at_once_one_counts():
    results = race_of_decisions()
    assert [type(refused) for refused in refusals(results)] == [disputes.InvalidTransition] * (THREADS - 1)
    decided, debt = Dispute.objects.get(), Debt.objects.get()
    assert debt.current_status == ("active" if decided.status == "verified" else "recalled")
    assert not Hold.objects.not_ended().exists()


@pytest.mark.deep
def test_without_lock_and_conditional_update_several_decisions_count(monkeypatch):
    def look_then_save(dispute, after, *, before, now, **changes):
        if dispute.status not in before:
            raise disputes.InvalidTransition(dispute.status, after)
        Dispute.objects.filter(pk=dispute.pk).update(status=after, updated_at=now, **changes)
        dispute.status = after

    monkeypatch.setattr(disputes, "change_status", look_then_save)
    monkeypatch.setattr(ledger, "lock_debt", lambda pk: Debt.objects.get(pk=pk))
    assert len(refusals(race_of_decisions())) < THREADS - 1


def race_with_a_status_set_by_hand():
    debt = factories.debt()

    def by_hand():
        return debts.amend(debt, by=None, today=now().date(), current_status="payment_plan")

    results = at_once(by_hand, functools.partial(factories.dispute, debt=debt))
    debt.refresh_from_db()
    return debt, results


def test_a_dispute_outranks_a_status_set_at_the_same_time():
    debt, results = race_with_a_status_set_by_hand()
    assert all(isinstance(refused, states.Outranked) for refused in refusals(results))
    assert debt.current_status == "disputed"
    assert list(reconciliation.differences()) == []


@pytest.mark.deep
def test_without_the_lock_a_status_set_at_the_same_time_hides_the_dispute(monkeypatch):
    outranking = statuses.outranking

    def slow(debt):
        record = outranking(debt)
        if record is None:
            time.sleep(0.5)  # The dispute comes in between.
        return record

    monkeypatch.setattr(ledger, "lock_debt", lambda pk: Debt.objects.get(pk=pk))
    monkeypatch.setattr(statuses, "outranking", slow)
    race_with_a_status_set_by_hand()
    assert [found.check for found in reconciliation.differences()] == [
        "an open debt has the status that its records give it"
    ]
