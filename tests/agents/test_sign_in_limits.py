"""Attempts to sign in are counted per address, per name and per both, before anything is hashed."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.test import Client
from django.utils import timezone

from agents import hashers, sign_in_limits
from agents.models import Agent, SignInAttempt
from agents.sign_in_limits import PER_ADDRESS, PER_NAME, PER_NAME_AND_ADDRESS, REFRESHES_PER_ADDRESS
from ddc.common import callers
from ddc.common.errors import TooMany
from tests import factories
from tests.agents.test_sign_in import WRONG
from tests.conftest import Api
from tests.passwords import QuickHasher

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were hashed."""
    hashed: list[str] = []
    encode = QuickHasher.encode

    def note(self: QuickHasher, password: str, *args: Any) -> str:
        hashed.append(password)
        return encode(self, password, *args)

    monkeypatch.setattr(QuickHasher, "encode", note)
    return hashed


def attempt(username: str, address: str = "192.0.2.1", password: str = "wrong") -> Any:
    body = {"username": username, "password": password}
    return Api().post("/auth/token", body, **{"X-Forwarded-For": address})


def attempt_page(username: str, address: str = "192.0.2.1", password: str = "wrong") -> Any:
    fields = {"username": username, "password": password}
    return Client().post("/admin/login/?next=/admin/", fields, headers={"X-Forwarded-For": address})


@pytest.mark.parametrize("attempt", [attempt, attempt_page])
def test_random_names_from_one_address_are_refused_before_hashing(attempt: Any, hashed: list[str]) -> None:
    statuses = [attempt(f"name{number}").status_code for number in range(PER_ADDRESS)]
    assert 429 not in statuses
    assert len(hashed) == PER_ADDRESS

    answer = attempt("another")

    assert answer.status_code == 429
    assert 890 <= int(answer["Retry-After"]) <= 900
    assert len(hashed) == PER_ADDRESS
    assert attempt("another", "192.0.2.2").status_code != 429


def test_the_api_and_the_back_office_count_together(supervisor: Agent) -> None:
    for _ in range(PER_NAME_AND_ADDRESS // 2):
        attempt(supervisor.username)
        attempt_page(supervisor.username)

    for answer in (attempt(supervisor.username), attempt_page(supervisor.username)):
        assert answer.status_code == 429
    page = attempt_page(supervisor.username)
    assert page["Content-Type"].startswith("text/html")
    assert "You can try again in 15 minutes." in page.content.decode()


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number:x}" for number in range(1, PER_ADDRESS + 2)],
        [f"[2001:db8:1:2:{number:x}::1]:443" for number in range(1, PER_ADDRESS + 2)],
        ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:1234", "[::ffff:c000:201]:9", "2002:c000:201::1"] * PER_ADDRESS,
        [f"junk{number}" for number in range(PER_ADDRESS + 1)],
        ["unknown", "fe80::1%eth0", "192.0.2.1:1:2"] * PER_ADDRESS,
    ],
)
def test_an_address_in_any_form_is_one_address(addresses: list[str]) -> None:
    statuses = [attempt(f"name{n}", address).status_code for n, address in enumerate(addresses[: PER_ADDRESS + 1])]

    assert statuses == [401] * PER_ADDRESS + [429]


def test_two_networks_are_two_addresses() -> None:
    for number in range(PER_ADDRESS):
        attempt(f"name{number}", "2001:db8:1:2::1")

    assert attempt("name", "2001:db8:1:2::9").status_code == 429
    assert attempt("name", "2001:db8:1:3::1").status_code == 401


@pytest.mark.parametrize("spellings", [["ann"], ["Ann", "ANN", "\uff41\uff4e\uff4e", "ann"]])
def test_one_name_from_many_addresses_is_refused(spellings: list[str], hashed: list[str]) -> None:
    for number in range(PER_NAME):
        assert attempt(spellings[number % len(spellings)], f"192.0.2.{number}").status_code == 401

    assert attempt("ann", "198.51.100.1").status_code == 429
    assert len(hashed) == PER_NAME


def test_strangers_elsewhere_do_not_lock_out_someone_at_a_known_address(supervisor: Agent) -> None:
    assert attempt(supervisor.username, "203.0.113.5", factories.PASSWORD).status_code == 200
    for number in range(PER_NAME):
        attempt(supervisor.username, f"192.0.2.{number}")

    assert attempt(supervisor.username, "198.51.100.1", factories.PASSWORD).status_code == 429
    assert attempt(supervisor.username, "203.0.113.5", factories.PASSWORD).status_code == 200
    for _ in range(PER_NAME_AND_ADDRESS):
        assert attempt(supervisor.username, "203.0.113.5").status_code == 401
    assert attempt(supervisor.username, "203.0.113.5", factories.PASSWORD).status_code == 429


def test_signing_in_forgives_only_the_failures_of_that_name_at_that_address(supervisor: Agent) -> None:
    for number in range(PER_ADDRESS - 1):
        attempt(f"name{number}")
    assert attempt(supervisor.username, password=factories.PASSWORD).status_code == 200

    assert attempt("another").status_code == 401
    assert attempt(supervisor.username, password=factories.PASSWORD).status_code == 429


def test_the_limit_ends_after_15_minutes(supervisor: Agent) -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        attempt(supervisor.username)
    SignInAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=15))

    assert attempt(supervisor.username, password=factories.PASSWORD).status_code == 200


def test_refused_refresh_tokens_are_limited_per_address_and_right_ones_are_not(supervisor: Agent) -> None:
    pair = attempt(supervisor.username, password=factories.PASSWORD).json()

    def refresh(text: str, address: str = "192.0.2.1") -> Any:
        return Api().post("/auth/token/refresh", {"refresh": text}, **{"X-Forwarded-For": address})

    for _ in range(3):
        pair = refresh(pair["refresh"]).json()
    assert [refresh("wrong").status_code for _ in range(REFRESHES_PER_ADDRESS)] == [401] * REFRESHES_PER_ADDRESS
    answer = refresh(pair["refresh"])
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert refresh(pair["refresh"], "192.0.2.2").status_code == 200


def test_no_name_that_was_typed_is_stored() -> None:
    attempt("my-password-in-the-wrong-field")

    assert "my-password" not in str(SignInAttempt.objects.values())


def test_an_attempt_without_a_request_shares_the_limit_of_unknown_addresses() -> None:
    sign_in_limits.begin_password("ann", client_ip=None, now=timezone.now())

    assert SignInAttempt.objects.get().client_ip == callers.UNKNOWN


def test_attempts_stay_counted_as_long_as_a_limit_needs_them() -> None:
    now = timezone.now()
    for succeeded, days in ((False, 0.9), (False, 1.1), (True, 29), (True, 31)):
        SignInAttempt.objects.create(
            kind="password", name="x", client_ip="192.0.2.1", succeeded=succeeded, created_at=now - timedelta(days=days)
        )

    assert sign_in_limits.delete_old(now=now) == 2

    kept = SignInAttempt.objects.all()
    assert {(row.succeeded, (now - row.created_at).days) for row in kept} == {(False, 0), (True, 29)}


@pytest.fixture
def stock_hasher(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["agents.hashers.SerialPBKDF2Hasher"]


def test_a_process_hashes_one_password_at_a_time(stock_hasher: None, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    encode = PBKDF2PasswordHasher.encode

    def note(self: Any, *args: Any) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return encode(self, "x", "salt", 50_000)
        finally:
            running -= 1

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", note)
    threads = [threading.Thread(target=make_password, args=("secret",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_a_hash_that_must_wait_too_long_is_429(
    stock_hasher: None, monkeypatch: pytest.MonkeyPatch, supervisor: Agent
) -> None:
    monkeypatch.setattr(hashers, "WAIT_SECONDS", 0.05)
    holds, release = threading.Event(), threading.Event()

    def wait(self: Any, *args: Any) -> str:
        holds.set()
        release.wait(timeout=20)
        return ""

    with monkeypatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "encode", wait)
        thread = threading.Thread(target=make_password, args=("secret",))
        thread.start()
        holds.wait(timeout=20)
        answer = attempt(supervisor.username, password=factories.PASSWORD)
        with pytest.raises(TooMany):
            make_password("secret")
        release.set()
        thread.join()

    assert (answer.status_code, answer["Retry-After"]) == (429, "1")


def test_an_unknown_name_is_counted_like_a_known_one() -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        Api().post("/auth/token", WRONG)

    assert Api().post("/auth/token", WRONG).status_code == 429
