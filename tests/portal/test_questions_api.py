"""The second question over the API."""

from datetime import date
from typing import Any

import pytest

from debtors.models import Debtor
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import ask, code_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def debtor() -> Debtor:
    return factories.debtor(dob=date(1984, 3, 27), postal_code="SW1A 1AA")


def verify(debtor: Debtor) -> Any:
    code = code_of(ask(debtor))
    return Api().post("/debtors/auth/verify-otp", {"mobilePhone": debtor.mobile_phone, "otpCode": code}).json()


def answer(question: Any, text: str) -> Any:
    return Api().post("/debtors/auth/answer", {"questionToken": question["questionToken"], "answer": text})


def test_the_api_asks_nothing_by_default(debtor: Debtor) -> None:
    assert verify(debtor)["debtor"]["id"] == str(debtor.pk)


def test_the_api_asks_the_second_question_where_it_is_set(debtor: Debtor, settings: Any) -> None:
    settings.SECOND_QUESTION = "api"
    asked = verify(debtor)
    assert asked.keys() == {"token", "question", "questionToken"}
    assert (asked["token"], asked["question"]) == (None, "dob")
    assert answer(asked, "1984-03-28").status_code == 401

    signed_in = answer(asked, "1984-03-27")

    assert signed_in.status_code == 200
    assert Api(signed_in.json()["token"]).get("/debtors/me/profile").json()["id"] == str(debtor.pk)
    assert answer(asked, "1984-03-27").status_code == 401, "a question is answered once"


def test_three_wrong_answers_end_it_and_a_debtor_without_answer_is_asked_nothing(debtor: Debtor, settings: Any) -> None:
    settings.SECOND_QUESTION = "api"
    asked = verify(debtor)
    assert {answer(asked, "no").status_code for _ in range(3)} == {401}
    assert answer(asked, "1984-03-27").status_code == 401

    assert verify(factories.debtor(postal_code="12345"))["question"] == "postalCode"
    assert verify(factories.debtor())["token"]
