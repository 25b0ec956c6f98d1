from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from collection import debts, deferrals
from collection.holds import expiry
from collection.models import Debt, DeferralRequest, Hold
from ddc.common.errors import Forbidden
from tests import factories
from tests.conftest import Api

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.django_db


def ask(debt: Debt, days: int = 30) -> DeferralRequest:
    return deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=NOW)


def approve(request: DeferralRequest) -> DeferralRequest:
    return deferrals.approve(request, by=factories.agent(), notes=None, now=NOW)


@pytest.mark.parametrize(
    ("due", "until"),
    [
        (None, TODAY + timedelta(days=30)),
        (TODAY - timedelta(days=90), TODAY + timedelta(days=30)),
        (TODAY + timedelta(days=10), TODAY + timedelta(days=40)),
    ],
)
def test_approval_counts_from_the_later_of_due_date_and_today(due: date | None, until: date):
    debt = factories.debt(due_date=due)
    approve(ask(debt))
    debt.refresh_from_db()
    assert (debt.due_date, debt.current_status) == (until, "deferred")
    hold = Hold.objects.get(debt=debt)
    assert (hold.reason, hold.starts_on, hold.ends_on) == ("deferral", TODAY, until)


def test_a_debtor_defers_only_their_own_debts():
    with pytest.raises(deferrals.DebtOfAnotherDebtor):
        deferrals.request(factories.debt(), debtor=factories.debtor(), days=5, reason="I lost my job.", now=NOW)
    assert not DeferralRequest.objects.exists()


def test_a_closed_debt_can_not_be_deferred():
    debt = factories.debt()
    debts.amend(debt, by=None, today=TODAY, current_status="settled")
    with pytest.raises(deferrals.DebtNotOpen):
        ask(debt)
    assert not DeferralRequest.objects.exists()


def test_a_debt_has_at_most_one_pending_request():
    debt = factories.debt()
    request = ask(debt)
    with pytest.raises(deferrals.AlreadyPending):
        ask(debt)
    deferrals.reject(request, by=factories.agent(), notes="No.", now=NOW)
    ask(debt)
    assert DeferralRequest.objects.count() == 2


def test_a_decision_is_made_once():
    debt = factories.debt()
    request = ask(debt)
    approve(request)
    for decide in (deferrals.approve, deferrals.reject):
        with pytest.raises(deferrals.AlreadyReviewed):
            decide(request, by=factories.agent(), notes="Again.", now=NOW)
    assert Hold.objects.count() == 1


def test_a_request_for_a_debt_paid_in_between_stays_pending():
    debt = factories.debt()
    request = ask(debt)
    debts.amend(debt, by=None, today=TODAY, current_balance=Decimal(0))
    with pytest.raises(deferrals.DebtNotOpen):
        approve(request)
    request.refresh_from_db()
    assert (request.status, Hold.objects.count()) == ("pending", 0)


def test_a_rejection_is_explained():
    request = ask(factories.debt())
    for notes in (None, "", "  "):
        with pytest.raises(deferrals.NotesRequired):
            deferrals.reject(request, by=factories.agent(), notes=notes, now=NOW)
    request.refresh_from_db()
    assert request.status == "pending"


def test_an_auditor_may_not_review():
    request = ask(factories.debt())
    with pytest.raises(Forbidden):
        deferrals.approve(request, by=factories.agent("Auditor"), notes=None, now=NOW)
    request.refresh_from_db()
    assert request.status == "pending"


def test_the_debt_is_active_again_after_the_deferral():
    debt = factories.debt()
    approve(ask(debt, days=5))
    assert expiry.expire(now=NOW + timedelta(days=4)) == 0
    assert expiry.expire(now=NOW + timedelta(days=5)) == 1
    debt.refresh_from_db()
    assert debt.current_status == "active"
    assert expiry.expire(now=NOW + timedelta(days=5)) == 0


def test_a_status_deferred_set_by_hand_does_not_end():
    debt = factories.debt(current_status="deferred")
    assert expiry.expire(now=NOW + timedelta(days=500)) == 0
    debt.refresh_from_db()
    assert debt.current_status == "deferred"


def test_a_debt_paid_while_deferred_returns_as_active_after_the_deferral():
    debt = factories.debt()
    approve(ask(debt, days=5))
    debts.amend(debt, by=None, today=TODAY, current_balance=Decimal(0))
    expiry.expire(now=NOW + timedelta(days=5))
    debt = debts.amend(debt, by=None, today=TODAY, current_balance=Decimal(7))
    assert debt.current_status == "active"


def test_an_agent_who_makes_a_deferred_debt_active_ends_the_hold():
    debt = factories.debt()
    approve(ask(debt))
    debts.amend(debt, by=None, today=TODAY, current_status="active")
    assert not Hold.objects.not_ended().exists()


def test_the_api_answers_a_review_with_the_whole_request(api: Api):
    request = ask(factories.debt())
    path = f"/deferral-requests/{request.pk}"
    wrong = api.put(f"{path}/approve", {"status": "rejected"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "status")
    missing = api.put(f"{path}/reject")
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "reviewNotes")
    answer = api.put(f"{path}/approve", {"status": "approved", "reviewNotes": "Good luck."})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["reviewNotes"], body["requestId"]) == ("approved", "Good luck.", str(request.pk))
    assert set(body["reviewer"]) == {"id", "name"}
    assert (body["debt"]["currentStatus"], body["debtor"]["id"]) == ("deferred", str(request.debtor_id))
    assert api.put(f"{path}/reject", {"reviewNotes": "No."}).status_code == 409
    assert api.get(f"/deferral-requests?status=approved&debtId={request.debt_id}").json()["meta"]["total"] == 1
    assert api.get("/deferral-requests?status=pending").json()["meta"]["total"] == 0
