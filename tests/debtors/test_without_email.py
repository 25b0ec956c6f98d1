"""Debtors of placement files may have no e-mail address; every other debtor needs one."""

import pytest

from debtors import debtors
from tests import factories
from tests.conftest import Api
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("email", [None, ""])
def test_the_api_requires_an_address(api: Api, email: str | None):
    answer = api.post("/debtors", {"firstName": "Ann", "lastName": "Doe", "email": email})
    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("email", "required")]


def test_an_address_is_not_taken_away(api: Api):
    debtor = factories.debtor()
    assert api.put(f"/debtors/{debtor.pk}", {"email": None}).status_code == 422


@pytest.mark.parametrize("fast", [True, False])
def test_a_debtor_without_one_is_shown_found_and_sent_back(api: Api, settings, fast: bool):
    settings.FAST_READS = fast
    debtor = debtors.create(first_name="Gus", last_name="Hale", email=None, by_file=True, today=TODAY)
    (listed,) = api.get("/debtors?search=hale").json()["data"]
    shown = api.get(f"/debtors/{debtor.pk}").json()
    assert listed["email"] is shown["email"] is None
    assert api.put(f"/debtors/{debtor.pk}", {**shown, "city": "Leeds"}).json()["city"] == "Leeds"
