"""Follow-ups: due on their day, and closed once as done, moved or dropped."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from casework import follow_ups
from casework.models import DUE, FollowUp
from ddc.common.errors import Forbidden
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TOMORROW = date(2026, 2, 2)

pytestmark = pytest.mark.django_db


def plan(**more: Any) -> FollowUp:
    values = {"due_on": TOMORROW, "text": "Ask for the receipt.", "by": factories.agent("Agent"), "now": NOW, **more}
    return follow_ups.set_for(values.pop("debtor", None) or factories.debtor(), **values)


def test_a_follow_up_is_for_its_owner_or_for_any_agent():
    agent = factories.agent("Agent")
    debt = factories.debt()
    mine = plan(debtor=debt.debtor, debt=debt, by=agent, owner=agent)
    assert (mine.owner, mine.by, mine.debt, mine.outcome) == (agent, agent, debt, None)
    assert plan().owner is None


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2029, 1, 1), date(1, 1, 1), date(9999, 12, 31)])
def test_a_day_in_the_past_or_far_ahead_is_refused(day: date):
    with pytest.raises(follow_ups.InvalidDay):
        plan(due_on=day)
    with pytest.raises(follow_ups.InvalidDay):
        follow_ups.move(plan(), due_on=day, by=factories.agent("Agent"), now=NOW)
    assert FollowUp.objects.get().outcome is None


def test_the_agency_s_day_is_the_first_one(settings: Any):
    settings.AGENCY_TIME_ZONE = "Pacific/Auckland"  # It is 2 February there.
    with pytest.raises(follow_ups.InvalidDay):
        plan(due_on=date(2026, 2, 1), now=NOW)
    plan(due_on=TOMORROW, now=NOW)


def test_it_says_what_to_do_and_about_a_debt_of_the_person():
    with pytest.raises(follow_ups.TextRequired):
        plan(text=" ")
    with pytest.raises(follow_ups.NotOfThePerson):
        plan(debt=factories.debt())
    assert not FollowUp.objects.exists()


def test_an_auditor_sets_and_closes_none():
    auditor = factories.agent("Auditor")
    with pytest.raises(Forbidden):
        plan(by=auditor)
    made = plan()
    for close in (follow_ups.finish, follow_ups.drop):
        with pytest.raises(Forbidden):
            close(made, by=auditor, now=NOW)
    assert FollowUp.objects.get().outcome is None


@pytest.mark.parametrize(("close", "outcome"), [(follow_ups.finish, "done"), (follow_ups.drop, "dropped")])
def test_it_is_closed_once_by_whom_and_when(close: Any, outcome: str):
    agent, other = factories.agent("Agent"), factories.agent("Agent")
    made = plan()
    close(made, by=agent, now=NOW, note=" Sent. ")
    made.refresh_from_db()
    assert (made.outcome, made.closed_by, made.closed_at, made.closing_note) == (outcome, agent, NOW, "Sent.")
    with pytest.raises(follow_ups.AlreadyClosed, match=str(agent)):
        follow_ups.finish(made, by=other, now=NOW)
    assert FollowUp.objects.get().closed_by == agent


def test_a_moved_one_is_continued_by_another_on_the_new_day():
    agent = factories.agent("Agent")
    debt = factories.debt()
    made = plan(debtor=debt.debtor, debt=debt, owner=agent)
    later = follow_ups.move(made, due_on=date(2026, 3, 1), by=agent, now=NOW, note="On holiday.")
    made.refresh_from_db()
    assert (made.outcome, made.due_on, made.closing_note) == ("moved", TOMORROW, "On holiday.")
    assert (later.continues, later.due_on, later.text) == (made, date(2026, 3, 1), made.text)
    assert (later.debt, later.owner, later.outcome) == (debt, agent, None)
    with pytest.raises(follow_ups.AlreadyClosed):
        follow_ups.move(made, due_on=date(2026, 4, 1), by=agent, now=NOW)
    assert FollowUp.objects.count() == 2


@pytest.mark.parametrize(
    "change", ["DELETE FROM follow_up", "UPDATE follow_up SET outcome = NULL, closed_at = NULL, closed_by_id = NULL"]
)
def test_the_database_keeps_a_closed_one_as_it_was(change: str):
    follow_ups.finish(plan(), by=factories.agent("Agent"), now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert FollowUp.objects.get().outcome == "done"


def test_those_are_due_whose_day_has_come_and_that_are_open():
    today = datetime.now(UTC)
    due, late = plan(due_on=today.date(), now=today), plan(due_on=today.date() - timedelta(9), now=today - timedelta(9))
    plan(due_on=today.date() + timedelta(1), now=today)
    follow_ups.finish(plan(due_on=today.date(), now=today), by=factories.agent("Agent"), now=today)
    assert set(FollowUp.objects.filter(DUE)) == {due, late}


def test_the_change_log_has_them():
    made = plan()
    follow_ups.finish(made, by=factories.agent("Agent"), now=NOW)
    events = AuditEvent.objects.filter(table_name="follow_up", person_id=made.debtor_id).order_by("id")
    assert [event.operation for event in events] == ["insert", "update"]
