"""Simultaneous wrong passwords are counted one after another, before they are hashed."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from agents.models import SignInAttempt
from agents.sign_in_limits import PER_ADDRESS, PER_NAME_AND_ADDRESS
from ddc.common.errors import TooMany
from tests.races.threads import at_once, count_together, refusals

pytestmark = pytest.mark.django_db(transaction=True)


def guess(name: str) -> Any:
    request = RequestFactory().post("/auth/token", REMOTE_ADDR="192.0.2.1")
    return lambda: authenticate(request, username=name, password="wrong")


def test_of_twenty_simultaneous_guesses_ten_are_hashed() -> None:
    results = at_once(*[guess("ann")] * 20)

    assert [type(each) for each in refusals(results)] == [TooMany] * (20 - PER_NAME_AND_ADDRESS)
    assert SignInAttempt.objects.count() == PER_NAME_AND_ADDRESS


def test_simultaneous_guesses_of_many_names_stay_within_the_limit_of_their_address() -> None:
    results = at_once(*(guess(f"name{number}") for number in range(PER_ADDRESS + 10)))

    assert len(refusals(results)) == 10
    assert SignInAttempt.objects.count() == PER_ADDRESS


@pytest.mark.deep
def test_without_the_lock_more_are_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    count_together(monkeypatch, 20)

    assert refusals(at_once(*[guess("ann")] * 20)) == []
    assert SignInAttempt.objects.count() == 20
