"""Dates of debtors and debts that can't be, and whose day it is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from collection import debts
from collection.models import Debt
from ddc.common import days
from debtors import debtors
from debtors.models import Debtor
from portal import account
from tests import factories
from tests.conftest import Api

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("dob", ["1800-01-01", "0001-01-01", "1899-12-31", "2099-01-01"])
def test_nobody_alive_was_born_then(api: Api, dob: str):
    person = {"firstName": "Ann", "lastName": "Smith", "email": "ann@example.com", "dob": dob}
    answer = api.post("/debtors", person)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dob")
    assert not Debtor.objects.exists()
    debtor = factories.debtor()
    assert api.put(f"/debtors/{debtor.pk}", {"dob": dob}).status_code == 422


def test_a_centenarian_is_accepted():
    born = date(1905, 1, 1)
    assert debtors.create(first_name="A", last_name="B", email="a@example.com", dob=born, today=TODAY).dob == born


@pytest.mark.parametrize(
    ("field", "day"),
    [
        ("placementDate", "0001-01-01"), ("placementDate", "1969-12-31"), ("placementDate", "2099-01-01"),
        ("dueDate", "0001-01-01"), ("dueDate", "2099-01-01"), ("dueDate", "9999-12-31"),
    ],
)  # fmt: skip
def test_a_debt_is_not_placed_or_due_then(api: Api, field: str, day: str):
    body = {"debtorId": str(factories.debtor().pk), "originalCreditor": "A", "originalBalance": 5, field: day}
    answer = api.post("/debts", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not Debt.objects.exists()
    debt = factories.debt()
    answer = api.put(f"/debts/{debt.pk}", {field: day})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_stored_date_may_be_sent_back():
    debt = factories.debt()
    Debt.objects.filter(pk=debt.pk).update(placement_date=date(1950, 1, 1))
    debt = debts.amend(debt, by=None, today=TODAY, placement_date=date(1950, 1, 1), due_date=TODAY)
    assert debt.due_date == TODAY


def test_a_debt_is_overdue_by_the_debtors_clock():
    """At 23:30 UTC the day is over in London in summer, but not in California."""
    moment = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    for location, overdue in (({"country_code": "GB"}, True), ({"country_code": "US", "region_state": "CA"}, False)):
        debtor = factories.debtor(mobile_phone=None, **location)
        factories.debt(debtor=debtor, due_date=date(2026, 6, 30))
        (card,) = account.load(debtor, now=moment).cards
        assert (card.debt.due_date < card.today) == overdue


def test_the_dashboard_counts_by_the_agencys_day(settings: Any):
    from collection.balances import totals

    factories.debt(balance="70", due_date=date(2026, 6, 30))
    moment = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert totals.dashboard(now=moment).total_debt_amount_overdue == 0
    settings.AGENCY_TIME_ZONE = "Europe/London"
    assert totals.dashboard(now=moment).total_debt_amount_overdue == 70


def test_a_debt_placed_without_a_day_is_placed_on_the_agencys(api: Api, settings: Any):
    from django.utils.timezone import now

    settings.AGENCY_TIME_ZONE = "Pacific/Kiritimati"
    body = {"debtorId": str(factories.debtor().pk), "originalCreditor": "A", "originalBalance": 5}
    assert api.post("/debts", body).json()["placementDate"] == days.agency_today(now()).isoformat()
