from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

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


@pytest.mark.parametrize("status", ["paid", "settled", "written_off", "recalled"])
def test_a_request_for_a_debt_closed_in_between_is_rejected_by_the_system(status: str, api: Api):
    debt = factories.debt()
    request = ask(debt)
    change: dict[str, Any] = {"current_balance": Decimal(0)} if status == "paid" else {"current_status": status}
    debts.amend(debt, by=None, today=TODAY, **change)
    with pytest.raises(deferrals.AlreadyReviewed):
        approve(request)
    request.refresh_from_db()
    assert (request.status, request.closed_by, request.reviewer, Hold.objects.count()) == (
        "rejected",
        "system",
        None,
        0,
    )
    body = api.get(f"/deferral-requests/{request.pk}").json()
    assert (body["status"], body["closedBy"], body["reviewer"]) == ("rejected", "system", None)


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


def test_a_running_deferral_outranks_a_status_set_by_hand(api: Api):
    debt = factories.debt()
    asked = approve(ask(debt))
    for status in ("active", "payment_plan", "disputed"):
        answer = api.put(f"/debts/{debt.pk}", {"currentStatus": status})
        assert answer.status_code == 409
        assert f"the running deferral {asked.pk}" in answer.json()["detail"]
    assert api.put(f"/debts/{debt.pk}", {"currentStatus": "deferred"}).status_code == 200
    assert Hold.objects.not_ended().exists()


@pytest.mark.parametrize("due", [None, TODAY - timedelta(days=3), TODAY + timedelta(days=10)])
def test_a_deferral_ended_early_gives_the_due_date_back(due: date | None):
    debt = factories.debt(due_date=due)
    asked = approve(ask(debt))
    with pytest.raises(deferrals.WhyRequired):
        deferrals.end(asked, by=factories.agent(), why=" ", now=NOW)
    deferrals.end(asked, by=factories.agent(), why="Paid by friends.", now=NOW + timedelta(days=2))
    debt.refresh_from_db()
    assert (debt.due_date, debt.current_status) == (due, "active")
    assert not Hold.objects.not_ended().exists()
    with pytest.raises(deferrals.NotRunning):
        deferrals.end(asked, by=factories.agent(), why="Again.", now=NOW)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_deferrals_each_gives_its_own_days_back(order: tuple[int, int]):
    due = TODAY + timedelta(days=4)
    debt = factories.debt(due_date=due)
    granted = [approve(ask(debt, days)) for days in (10, 20)]
    first, second = (granted[index] for index in order)
    deferrals.end(first, by=factories.agent(), why="x", now=NOW)
    debt.refresh_from_db()
    assert debt.current_status == "deferred"
    deferrals.end(second, by=factories.agent(), why="x", now=NOW)
    debt.refresh_from_db()
    assert (debt.due_date, debt.current_status) == (due, "active")


def test_a_due_date_that_was_changed_since_stays_after_an_early_end():
    debt = factories.debt(due_date=TODAY)
    asked = approve(ask(debt))
    debts.amend(debt, by=None, today=TODAY, due_date=TODAY + timedelta(days=99))
    deferrals.end(asked, by=factories.agent(), why="x", now=NOW)
    debt.refresh_from_db()
    assert debt.due_date == TODAY + timedelta(days=99)


def test_the_days_granted_on_a_debt_within_a_year_are_limited(settings: Any):
    debt = factories.debt()
    approve(ask(debt, 300))
    late = ask(debt, 66)
    with pytest.raises(deferrals.TooManyDays):
        approve(late)
    late.refresh_from_db()
    assert (late.status, Hold.objects.count()) == ("pending", 1)
    settings.DEFERRAL_DAYS_PER_YEAR = 366
    approve(late)
    settings.DEFERRAL_DAYS_PER_YEAR = 365
    approve(ask(factories.debt(), 365))  # Each debt has its own year.
    deferrals.approve(ask(debt, 365), by=factories.agent(), notes=None, now=NOW + timedelta(days=366))


def test_the_distance_of_the_due_date_does_not_count():
    debt = factories.debt(due_date=TODAY + timedelta(days=700))
    approve(ask(debt, 365))
    debt.refresh_from_db()
    assert debt.due_date == TODAY + timedelta(days=1065)


def test_the_days_of_a_deferral_count_from_the_debtors_day():
    evening = datetime(2026, 2, 1, 23, tzinfo=UTC)
    tokyo = factories.debt(debtor=factories.debtor(country_code="JP", mobile_phone=None))
    deferrals.approve(ask(tokyo, 10), by=factories.agent(), notes=None, now=evening)
    tokyo.refresh_from_db()
    assert tokyo.due_date == date(2026, 2, 12)


def test_a_deferral_is_ended_by_the_api(api: Api):
    debt = factories.debt(due_date=TODAY)
    asked = approve(ask(debt))
    path = f"/deferral-requests/{asked.pk}/end"
    assert api.put(path, {}).status_code == 422
    answer = api.put(path, {"why": "They have paid a part."})
    assert (answer.status_code, answer.json()["debt"]["dueDate"]) == (200, TODAY.isoformat())
    assert answer.json()["debt"]["currentStatus"] == "active"
    assert api.put(path, {"why": "Again."}).status_code == 409


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
