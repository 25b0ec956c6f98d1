"""The status of an open debt follows from its records: dispute, deferral, the status set by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.models import Agent
from collection import debts, deferrals, disputes, states
from collection.holds import expiry
from collection.models import Debt, Dispute, LedgerEntry
from payments import posting
from payments.reconciliation import differences
from tests import factories
from tests.conftest import Api

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.django_db


def set_by_hand(debt: Debt, status: str, **more: Any) -> Debt:
    return debts.amend(debt, by=None, today=TODAY, current_status=status, **more)


def defer(debt: Debt, days: int = 5) -> None:
    asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=NOW)
    deferrals.approve(asked, by=factories.agent(), notes=None, now=NOW)


def status(debt: Debt) -> str:
    assert list(differences()) == []
    return Debt.objects.get(pk=debt.pk).current_status


def withdraw(dispute: Dispute) -> None:
    disputes.withdraw(dispute, answer="Sorry.", by=factories.agent(), now=NOW)


def test_a_plan_set_by_hand_is_there_again_after_a_deferral_and_a_dispute():
    debt = factories.debt()
    set_by_hand(debt, "payment_plan")
    defer(debt)
    assert status(debt) == "deferred"
    dispute = factories.dispute(debt=debt)
    assert status(debt) == "disputed"
    withdraw(dispute)
    assert status(debt) == "deferred"
    expiry.expire(now=NOW + timedelta(days=6))
    assert status(debt) == "payment_plan"


def test_an_open_dispute_of_the_whole_debt_is_not_left_by_hand(api: Api):
    debt = factories.debt()
    dispute = factories.dispute(debt=debt)
    for after in ("active", "payment_plan", "deferred"):
        answer = api.put(f"/debts/{debt.pk}", {"currentStatus": after})
        assert answer.status_code == 409
        assert f"the open dispute {dispute.pk}" in answer.json()["detail"]
        assert answer.json()["errors"][0]["field"] == "currentStatus"
    assert api.put(f"/debts/{debt.pk}", {"currentStatus": "disputed"}).status_code == 200
    assert status(debt) == "disputed"


def test_a_dispute_outranks_a_deferral_whichever_came_first():
    for order in (
        (defer, lambda debt: factories.dispute(debt=debt)),
        (lambda debt: factories.dispute(debt=debt), defer),
    ):
        debt = factories.debt()
        for step in order:
            step(debt)
        assert status(debt) == "disputed"


def test_a_dispute_of_a_part_decides_no_status():
    debt = factories.debt()
    factories.dispute(debt=debt, portion=Decimal(10))
    set_by_hand(debt, "payment_plan")
    assert status(debt) == "payment_plan"


@pytest.mark.parametrize("closed", ["settled", "written_off", "recalled"])
@pytest.mark.parametrize(
    ("cause", "after"),
    [
        (defer, "deferred"),
        (lambda debt: factories.dispute(debt=debt), "disputed"),
        (lambda debt: set_by_hand(debt, "payment_plan"), "payment_plan"),
        (lambda debt: None, "active"),
    ],
)
def test_a_reopened_debt_has_the_status_of_its_records(closed: str, cause: Callable[[Debt], object], after: str):
    debt = factories.debt(balance="500")
    cause(debt)
    set_by_hand(debt, closed)
    assert status(debt) == closed
    set_by_hand(debt, "active")
    assert status(debt) == after


def test_a_reversed_payment_reopens_the_debt_as_what_is_so_now():
    debt = factories.debt(balance="500")
    defer(debt)
    payment = posting.record(debt=debt, amount=Decimal(500), by=None, today=TODAY)
    assert status(debt) == "paid"
    expiry.expire(now=NOW + timedelta(days=6))
    posting.void(payment, by=factories.agent(), today=TODAY)
    assert status(debt) == "active"


def test_a_payment_given_back_is_disputed_too_where_the_whole_debt_is():
    debt = factories.debt(balance="140")
    payment = posting.record(debt=debt, amount=Decimal(40), by=None, today=TODAY)
    factories.dispute(debt=debt)
    posting.void(payment, by=factories.agent(), today=TODAY)
    debt.refresh_from_db()
    assert (debt.current_balance, debt.disputed_amount, debt.undisputed) == (140, 140, 0)
    assert status(debt) == "disputed"


def test_a_status_set_by_hand_has_author_time_reason_and_end(api: Api, supervisor: Agent):
    debt = factories.debt()
    until = (datetime.now(UTC) + timedelta(days=30)).date()
    body = {"currentStatus": "payment_plan", "statusReason": "Agreed by phone.", "statusUntil": until.isoformat()}
    assert api.put(f"/debts/{debt.pk}", body).status_code == 200
    by_hand = api.get(f"/debts/{debt.pk}").json()["statusByHand"]
    assert by_hand.pop("at")
    assert by_hand == {
        "status": "payment_plan", "by": {"id": str(supervisor.pk), "name": supervisor.name}, "reason": "Agreed by phone.",
        "until": until.isoformat(),
    }  # fmt: skip
    expiry.expire(now=datetime.combine(until, NOW.timetz()) - timedelta(days=1))
    assert status(debt) == "payment_plan"
    expiry.expire(now=datetime.combine(until, NOW.timetz()))
    assert status(debt) == "active"
    assert api.get(f"/debts/{debt.pk}").json()["statusByHand"] is None


def test_an_end_that_has_passed_is_refused():
    debt = factories.debt()
    with pytest.raises(states.EndsTooSoon):
        set_by_hand(debt, "payment_plan", status_until=TODAY)
    assert status(debt) == "active"
    set_by_hand(debt, "payment_plan")
    set_by_hand(debt, "payment_plan", status_until=TODAY + timedelta(days=9), status_reason="For a week.")
    debt.refresh_from_db()
    assert (debt.hand_status_until, debt.hand_status_reason) == (TODAY + timedelta(days=9), "For a week.")


def test_the_end_of_a_status_follows_the_agencys_day(settings: Any):
    settings.AGENCY_TIME_ZONE = "Pacific/Kiritimati"
    debt = factories.debt()
    set_by_hand(debt, "payment_plan", status_until=TODAY + timedelta(days=1))
    expiry.expire(now=NOW - timedelta(hours=3))
    assert status(debt) == "payment_plan"
    expiry.expire(now=NOW - timedelta(hours=2))
    assert status(debt) == "active"


def test_a_status_that_ends_while_a_record_outranks_it_is_gone_afterwards():
    debt = factories.debt()
    set_by_hand(debt, "payment_plan", status_until=TODAY + timedelta(days=2))
    dispute = factories.dispute(debt=debt)
    expiry.expire(now=NOW + timedelta(days=3))
    assert status(debt) == "disputed"
    withdraw(dispute)
    assert status(debt) == "active"


@pytest.mark.parametrize("portion", [None, Decimal(40)])
def test_the_currency_is_fixed_while_an_amount_is_disputed(api: Api, portion: Decimal | None):
    debt = factories.debt(balance="100")
    dispute = factories.dispute(debt=debt, portion=portion)
    answer = api.put(f"/debts/{debt.pk}", {"currencyCode": "JPY"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "currencyCode")
    assert LedgerEntry.objects.count() == 1
    withdraw(dispute)
    assert api.put(f"/debts/{debt.pk}", {"currencyCode": "JPY"}).status_code == 200
    assert status(debt) == "active"


def test_another_currency_leaves_a_pending_deferral_request_and_the_status_alone():
    debt = factories.debt(balance="100")
    set_by_hand(debt, "payment_plan")
    asked = deferrals.request(debt, debtor=debt.debtor, days=3, reason="I lost my job.", now=NOW)
    debts.amend(debt, by=None, today=TODAY, currency_code="JPY")
    asked.refresh_from_db()
    assert (asked.status, status(debt)) == ("pending", "payment_plan")


@pytest.mark.parametrize("closed", ["settled", "written_off"])
def test_a_closed_debt_is_reopened_with_its_balance_and_its_records_in_one_request(api: Api, closed: str):
    debt = factories.debt(balance="80")
    defer(debt)
    set_by_hand(debt, closed)
    answer = api.put(f"/debts/{debt.pk}", {"currentStatus": "active", "currentBalance": "50.00"})
    assert (answer.status_code, answer.json()["currentBalance"]) == (200, "50.00")
    assert answer.json()["currentStatus"] == status(debt) == "deferred"


def test_recalled_debts_are_not_listed_to_their_debtor(api_of_debtor: Callable[[Debt], Api]):
    recalled = factories.debt(balance="70")
    other = factories.debt(debtor=recalled.debtor, balance="30")
    set_by_hand(recalled, "recalled")
    answer = api_of_debtor(recalled).get("/debtors/me/debts").json()
    assert [debt["id"] for debt in answer["debts"]] == [str(other.pk)]
    assert answer["totals"]["totalCurrentBalance"] == "30.00"


@pytest.fixture
def api_of_debtor() -> Callable[[Debt], Api]:
    from portal import tokens

    return lambda debt: Api(tokens.issue(debt.debtor, now=datetime.now(UTC))[0])
