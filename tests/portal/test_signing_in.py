from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from agents.models import Agent
from ddc.common.errors import Forbidden
from debtors import debtors
from debtors.models import Debtor
from portal import otp, tokens
from portal.models import OtpSession, RevokedDebtorToken
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import ask, code_of, other_than

pytestmark = pytest.mark.django_db


def verify(debtor: Debtor | str, code: Any, token: Any = None, address: str = "192.0.2.1") -> Any:
    phone = debtor if isinstance(debtor, str) else debtor.mobile_phone
    body = {"mobilePhone": phone, "otpCode": code, **({"attemptToken": token} if token else {})}
    return Api().post("/debtors/auth/verify-otp", body, **{"X-Forwarded-For": address})


def test_the_right_code_gives_a_token_for_seven_days(debtor: Debtor, sent_code: str) -> None:
    answer = verify(debtor, sent_code)

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "expiresAt", "debtor"}
    assert body["debtor"] == {
        "id": str(debtor.pk), "firstName": "John", "lastName": "Doe", "email": debtor.email,
        "mobilePhone": debtor.mobile_phone,
    }  # fmt: skip
    left = datetime.fromisoformat(body["expiresAt"]) - timezone.now()
    assert timedelta(days=7) - timedelta(seconds=10) < left <= timedelta(days=7)
    assert Api(body["token"]).get("/debtors/me/profile").json()["id"] == str(debtor.pk)


def test_signing_in_verifies_the_phone(debtor: Debtor, sent_code: str) -> None:
    phone = debtor.contact_points.get(kind="phone")
    verify(debtor, other_than(sent_code))
    phone.refresh_from_db()
    assert phone.verified_at is None

    verify(debtor, sent_code)

    phone.refresh_from_db()
    assert phone.verified_at is not None
    assert debtor.contact_points.get(kind="email").verified_at is None


def test_a_code_works_once(debtor: Debtor, sent_code: str) -> None:
    assert verify(debtor, sent_code).status_code == 200
    assert verify(debtor, sent_code).status_code == 401


def test_wrong_used_old_replaced_and_unknown_are_401_and_alike(debtor: Debtor) -> None:
    answers = {}
    code = code_of(ask(debtor))
    answers["wrong"] = verify(debtor, other_than(code))
    assert verify(debtor, code).status_code == 200
    answers["used"] = verify(debtor, code)
    answers["replaced"] = (code_of(ask(debtor)), code_of(ask(debtor)))[0]
    answers["replaced"] = verify(debtor, answers["replaced"])
    old = factories.debtor()
    session = ask(old)
    OtpSession.objects.filter(pk=session.pk).update(expires_at=timezone.now())
    answers["old"] = verify(old, code_of(session))
    answers["never asked for"] = verify(factories.debtor(), "123456")
    answers["unknown"] = verify("+447700999999", "123456")
    nobody = otp.request("+447700999999", client_ip=None, now=timezone.now())
    otp.answer(clock=timezone.now)
    answers["of nobody"] = verify("+447700999999", code_of(nobody))

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({answer.content for answer in answers.values()}) == 1
    assert all(answer["WWW-Authenticate"] == "Bearer" for answer in answers.values())
    assert OtpSession.objects.exclude(used_at=None).count() == 1


def test_five_wrong_codes_spend_the_session_and_the_fifth_try_may_be_right(debtor: Debtor) -> None:
    code = code_of(ask(debtor))
    assert [verify(debtor, other_than(code)).status_code for _ in range(4)] == [401] * 4
    assert verify(debtor, code).status_code == 200

    code = code_of(ask(debtor))
    assert [verify(debtor, other_than(code)).status_code for _ in range(5)] == [401] * 5
    assert verify(debtor, code).status_code == 401

    assert verify(debtor, code_of(ask(debtor))).status_code == 200


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("123", "regex"),
        ("123456789", "regex"),
        ("12345a", "regex"),
        ("١٢٣٤٥٦", "regex"),
        (" 123456", "regex"),
        ("123456\n", "regex"),
        ("12 34 56", "regex"),
        ("-12345", "regex"),
        (123456, "string"),
        (None, "required"),
        ("", "required"),
        (["123456"], "string"),
        (True, "string"),
    ],
)
def test_a_malformed_code_is_422_and_not_counted(debtor: Debtor, sent_code: str, code: Any, rule: str) -> None:
    answer = verify(debtor, code)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("otpCode", rule)]
    assert OtpSession.objects.get().tries == 0
    assert verify(debtor, sent_code).status_code == 200


@pytest.mark.parametrize("code", ["1234", "12345", "1234567", "12345678"])
def test_a_code_of_another_length_is_merely_wrong(debtor: Debtor, sent_code: str, code: str) -> None:
    assert verify(debtor, code).status_code == 401
    assert OtpSession.objects.get().tries == 1


def test_codes_of_four_digits_work_where_they_are_set(debtor: Debtor, settings: Any) -> None:
    settings.OTP_LENGTH = 4
    code = code_of(ask(debtor))

    assert len(code) == 4
    assert verify(debtor, code).status_code == 200


def test_a_code_that_was_never_sent_is_refused(debtor: Debtor) -> None:
    session = otp.request(str(debtor.mobile_phone), client_ip=None, now=timezone.now())

    assert verify(debtor, code_of(session)).status_code == 401


def test_a_code_is_refused_once_the_debtor_has_another_phone(debtor: Debtor, sent_code: str) -> None:
    phone = str(debtor.mobile_phone)
    debtors.amend(debtor, mobile_phone="+447700900777", today=date(2026, 1, 1))

    assert verify(phone, sent_code).status_code == 401
    assert OtpSession.objects.get().used_at is None


def test_a_change_of_the_phone_ends_every_token_and_another_change_none(debtor: Debtor, mine: Api) -> None:
    debtors.amend(debtor, city="Leeds", today=date(2026, 1, 1))
    assert mine.get("/debtors/me/profile").status_code == 200

    debtors.amend(debtor, mobile_phone="+447700900777", today=date(2026, 1, 1))

    assert mine.get("/debtors/me/profile").status_code == 401


def test_staff_end_every_token_of_a_debtor(
    debtor: Debtor, api_of: Callable[[Debtor], Api], client: Any, supervisor: Agent
) -> None:
    devices, other = [api_of(debtor), api_of(debtor)], api_of(factories.debtor())
    client.force_login(supervisor)

    answer = client.post(f"/admin/debtors/debtor/{debtor.pk}/sign_out/")

    assert answer.status_code == 302
    assert [device.get("/debtors/me/profile").status_code for device in (*devices, other)] == [401, 401, 200]
    debtor.refresh_from_db()
    assert api_of(debtor).get("/debtors/me/profile").status_code == 200


def test_an_auditor_ends_no_token(debtor: Debtor, mine: Api) -> None:
    with pytest.raises(Forbidden):
        debtors.sign_out_everywhere(debtor, by=factories.agent("Auditor"), now=timezone.now())

    assert mine.get("/debtors/me/profile").status_code == 200


def test_the_debtors_deletion_ends_their_tokens(debtor: Debtor, mine: Api) -> None:
    debtors.delete(debtor)

    assert mine.get("/debtors/me/profile").status_code == 401


def test_logout_ends_the_token_that_it_is_called_with_and_no_other(
    debtor: Debtor, mine: Api, api_of: Callable[[Debtor], Api]
) -> None:
    other = api_of(debtor)

    assert mine.post("/debtors/auth/logout").status_code == 200

    assert mine.get("/debtors/me/profile").status_code == 401
    assert mine.post("/debtors/auth/logout").status_code == 401
    assert other.get("/debtors/me/profile").status_code == 200
    assert Api().post("/debtors/auth/logout").status_code == 401


def test_revoked_tokens_are_forgotten_once_they_have_expired(debtor: Debtor) -> None:
    now = timezone.now()
    token, expires_at = tokens.issue(debtor, now=now)
    tokens.revoke(token)
    tokens.revoke(token)
    assert RevokedDebtorToken.objects.count() == 1

    assert tokens.delete_expired(now=now) == 0
    assert tokens.delete_expired(now=expires_at + timedelta(seconds=1)) == 1


MINE = [
    ("GET", "/debtors/me/profile"),
    ("GET", "/debtors/me/debts"),
    ("GET", "/debtors/me/deferral-requests"),
    ("POST", "/debtors/me/deferral-requests"),
    ("POST", "/debtors/me/activities"),
    ("POST", "/debtors/auth/logout"),
]


@pytest.mark.parametrize(("method", "path"), MINE)
def test_a_staff_token_on_a_debtors_path_is_401(api: Api, method: str, path: str) -> None:
    for caller in (api, Api(), Api("garbage")):
        answer = caller(method, path, {})
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["/auth/me", "/digital-activities", "/debtors", "/debts", "/payments", "/deferral-requests"]
)
def test_a_debtors_token_on_a_staff_path_is_401(mine: Api, path: str) -> None:
    assert mine.get(path).status_code == 401


def forged(debtor: Debtor, *, key: str = settings.DEBTOR_TOKEN_KEY, **changes: object) -> str:
    now = int(timezone.now().timestamp())
    claims: dict[str, object] = {
        "token_type": "debtor", "exp": now + 60, "iat": now, "jti": "f" * 32, "sub": str(debtor.pk), "ver": 1,
        "aud": "ddc:debtor", "iss": "ddc",
    }  # fmt: skip
    return jwt.encode({name: value for name, value in {**claims, **changes}.items() if value is not None}, key)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "x" * 40},
        {"key": settings.SECRET_KEY},
        {"aud": "ddc:staff"},
        {"aud": None},
        {"iss": "other"},
        {"token_type": "access"},
        {"exp": 1},
        {"exp": None},
        {"jti": "none"},
        {"jti": None},
        {"sub": "nobody"},
        {"sub": None},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"ver": 2},
        {"ver": "one"},
        {"ver": None},
        {"ver": [1]},
        {"ver": 10**30},
    ],
)
def test_a_token_with_one_thing_wrong_is_401(debtor: Debtor, changes: dict[str, Any]) -> None:
    assert Api(forged(debtor)).get("/debtors/me/profile").status_code == 200
    assert Api(forged(debtor, **changes)).get("/debtors/me/profile").status_code == 401
