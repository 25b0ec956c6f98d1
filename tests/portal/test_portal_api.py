from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from collection.models import DebtStatus, DeferralRequest
from communications.callbacks import opens
from communications.models import CommunicationLog
from debtors.models import Debtor
from portal import activities
from portal.models import DigitalActivity
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

REASON = "I have lost my job and start a new one next month."


def ask_for_time(api: Api, debt_id: Any, **changes: Any) -> Any:
    body = {"debtId": str(debt_id), "requestedDeferralDays": 30, "reason": REASON}
    return api.post("/debtors/me/deferral-requests", {**body, **changes})


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


def test_the_profile_is_the_debtors_own(debtor: Debtor, mine: Api) -> None:
    factories.debtor()
    profile = mine.get("/debtors/me/profile").json()

    assert profile["id"] == str(debtor.pk)
    assert profile["languagePreference"] == "en"
    assert profile["languageName"] == "English"


def test_only_my_debts_are_answered_with_segment_and_totals(debtor: Debtor, mine: Api) -> None:
    segment = factories.segment()
    first = factories.debt(debtor=debtor, balance=100, segment=segment)
    second = factories.debt(debtor=debtor, balance=50)
    factories.debt()

    answer = mine.get("/debtors/me/debts").json()

    assert [debt["id"] for debt in answer["debts"]] == [str(second.pk), str(first.pk)]
    assert answer["debts"][1]["segment"]["name"] == segment.name
    assert answer["totals"]["totalCurrentBalance"] == "150.00"
    assert answer["totals"]["currencyCode"] == "GBP"


def test_my_debts_cost_the_same_queries_for_one_and_for_twenty(
    debtor: Debtor, mine: Api, django_assert_num_queries: Callable[..., Any]
) -> None:
    factories.debt(debtor=debtor, segment=factories.segment())
    with django_assert_num_queries(3):
        mine.get("/debtors/me/debts")
    for _ in range(19):
        factories.debt(debtor=debtor, segment=factories.segment())
    with django_assert_num_queries(3):
        mine.get("/debtors/me/debts")


def test_a_debtor_without_debts_sees_none(mine: Api) -> None:
    answer = mine.get("/debtors/me/debts").json()

    assert answer["debts"] == []
    assert answer["totals"]["totalCurrentBalance"] == "0.00"


def test_a_debtor_asks_for_more_time(debtor: Debtor, mine: Api) -> None:
    debt = factories.debt(debtor=debtor)

    answer = ask_for_time(mine, debt.pk)

    assert answer.status_code == 201
    asked = DeferralRequest.objects.get()
    body = answer.json()
    assert body.pop("createdAt")
    assert body == {
        "requestId": str(asked.pk), "debtId": str(debt.pk), "requestedDeferralDays": 30, "reason": REASON,
        "status": "pending", "reviewedAt": None, "reviewNotes": None,
    }  # fmt: skip
    listed = mine.get("/debtors/me/deferral-requests").json()["deferralRequests"]
    assert [request["requestId"] for request in listed] == [str(asked.pk)]


def test_my_requests_are_mine_newest_first(debtor: Debtor, mine: Api, api_of: Callable[[Debtor], Api]) -> None:
    ids = [ask_for_time(mine, factories.debt(debtor=debtor).pk).json()["requestId"] for _ in range(3)]
    other = factories.debtor()
    ask_for_time(api_of(other), factories.debt(debtor=other).pk)

    listed = mine.get("/debtors/me/deferral-requests").json()["deferralRequests"]

    assert [request["requestId"] for request in listed] == ids[::-1]


def test_a_second_pending_request_for_a_debt_is_409(debtor: Debtor, mine: Api) -> None:
    debt = factories.debt(debtor=debtor)
    ask_for_time(mine, debt.pk)

    assert ask_for_time(mine, debt.pk).status_code == 409
    assert DeferralRequest.objects.count() == 1


@pytest.mark.parametrize("status", [DebtStatus.SETTLED, DebtStatus.RECALLED])
def test_a_closed_debt_can_not_be_deferred(debtor: Debtor, mine: Api, status: str) -> None:
    debt = factories.debt(debtor=debtor)
    type(debt).objects.filter(pk=debt.pk).update(current_status=status)

    assert ask_for_time(mine, debt.pk).status_code == 409
    assert not DeferralRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"requestedDeferralDays": 0}, ("requestedDeferralDays", "range")),
        ({"requestedDeferralDays": 366}, ("requestedDeferralDays", "range")),
        ({"requestedDeferralDays": 1.5}, ("requestedDeferralDays", "number")),
        ({"requestedDeferralDays": True}, ("requestedDeferralDays", "number")),
        ({"requestedDeferralDays": None}, ("requestedDeferralDays", "required")),
        ({"reason": "too short"}, ("reason", "minLength")),
        ({"reason": "x" * 1001}, ("reason", "maxLength")),
        ({"reason": " " * 20}, ("reason", "required")),
        ({"reason": 5}, ("reason", "string")),
        ({"debtId": "5"}, ("debtId", "uuid")),
        ({"debtId": None}, ("debtId", "required")),
        ({"debtId": "00000000-0000-0000-0000-000000000000"}, ("debtId", "database.exists")),
    ],
)
def test_a_request_with_one_thing_wrong_is_422(debtor: Debtor, mine: Api, changes: Any, error: Any) -> None:
    assert errors(ask_for_time(mine, factories.debt(debtor=debtor).pk, **changes)) == [error]
    assert not DeferralRequest.objects.exists()


@pytest.mark.parametrize("days", [1, 365])
def test_a_day_and_a_year_are_within_bounds(debtor: Debtor, mine: Api, days: int) -> None:
    assert ask_for_time(mine, factories.debt(debtor=debtor).pk, requestedDeferralDays=days).status_code == 201


def test_the_debt_of_another_debtor_looks_unknown(mine: Api) -> None:
    theirs = ask_for_time(mine, factories.debt().pk)
    none = ask_for_time(mine, "00000000-0000-0000-0000-000000000000")

    assert errors(theirs) == [("debtId", "database.exists")]
    assert theirs.json() == none.json()
    assert not DeferralRequest.objects.exists()


def report(api: Api, **changes: Any) -> Any:
    return api.post("/debtors/me/activities", {"activityType": "page_view", **changes})


def test_an_activity_is_kept_as_reported(debtor: Debtor, mine: Api) -> None:
    debt = factories.debt(debtor=debtor)
    metadata = {"a": [1, 2.5, None, True, "é"], "b": {"c": 1e3}}

    answer = report(mine, path="/debts", debtId=str(debt.pk), metadata=metadata)

    assert answer.status_code == 202
    kept = DigitalActivity.objects.get()
    body = answer.json()
    assert body.pop("timestamp")
    assert body == {
        "id": str(kept.pk), "debtorId": str(debtor.pk), "debtId": str(debt.pk), "activityType": "page_view",
        "path": "/debts", "metadata": metadata,
    }  # fmt: skip
    assert kept.metadata == metadata


def test_only_the_type_of_an_activity_is_required(mine: Api) -> None:
    assert report(mine, path=None, debtId=None, metadata=None).status_code == 202
    assert report(mine, path="", debtId="").status_code == 202
    assert [kept.metadata for kept in DigitalActivity.objects.all()] == [{}, {}]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"activityType": "Page View"}, ("activityType", "regex")),
        ({"activityType": "x" * 51}, ("activityType", "regex")),
        ({"activityType": "page_view\n"}, ("activityType", "regex")),
        ({"activityType": ""}, ("activityType", "required")),
        ({"activityType": 5}, ("activityType", "string")),
        ({"path": "x" * 256}, ("path", "maxLength")),
        ({"debtId": "5"}, ("debtId", "uuid")),
        ({"debtId": "00000000-0000-0000-0000-000000000000"}, ("debtId", "database.exists")),
        ({"metadata": []}, ("metadata", "object")),
        ({"metadata": "x"}, ("metadata", "object")),
        ({"metadata": {"x": "y" * 4089}}, ("metadata", "maxLength")),
        ({"metadata": {"x": "é" * 2045}}, ("metadata", "maxLength")),
        ({"metadata": {"x": 2**63}}, ("metadata", "range")),
        ({"metadata": {"x": 1e300}}, ("metadata", "range")),
    ],
)
def test_an_activity_with_one_thing_wrong_is_422(mine: Api, changes: Any, error: Any) -> None:
    assert errors(report(mine, **changes)) == [error]
    assert not DigitalActivity.objects.exists()


def test_metadata_of_four_kibibytes_is_kept(mine: Api) -> None:
    assert report(mine, metadata={"x": "y" * 4088}).status_code == 202
    assert report(mine, metadata={"x": "é" * 2044}).status_code == 202


def test_nul_in_metadata_is_named_by_its_path(mine: Api) -> None:
    assert errors(report(mine, metadata={"a": ["\x00"]})) == [("metadata.a.0", "regex")]


def test_an_activity_cannot_refer_to_the_debt_of_another_debtor(mine: Api) -> None:
    assert errors(report(mine, debtId=str(factories.debt().pk))) == [("debtId", "database.exists")]


def test_a_sixty_first_activity_in_a_minute_is_429(debtor: Debtor, mine: Api, api_of: Callable[[Debtor], Api]) -> None:
    now = timezone.now()
    for second in range(60):
        activities.record(debtor, activity_type="page_view", now=now - timedelta(seconds=second / 2))

    answer = report(mine)

    assert answer.status_code == 429
    assert 25 <= int(answer["Retry-After"]) <= 31
    assert DigitalActivity.objects.count() == 60
    assert report(api_of(factories.debtor())).status_code == 202


def test_unknown_fields_are_ignored_and_named(mine: Api) -> None:
    answer = report(mine, colour="red", id="5")

    assert answer.status_code == 202
    assert answer["X-Ignored-Fields"] == "colour"


def test_an_opened_message_is_an_activity_of_its_debtor(debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    log = CommunicationLog.objects.create(
        debtor=debtor, debt=debt, communication_type="email", status="sent", sent_at=timezone.now()
    )
    now = timezone.now()

    opens.opened.send(CommunicationLog, message=log, now=now)

    kept = DigitalActivity.objects.get()
    assert (kept.debtor, kept.debt, kept.activity_type, kept.created_at) == (debtor, debt, "email_opened", now)
    assert kept.metadata == {"communicationLogId": str(log.pk)}


def test_staff_list_activities_by_debtor_debt_and_type(api: Api, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    now = timezone.now()
    first = activities.record(debtor, activity_type="page_view", now=now)
    second = activities.record(debtor, activity_type="email_opened", debt=debt, now=now + timedelta(seconds=1))
    other = activities.record(factories.debtor(), activity_type="page_view", now=now + timedelta(seconds=2))

    def ids(query: str) -> list[str]:
        return [row["id"] for row in api.get(f"/digital-activities?{query}").json()["data"]]

    assert ids("") == [str(row.pk) for row in (other, second, first)]
    assert ids(f"debtor_id={debtor.pk}") == [str(second.pk), str(first.pk)]
    assert ids(f"debt_id={debt.pk}") == [str(second.pk)]
    assert ids("activity_type=page_view") == [str(other.pk), str(first.pk)]
    assert ids("activity_type=&debtor_id=") == ids("limit=3")
    assert ids("activity_type=never") == []
    assert ids("limit=1&page=2") == [str(second.pk)]


@pytest.mark.parametrize("query", ["debtor_id=5", "debt_id=x", "activity_type=Page", "page=0", "limit=1001", "limit=x"])
def test_a_filter_that_can_not_be_right_is_422(api: Api, query: str) -> None:
    answer = api.get(f"/digital-activities?{query}")

    assert errors(answer)[0][0] == query.split("=")[0]


def test_the_list_costs_the_same_queries_for_one_row_and_for_fifty(
    api: Api, debtor: Debtor, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    debt = factories.debt(debtor=debtor)
    api.get("/digital-activities")
    for rows in (1, 49):
        for _ in range(rows):
            DigitalActivity.objects.create(debtor=debtor, debt=debt, activity_type="page_view")
        with django_assert_max_num_queries(4):
            api.get("/digital-activities?limit=50")
