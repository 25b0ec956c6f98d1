"""Who may grant which deferral: limits, fewer days, a second person, a Supervisor, and undoing a decision."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agents.limits import AboveLimit
from agents.models import Agent, LimitKind, RoleLimit
from audit.models import AuditEvent
from collection import deferral_limits, deferral_steps, deferral_undo, deferrals
from collection.models import Debt, DeferralRequest, ExchangeRate, Hold
from ddc.common.errors import Forbidden
from tests import factories
from tests.conftest import Api

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.django_db


def ask(debt: Debt | None = None, days: int = 30, **values: Any) -> DeferralRequest:
    debt = debt or factories.debt(**values)
    return deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=NOW)


def limit(role: str, kind: LimitKind, value: int) -> None:
    RoleLimit.objects.create(role=role, kind=kind, value=value)


def approve(request: DeferralRequest, by: Agent | None = None, days: int | None = None) -> DeferralRequest:
    return deferrals.approve(request, by=by or factories.agent("Agent"), notes=None, days=days, now=NOW)


def state(request: DeferralRequest) -> tuple[Any, ...]:
    """All that a decision changes, of the request, its debt and the holds in effect."""
    (row,) = DeferralRequest.objects.filter(pk=request.pk).values()
    debt = Debt.objects.get(pk=request.debt_id)
    row.pop("updated_at")
    return row, debt.due_date, debt.current_status, Hold.objects.not_ended().count()


def test_fewer_days_than_asked_are_granted():
    asked = ask(days=45, due_date=TODAY)
    approve(asked, days=30)
    asked.refresh_from_db()
    assert (asked.granted_days, asked.granted_until) == (30, TODAY + timedelta(days=30))
    assert Debt.objects.get().due_date == TODAY + timedelta(days=30)


@pytest.mark.parametrize("days", [-1, 31, 366])
def test_other_days_than_asked_are_not_granted(days: int):
    asked = ask()
    before = state(asked)
    with pytest.raises(deferrals.MoreThanAsked):
        approve(asked, days=days)
    assert state(asked) == before


def test_only_granted_days_count_towards_those_of_a_year(settings: Any):
    settings.DEFERRAL_DAYS_PER_YEAR = 40
    debt = factories.debt()
    approve(ask(debt, days=300), days=10)
    approve(ask(debt, days=30))
    with pytest.raises(deferrals.TooManyDays):
        approve(ask(debt, days=1))


def test_above_a_limit_an_agent_grants_nothing_and_a_supervisor_does():
    limit("Agent", LimitKind.DEFERRAL_DAYS, 60)
    limit("Agent", LimitKind.DEFERRAL_AMOUNT, 10_000)
    long, large = (
        ask(days=61, currency_code="USD"),
        ask(current_balance=Decimal("10000.01"), original_balance=Decimal(20_000), currency_code="USD"),
    )
    for asked, named in ((long, "60 days"), (large, "10,000.00 USD")):
        before = state(asked)
        with pytest.raises(AboveLimit, match=f"{named}.*Supervisor must decide"):
            approve(asked)
        assert state(asked) == before
    approve(long, days=60)
    approve(large, by=factories.agent("Supervisor"))
    assert Hold.objects.count() == 2


def test_a_limit_in_the_reporting_currency_counts_for_debts_in_others():
    limit("Agent", LimitKind.DEFERRAL_AMOUNT, 100)
    amounts = {"current_balance": Decimal(80), "original_balance": Decimal(80), "currency_code": "EUR"}
    with pytest.raises(AboveLimit, match="no exchange rate"):
        approve(ask(**amounts))
    ExchangeRate.objects.create(date=TODAY, currency_code="USD", per_euro=Decimal("1.2"))
    approve(ask(**amounts))
    ExchangeRate.objects.update(per_euro=Decimal("1.3"))
    with pytest.raises(AboveLimit):
        approve(ask(**amounts))


def test_the_api_refuses_what_is_above_the_reviewers_limit(api_as: Callable[[Agent], Api]):
    limit("Agent", LimitKind.DEFERRAL_DAYS, 60)
    asked = ask(days=61)
    api, path = api_as(factories.agent("Agent")), f"/deferral-requests/{asked.pk}/approve"
    answer = api.put(path, {})
    assert answer.status_code == 409
    assert "at most 60 days" in answer.json()["detail"]
    asked.refresh_from_db()
    assert asked.status == "pending"
    assert api.put(path, {"grantedDays": 62}).status_code == 422
    body = api.put(path, {"grantedDays": 45}).json()
    assert (body["status"], body["grantedDays"], body["requestedDeferralDays"]) == ("approved", 45, 61)


def test_the_api_shows_that_a_second_person_is_needed(api: Api, api_as: Callable[[Agent], Api]):
    limit("Supervisor", LimitKind.DEFERRAL_SECOND_PERSON, 500)
    path = f"/deferral-requests/{ask().pk}/approve"
    body = api.put(path, {}).json()
    assert (body["status"], body["grantedDays"], body["reviewer"]) == ("pending", 30, None)
    assert body["firstApprover"]["name"]
    assert api.put(path, {}).status_code == 409
    assert api_as(factories.agent()).put(path, {}).json()["status"] == "approved"


def test_above_the_second_limit_another_person_confirms():
    limit("Supervisor", LimitKind.DEFERRAL_SECOND_PERSON, 500)
    asked = ask(days=45)
    first, second = factories.agent(), factories.agent()
    approve(asked, by=first, days=40)
    assert (asked.status, asked.first_approver, asked.granted_days) == ("pending", first, 40)
    assert not Hold.objects.exists()
    with pytest.raises(deferral_limits.SecondPersonRequired):
        approve(asked, by=first)
    approve(asked, by=second)
    assert (asked.status, asked.reviewer, asked.granted_days) == ("approved", second, 40)


def test_a_second_person_who_grants_other_days_is_confirmed_in_turn():
    limit("Supervisor", LimitKind.DEFERRAL_SECOND_PERSON, 500)
    asked = ask(days=45)
    first, second = factories.agent(), factories.agent()
    approve(asked, by=first)
    approve(asked, by=second, days=20)
    assert (asked.status, asked.first_approver) == ("pending", second)
    approve(asked, by=first)
    assert (asked.status, asked.reviewer, asked.granted_days) == ("approved", first, 20)


def test_the_database_refuses_one_person_as_both():
    asked = ask()
    approve(asked)
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        DeferralRequest.objects.update(first_approver=asked.reviewer)


def test_the_first_person_may_still_reject():
    limit("Supervisor", LimitKind.DEFERRAL_SECOND_PERSON, 500)
    asked, first = ask(), factories.agent()
    approve(asked, by=first)
    deferrals.reject(asked, by=first, notes="On second thoughts, no.", now=NOW)
    assert asked.status == "rejected"


def test_what_was_sent_to_a_supervisor_a_supervisor_decides():
    asked, agent = ask(), factories.agent("Agent")
    deferral_steps.send_to_supervisor(asked, by=agent, now=NOW)
    deferral_steps.send_to_supervisor(asked, by=factories.agent("Agent"), now=NOW + timedelta(hours=1))
    assert (asked.escalated_by, asked.escalated_at) == (agent, NOW)
    before = state(asked)
    for decide in (deferrals.approve, deferrals.reject):
        with pytest.raises(deferral_limits.SentToSupervisor):
            decide(asked, by=agent, notes="No.", now=NOW)
    assert state(asked) == before
    approve(asked, by=factories.agent())
    with pytest.raises(deferrals.AlreadyReviewed):
        deferral_steps.send_to_supervisor(asked, by=agent, now=NOW)


def test_a_question_leaves_the_request_pending():
    asked = ask()
    with pytest.raises(deferral_steps.QuestionRequired):
        deferral_steps.ask(asked, by=factories.agent("Agent"), question=" ", now=NOW)
    with pytest.raises(Forbidden):
        deferral_steps.ask(asked, by=factories.agent("Auditor"), question="Why?", now=NOW)
    deferral_steps.ask(asked, by=factories.agent("Agent"), question="Why?", now=NOW)
    assert (asked.status, asked.question, asked.question_at) == ("pending", "Why?", NOW)


@pytest.mark.parametrize("due", [None, TODAY - timedelta(days=9), TODAY + timedelta(days=9)])
@pytest.mark.parametrize("decision", ["approve", "approve_fewer", "reject"])
def test_an_undone_decision_leaves_everything_as_it_was(due: Any, decision: str):
    asked, agent = ask(due_date=due), factories.agent("Agent")
    before = state(asked)
    if decision == "reject":
        deferrals.reject(asked, by=agent, notes="No.", now=NOW)
    else:
        approve(asked, by=agent, days=9 if decision == "approve_fewer" else None)
    assert state(asked) != before
    deferral_undo.undo(asked, by=agent, now=NOW + timedelta(seconds=30))
    assert state(asked) == before
    approve(asked, by=agent)  # It can be decided again.
    assert Debt.objects.get().current_status == "deferred"


def test_the_second_persons_confirmation_is_undone_to_the_first_approval():
    limit("Supervisor", LimitKind.DEFERRAL_SECOND_PERSON, 500)
    asked, first, second = ask(), factories.agent(), factories.agent()
    fresh = state(asked)
    approve(asked, by=first, days=20)
    before = state(asked)
    approve(asked, by=second)
    deferral_undo.undo(asked, by=second, now=NOW)
    assert state(asked) == before
    deferral_undo.undo(asked, by=first, now=NOW)
    assert state(asked) == fresh


def test_a_decision_is_undone_only_by_its_agent_and_only_for_a_moment():
    asked, agent = ask(), factories.agent()
    with pytest.raises(deferral_undo.NothingToUndo):
        deferral_undo.undo(asked, by=agent, now=NOW)
    approve(asked, by=agent)
    before = state(asked)
    with pytest.raises(deferral_undo.NotYours):
        deferral_undo.undo(asked, by=factories.agent(), now=NOW)
    with pytest.raises(deferral_undo.TooLate):
        deferral_undo.undo(asked, by=agent, now=NOW + timedelta(seconds=31))
    deferrals.end(asked, by=agent, why="Paid.", now=NOW)
    with pytest.raises(deferral_undo.TooLate):
        deferral_undo.undo(asked, by=agent, now=NOW)
    assert state(asked)[0] == before[0]


def test_a_decision_is_not_undone_once_the_debtor_has_asked_again():
    debt, agent = factories.debt(), factories.agent()
    asked = ask(debt)
    deferrals.reject(asked, by=agent, notes="No.", now=NOW)
    ask(debt)
    with pytest.raises(deferrals.AlreadyPending):
        deferral_undo.undo(asked, by=agent, now=NOW)


def test_the_change_log_has_each_step():
    asked, agent = ask(), factories.agent("Agent")
    approve(asked, by=agent, days=20)
    deferral_undo.undo(asked, by=agent, now=NOW)
    events = AuditEvent.objects.filter(table_name="deferral_requests", row_id=str(asked.pk)).order_by("id")
    statuses = [event.after["status"] for event in events if "status" in event.after]
    assert statuses == ["pending", "approved", "pending"]
    assert {event.person_id for event in events} == {asked.debtor_id}
