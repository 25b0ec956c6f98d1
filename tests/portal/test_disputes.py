"""Debtors dispute their debts over the API and on the portal's page."""

from collections.abc import Callable
from typing import Any

import pytest

from collection import disputes
from collection.models import Dispute
from debtors.models import Debtor
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

REASON = "I sent the shoes back in May."


def dispute(api: Api, debt: Any, **values: Any) -> Any:
    return api.post("/debtors/me/disputes", {"debtId": str(debt.pk), "reason": REASON, **values})


def test_a_debtor_disputes_a_part_and_sees_it(debtor: Debtor, mine: Api):
    debt = factories.debt(debtor=debtor)

    answer = dispute(mine, debt, portion="120.5", evidence="Receipt 17")

    assert answer.status_code == 201, answer.content
    made = Dispute.objects.get()
    body = answer.json()
    assert body.pop("receivedAt") == body.pop("createdAt")
    assert body == {
        "disputeId": str(made.pk), "debtId": str(debt.pk), "portion": "120.50", "currencyCode": "GBP", "reason": REASON,
        "evidence": "Receipt 17", "channel": "portal", "status": "received", "decidedAt": None, "answer": None,
    }  # fmt: skip
    assert made.by is None
    assert [one["disputeId"] for one in mine.get("/debtors/me/disputes").json()["disputes"]] == [str(made.pk)]


def test_without_a_portion_the_whole_debt_is_disputed(debtor: Debtor, mine: Api):
    debt = factories.debt(debtor=debtor)

    assert dispute(mine, debt, portion=None).json()["portion"] is None
    assert mine.get("/debtors/me/debts").json()["debts"][0]["currentStatus"] == "disputed"


def test_my_disputes_are_listed_newest_first_with_their_outcome(
    debtor: Debtor, mine: Api, api_of: Callable[[Debtor], Api]
):
    ids = [dispute(mine, factories.debt(debtor=debtor)).json()["disputeId"] for _ in range(3)]
    other = factories.debtor()
    dispute(api_of(other), factories.debt(debtor=other))
    first = Dispute.objects.get(pk=ids[0])
    disputes.withdraw(first, answer="By phone.", by=factories.agent(), now=first.created_at)

    listed = mine.get("/debtors/me/disputes").json()["disputes"]

    assert [one["disputeId"] for one in listed] == ids[::-1]
    assert (listed[-1]["status"], listed[-1]["answer"]) == ("withdrawn", "By phone.")


def test_a_second_open_dispute_and_one_of_a_closed_debt_are_409(debtor: Debtor, mine: Api):
    debt, closed = factories.debt(debtor=debtor), factories.debt(debtor=debtor)
    type(closed).objects.filter(pk=closed.pk).update(current_status="settled")
    dispute(mine, debt)

    assert dispute(mine, debt).status_code == 409
    assert dispute(mine, closed).status_code == 409
    assert Dispute.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field", "rule"),
    [
        ({"portion": "1000.01"}, "portion", "range"),
        ({"portion": "0.001"}, "portion", "range"),
        ({"portion": 0}, "portion", "range"),
        ({"portion": "some"}, "portion", "number"),
        ({"reason": "No."}, "reason", "minLength"),
        ({"reason": "x" * 1001}, "reason", "maxLength"),
        ({"evidence": "x" * 1001}, "evidence", "maxLength"),
        ({"debtId": "0193a0f0-0000-7000-8000-000000000000"}, "debtId", "database.exists"),
    ],
)
def test_an_invalid_value_is_refused_at_its_field(
    debtor: Debtor, mine: Api, values: dict[str, Any], field: str, rule: str
):
    answer = dispute(mine, factories.debt(debtor=debtor), **values)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert not Dispute.objects.exists()


def test_the_debt_of_another_debtor_looks_unknown(mine: Api):
    assert dispute(mine, factories.debt()).json()["errors"][0]["field"] == "debtId"
    assert not Dispute.objects.exists()


def test_my_disputes_cost_the_same_queries_for_one_and_for_twenty(
    debtor: Debtor, mine: Api, django_assert_num_queries: Callable[..., Any]
):
    for count in (1, 19):
        for _ in range(count):
            factories.dispute(debt=factories.debt(debtor=debtor))
        with django_assert_num_queries(2):
            mine.get("/debtors/me/disputes")
