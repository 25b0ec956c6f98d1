"""Deferral requests under threads: one pending, one decision."""

import functools
from datetime import UTC, datetime

import pytest
from django.db import connection

from agents.models import LimitKind, RoleLimit
from collection import deferral_limits, deferral_undo, deferrals
from collection.balances import ledger
from collection.models import Debt, DeferralRequest, Hold
from tests import factories
from tests.races.threads import at_once, refusals

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
THREADS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def ask(debt: Debt) -> DeferralRequest:
    return deferrals.request(debt, debtor=debt.debtor, days=30, reason="I lost my job.", now=NOW)


def race_of_requests() -> list[object]:
    debt = factories.debt()
    return at_once(*[functools.partial(ask, debt)] * THREADS)


def race_of_reviews() -> list[object]:
    asked = ask(factories.debt())
    reviewers = [factories.agent() for _ in range(THREADS)]

    def review(index: int) -> DeferralRequest:
        mine = DeferralRequest.objects.get(pk=asked.pk)
        decide = deferrals.approve if index % 2 else deferrals.reject
        return decide(mine, by=reviewers[index], notes="Because.", now=NOW)

    return at_once(*[functools.partial(review, index) for index in range(THREADS)])


def test_requests_at_once_leave_one_pending():
    results = race_of_requests()
    assert [type(refused) for refused in refusals(results)] == [deferrals.AlreadyPending] * (THREADS - 1)
    assert DeferralRequest.objects.count() == 1


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_constraint_requests_at_once_leave_several_pending(monkeypatch: pytest.MonkeyPatch):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX debt_has_one_pending_deferral_request")
    try:
        race_of_requests()
        assert DeferralRequest.objects.count() > 1
    finally:
        DeferralRequest.objects.all().delete()
        with connection.schema_editor() as editor:
            (constraint,) = [
                one for one in DeferralRequest._meta.constraints if one.name == "debt_has_one_pending_deferral_request"
            ]
            editor.add_constraint(DeferralRequest, constraint)


def test_of_reviewers_at_once_one_wins():
    results = race_of_reviews()
    assert [type(refused) for refused in refusals(results)] == [deferrals.AlreadyReviewed] * (THREADS - 1)
    decided = DeferralRequest.objects.get()
    assert Hold.objects.count() == (1 if decided.status == "approved" else 0)


@pytest.mark.deep
def test_without_the_conditional_update_reviewers_at_once_both_win(monkeypatch: pytest.MonkeyPatch):
    def look_then_save(request: DeferralRequest, status: str, *, by: object, notes: str, now: datetime) -> None:
        if request.status != "pending":
            raise deferrals.AlreadyReviewed
        request.status, request.reviewer, request.reviewed_at, request.review_notes = status, by, now, notes  # type: ignore[assignment]
        request.save()

    monkeypatch.setattr(deferrals, "decide", look_then_save)
    monkeypatch.setattr(ledger, "lock_debt", lambda pk: Debt.objects.get(pk=pk))
    results = race_of_reviews()
    assert len(refusals(results)) < THREADS - 1


def race_of_confirmations() -> int:
    """One person approves in many tabs what a second one has to confirm."""
    RoleLimit.objects.create(role="Supervisor", kind=LimitKind.DEFERRAL_SECOND_PERSON, value=1)
    asked, person = ask(factories.debt()), factories.agent()

    def approve() -> DeferralRequest:
        mine = DeferralRequest.objects.get(pk=asked.pk)
        return deferrals.approve(mine, by=person, notes=None, now=NOW)

    results = at_once(*[approve] * THREADS)
    proposed = THREADS - len(refusals(results))
    asked.refresh_from_db()
    assert (asked.status, asked.first_approver) == ("pending", person)
    assert {type(refused) for refused in refusals(results)} <= {deferral_limits.SecondPersonRequired}
    return proposed


def test_one_person_at_once_is_not_two():
    assert race_of_confirmations() == 1
    assert not Hold.objects.exists()


@pytest.mark.deep
def test_without_the_lock_one_person_approves_first_more_than_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "lock_debt", lambda key: Debt.objects.get(pk=key))
    assert race_of_confirmations() > 1


def race_of_undo_and_approval() -> tuple[Debt, int]:
    """The agent undoes an approval in many tabs at once."""
    debt = factories.debt(due_date=NOW.date())
    asked, person = ask(debt), factories.agent()
    deferrals.approve(asked, by=person, notes=None, now=NOW)
    results = at_once(*[functools.partial(deferral_undo.undo, asked, by=person, now=NOW)] * THREADS)
    debt.refresh_from_db()
    return debt, THREADS - len(refusals(results))


def test_a_decision_is_undone_once():
    debt, undone = race_of_undo_and_approval()
    assert (debt.due_date, debt.current_status, undone) == (NOW.date(), "active", 1)
