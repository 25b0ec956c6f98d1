"""Strangers who know a phone keep its owner out neither by wrong codes nor by requests, and learn nothing from an answer."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import sign_in_limits
from agents.models import SignInAttempt
from communications.texts import one_time_code
from debtors.models import Debtor
from portal import attempt_tokens, otp
from portal.models import OtpSession
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import code_of, other_than
from tests.portal.test_signing_in import verify

pytestmark = pytest.mark.django_db

OWNER, STRANGER = "192.0.2.1", "198.51.100.9"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1


def ask(debtor: Debtor, address: str = OWNER) -> tuple[str, str]:
    """Ask for a code over the API, and have a worker send it. Return the attempt token and the code."""
    body = {"mobilePhone": debtor.mobile_phone}
    answer = Api().post("/debtors/auth/request-otp", body, **{"X-Forwarded-For": address})
    assert answer.status_code == 200
    otp.answer(clock=timezone.now)
    return answer.json()["attemptToken"], code_of(OtpSession.objects.latest("created_at", "id"))


def test_wrong_codes_without_a_token_leave_the_owners_tries(debtor: Debtor) -> None:
    token, code = ask(debtor)
    assert [verify(debtor, other_than(code), address=STRANGER).status_code for _ in range(6)] == [401] * 6

    assert verify(debtor, code).status_code == 401
    assert verify(debtor, code, token).status_code == 200


def test_wrong_codes_with_a_strangers_token_leave_the_owners_tries(debtor: Debtor) -> None:
    token, code = ask(debtor)
    strange, other = ask(debtor, STRANGER)
    for wrong in (strange, None, "x", strange + "x"):
        for _ in range(6):
            verify(debtor, other_than(other), wrong, STRANGER)

    assert verify(debtor, other, strange, STRANGER).status_code == 401
    assert verify(debtor, code, token).status_code == 200


def test_the_owner_may_enter_the_newest_code_which_a_stranger_requested(debtor: Debtor) -> None:
    token, _ = ask(debtor)
    _, newest = ask(debtor, STRANGER)
    for _ in range(6):
        verify(debtor, other_than(newest), address=STRANGER)

    assert verify(debtor, newest, token).status_code == 200


def test_five_wrong_codes_with_the_token_use_it_up_and_leave_those_without(debtor: Debtor) -> None:
    token, code = ask(debtor)
    assert [verify(debtor, other_than(code), token).status_code for _ in range(5)] == [401] * 5

    assert verify(debtor, code, token).status_code == 401
    assert OtpSession.objects.values_list("tries", "tries_with_token").get() == (0, 6)
    assert verify(debtor, code).status_code == 200


def test_a_new_code_ends_the_one_before_with_its_token_too(debtor: Debtor) -> None:
    first, old = ask(debtor)
    second, new = ask(debtor)

    assert verify(debtor, old, first).status_code == 401
    assert verify(debtor, old, second).status_code == 401
    assert verify(debtor, new, second).status_code == 200


def test_a_code_works_once_with_and_without_its_token(debtor: Debtor) -> None:
    token, code = ask(debtor)

    assert verify(debtor, code, token).status_code == 200
    assert [verify(debtor, code, each).status_code for each in (token, None)] == [401, 401]


def test_a_token_of_another_phone_or_an_expired_one_counts_as_none(debtor: Debtor) -> None:
    _, code = ask(debtor)
    foreign, _ = ask(factories.debtor())
    expired = OtpSession.objects.create(
        address=debtor.mobile_phone, expires_at=timezone.now(), replaced_at=timezone.now()
    )
    for token in (foreign, attempt_tokens.issue(expired.pk), "", "x" * 200):
        verify(debtor, other_than(code), token)

    session = OtpSession.objects.exclude(pk=expired.pk).get(address=debtor.mobile_phone)
    assert (session.tries, session.tries_with_token) == (4, 0)


@pytest.mark.parametrize(("token", "rule"), [(5, "string"), ("x" * 201, "maxLength"), (["x"], "string")])
def test_a_token_of_a_wrong_type_is_422(debtor: Debtor, token: Any, rule: str) -> None:
    answer = verify(debtor, "123456", token)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("attemptToken", rule)]


def test_a_try_does_the_same_work_whoever_asked_for_a_code(debtor: Debtor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements and keyed hashes are counted, because times depend on the machine."""
    asked, unknown, never = debtor, "+447700900998", "+447700900999"
    token, _ = ask(asked)
    otp.request(unknown, client_ip=OWNER, now=timezone.now())
    derived: list[Any] = []
    derive = one_time_code.derive

    def note(*args: Any) -> str:
        derived.append(args)
        return derive(*args)

    monkeypatch.setattr(one_time_code, "derive", note)
    work = []
    for phone, given in ((asked, None), (asked, token), (unknown, None), (never, None), (never, token)):
        derived.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert verify(phone, "0000", given).status_code == 401
        shapes = [" ".join(re.sub(r'"s\d+_x\d+"', "", query["sql"]).split()[:3]) for query in captured.captured_queries]
        work.append((shapes, len(derived)))

    for each in work:
        assert each == work[0]
    assert any("INSERT" in shape for shape in work[0][0])  # So each try is committed, which takes longest.


def test_wrong_codes_from_one_address_are_limited_for_all_phones_together(debtor: Debtor) -> None:
    for number in range(sign_in_limits.CODES_PER_ADDRESS):
        assert verify(f"+4477009{number:05d}", "123456", address=STRANGER).status_code == 401

    answer = verify(debtor, "123456", address=STRANGER)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    token, code = ask(debtor)
    assert verify(debtor, code, token).status_code == 200
    assert SignInAttempt.objects.filter(client_ip=OWNER).count() == 0


@pytest.mark.parametrize("spelling", ["+4407400123456", "+44 (0)7400 123456", "+447400123456"])
def test_every_spelling_of_a_phone_has_the_same_tries_and_signs_in(spelling: str) -> None:
    debtor = factories.debtor(mobile_phone="+447400123456")
    _, code = ask(debtor)
    assert verify(spelling, other_than(code)).status_code == 401
    assert OtpSession.objects.get().tries == 1

    assert verify(spelling, code).status_code == 200


def test_a_debtor_who_is_stored_in_another_spelling_signs_in_with_it() -> None:
    debtor = factories.debtor(mobile_phone="+4407400123457")
    token, code = ask(debtor)

    assert verify(debtor, code, token).status_code == 200


def test_the_portal_keeps_the_token_in_a_cookie(debtor: Debtor, client: Any) -> None:
    def proxied(path, fields) -> Any:
        return client.post(path, fields, headers={"X-Forwarded-For": OWNER})

    assert proxied("/portal/request-code", {"mobile_phone": debtor.mobile_phone}).status_code == 302
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.get())
    for _ in range(6):
        verify(debtor, other_than(code), address=STRANGER)
    assert client.cookies["portal_attempt"]["httponly"]

    assert proxied("/portal/code", {"otp_code": code}).status_code == 302
    assert client.get("/portal").context["debtor"] == debtor
