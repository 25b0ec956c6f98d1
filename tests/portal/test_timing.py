"""The time of an answer does not reveal whether a phone is known."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents import sign_in_limits
from debtors.models import Debtor
from portal import otp

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

EACH = 1_000
#: A busy machine may blur a round; a phone that is given away shows in each of them.
ROUNDS = 3
WITHIN = 0.05


@pytest.fixture
def phones(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Pairs of a phone that is known and one that is not."""
    settings.OTP_PER_PHONE = settings.OTP_PER_PHONE_DAY = settings.OTP_PER_ADDRESS = 1_000_000
    monkeypatch.setattr(sign_in_limits, "CODES_PER_ADDRESS", 1_000_000)
    pairs = [(f"+4477001{number:05d}", f"+4477002{number:05d}") for number in range(EACH)]
    Debtor.objects.bulk_create(
        Debtor(first_name="John", last_name="Doe", email=f"{known}@example.com", mobile_phone=known)
        for known, _ in pairs
    )
    return pairs


def medians(pairs: list[tuple[str, str]], ask: Callable[[str], Any]) -> tuple[float, float]:
    """Time a request for each phone, the two kinds by turns and each first as often; return both medians in seconds."""
    times: dict[int, list[float]] = {0: [], 1: []}
    for number, pair in enumerate(pairs):
        for kind in (0, 1) if number % 2 else (1, 0):
            started = time.perf_counter()
            ask(pair[kind])
            times[kind].append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])


def assert_alike(pairs: list[tuple[str, str]], ask: Callable[[str], Any]) -> None:
    rounds = []
    for _ in range(ROUNDS):
        known, unknown = medians(pairs, ask)
        if abs(known - unknown) / unknown < WITHIN:
            return
        rounds.append(f"{known * 1e3:.3f} and {unknown * 1e3:.3f} ms")
    pytest.fail(f"known and unknown phones took {', '.join(rounds)}")


def test_asking_for_a_code_takes_as_long_for_a_known_phone_as_for_an_unknown_one(
    phones: list[tuple[str, str]],
) -> None:
    client = Client()

    def ask(phone: str) -> None:
        answer = client.post("/debtors/auth/request-otp", {"mobilePhone": phone}, content_type="application/json")
        assert answer.status_code == 200

    assert_alike(phones, ask)


def test_a_wrong_code_takes_as_long_for_a_known_phone_as_for_an_unknown_one(phones: list[tuple[str, str]]) -> None:
    for pair in phones:
        for phone in pair:
            otp.request(phone, client_ip=None, now=timezone.now())
    otp.answer(clock=timezone.now)
    client = Client()

    def ask(phone: str) -> None:
        body = {"mobilePhone": phone, "otpCode": "0000"}
        assert client.post("/debtors/auth/verify-otp", body, content_type="application/json").status_code == 401

    assert_alike(phones, ask)
