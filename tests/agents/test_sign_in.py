from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from agents import api_tokens, sign_in_limits, tokens
from agents.models import Agent, ApiToken, SignInAttempt, SpentRefreshToken, TokenFamily
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

WRONG = {"username": "nobody", "password": "wrong"}


def sign_in(agent: Agent, password: str = factories.PASSWORD) -> dict[str, str]:
    answer = Api().post("/auth/token", {"username": agent.username, "password": password})
    assert answer.status_code == 200, answer.json()
    pair: dict[str, str] = answer.json()
    return pair


def status_of(token: str, path: str = "/auth/me") -> int:
    answer = Api(token).get(path)
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"
    return int(answer.status_code)


def test_a_right_password_gives_a_pair_that_lives_15_minutes_and_12_hours(supervisor: Agent) -> None:
    pair = sign_in(supervisor)

    assert set(pair) == {"access", "refresh"}
    lives = {
        kind: (claims := jwt.decode(text, options={"verify_signature": False}))["exp"] - claims["iat"]
        for kind, text in pair.items()
    }
    assert lives == {"access": 900, "refresh": 43_200}
    supervisor.refresh_from_db()
    assert supervisor.last_login is not None


def test_me_tells_who_is_signed_in_and_what_they_may_do(api: Api, supervisor: Agent) -> None:
    me = api.get("/auth/me").json()

    assert {key: me[key] for key in ("id", "username", "name", "roles")} == {
        "id": str(supervisor.pk),
        "username": supervisor.username,
        "name": supervisor.get_full_name(),
        "roles": ["Supervisor"],
    }
    assert "payments.reverse_payment" in me["permissions"]
    assert me["permissions"] == sorted(me["permissions"])


@pytest.mark.parametrize("changes", [{}, {"is_active": False}, {"is_staff": False}])
def test_wrong_credentials_of_any_kind_are_401_and_alike(changes: Any) -> None:
    agent = factories.agent(**changes)
    right = bool(changes)
    body = {"username": agent.username, "password": factories.PASSWORD if right else "wrong"}

    answer = Api().post("/auth/token", body)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json() == Api().post("/auth/token", WRONG).json()
    assert not TokenFamily.objects.exists()


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"password": "x"}, "username", "required"),
        ({"username": "x"}, "password", "required"),
        ({"username": "", "password": "x"}, "username", "required"),
        ({"username": 5, "password": "x"}, "username", "string"),
        ({"username": None, "password": "x"}, "username", "required"),
        ({"username": "x" * 151, "password": "x"}, "username", "maxLength"),
        ({"username": "a\x00b", "password": "x"}, "username", "regex"),
    ],
)
def test_incomplete_credentials_are_422(body: dict[str, object], field: str, rule: str) -> None:
    answer = Api().post("/auth/token", body)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]


def test_too_many_wrong_passwords_are_429_with_the_wait_even_for_the_right_one(supervisor: Agent) -> None:
    body = {"username": supervisor.username, "password": "wrong"}
    answers = [Api().post("/auth/token", body).status_code for _ in range(sign_in_limits.PER_NAME_AND_ADDRESS)]
    assert answers == [401] * sign_in_limits.PER_NAME_AND_ADDRESS

    answer = Api().post("/auth/token", {**body, "password": factories.PASSWORD})

    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert 890 <= int(answer["Retry-After"]) <= 900
    assert not TokenFamily.objects.exists()


def test_an_unknown_user_is_locked_out_like_a_known_one() -> None:
    answers = [Api().post("/auth/token", WRONG).status_code for _ in range(sign_in_limits.PER_NAME_AND_ADDRESS + 1)]

    assert answers[0] == 401
    assert answers[-1] == 429


def test_one_users_lockout_is_nobody_elses(supervisor: Agent) -> None:
    for _ in range(sign_in_limits.PER_NAME_AND_ADDRESS + 1):
        Api().post("/auth/token", WRONG)

    assert sign_in(supervisor)


def test_a_right_password_wipes_the_slate_clean(supervisor: Agent) -> None:
    failed = SignInAttempt.objects.filter(succeeded=False)
    Api().post("/auth/token", {"username": supervisor.username, "password": "wrong"})
    assert failed.count() == 1

    sign_in(supervisor)

    assert not failed.exists()


def test_a_refresh_token_gives_a_new_pair(supervisor: Agent) -> None:
    pair = sign_in(supervisor)

    answer = Api().post("/auth/token/refresh", {"refresh": pair["refresh"]})

    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    assert answer.json()["refresh"] != pair["refresh"]
    assert status_of(answer.json()["access"]) == 200


def test_a_second_use_of_a_refresh_token_ends_its_family_and_no_other(supervisor: Agent) -> None:
    first, other = sign_in(supervisor), sign_in(supervisor)
    second = Api().post("/auth/token/refresh", {"refresh": first["refresh"]}).json()

    again = Api().post("/auth/token/refresh", {"refresh": first["refresh"]})

    assert again.status_code == 401
    assert [status_of(pair["access"]) for pair in (first, second, other)] == [401, 401, 200]
    assert Api().post("/auth/token/refresh", {"refresh": second["refresh"]}).status_code == 401
    assert Api().post("/auth/token/refresh", {"refresh": other["refresh"]}).status_code == 200


@pytest.mark.parametrize("refresh", ["garbage", "a.b.c", "é" * 10])
def test_a_refresh_token_that_is_none_is_401(refresh: str) -> None:
    assert Api().post("/auth/token/refresh", {"refresh": refresh}).status_code == 401
    assert Api().post("/auth/logout", {"refresh": refresh}).status_code == 401


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(supervisor: Agent) -> None:
    pair = sign_in(supervisor)

    assert Api().post("/auth/token/refresh", {"refresh": pair["access"]}).status_code == 401
    assert status_of(pair["refresh"]) == 401
    assert not SpentRefreshToken.objects.exists()


def test_logout_ends_its_own_family_with_an_access_token_or_without(supervisor: Agent) -> None:
    mine, other = sign_in(supervisor), sign_in(supervisor)

    assert Api(mine["access"]).post("/auth/logout", {"refresh": mine["refresh"]}).status_code == 200

    assert [status_of(pair["access"]) for pair in (mine, other)] == [401, 200]
    assert Api().post("/auth/token/refresh", {"refresh": mine["refresh"]}).status_code == 401
    assert Api().post("/auth/logout", {"refresh": other["refresh"]}).status_code == 200
    assert status_of(other["access"]) == 401


def test_logout_without_any_token_is_401(anonymous: Api) -> None:
    bodies: list[Any] = [None, {}, {"refresh": ""}, []]
    for body in bodies:
        answer = anonymous.post("/auth/logout", body)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
    assert anonymous.client.post("/auth/logout", "{", content_type="application/json").status_code == 401


def test_an_expired_token_is_401(supervisor: Agent) -> None:
    past = tokens.issue(supervisor, now=timezone.now() - timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + 1))
    long_past = tokens.issue(supervisor, now=timezone.now() - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS + 1))

    assert status_of(past.access) == 401
    assert Api().post("/auth/token/refresh", {"refresh": past.refresh}).status_code == 200
    assert Api().post("/auth/token/refresh", {"refresh": long_past.refresh}).status_code == 401


@pytest.mark.parametrize("changes", [{"is_active": False}, {"is_staff": False}])
def test_an_agent_who_may_not_sign_in_any_more_is_out_at_once(supervisor: Agent, changes: dict[str, bool]) -> None:
    pair = sign_in(supervisor)
    api_token = api_tokens.create(supervisor, now=timezone.now())[1]
    assert [status_of(pair["access"]), status_of(api_token)] == [200, 200]

    Agent.objects.filter(pk=supervisor.pk).update(**changes)

    assert [status_of(pair["access"]), status_of(api_token)] == [401, 401]
    assert Api().post("/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer a b",
        "Basic dXNlcjpwdw==",
        "Bearer ddc_",
        "Token x",
        "Bearer é",
        "x",
    ],
)
def test_any_other_authorization_is_401(header: str, anonymous: Api) -> None:
    answer = anonymous.get("/auth/me", Authorization=header)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_no_token_at_all_is_401(anonymous: Api) -> None:
    answer = anonymous.get("/auth/me")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def forged(agent: Agent, *, key: str = settings.SECRET_KEY, **changes: object) -> str:
    family = TokenFamily.objects.create(agent=agent)
    now = int(timezone.now().timestamp())
    claims: dict[str, object] = {
        "token_type": "access", "exp": now + 60, "iat": now, "jti": "f" * 32, "sub": str(agent.pk),
        "family": str(family.pk), "aud": "ddc:staff", "iss": "ddc",
    }  # fmt: skip
    return jwt.encode({name: value for name, value in {**claims, **changes}.items() if value is not None}, key)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "ddc:debtor"},
        {"aud": None},
        {"iss": "other"},
        {"iss": None},
        {"exp": None},
        {"token_type": "refresh"},
        {"token_type": None},
        {"sub": "nobody"},
        {"sub": None},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"family": "none"},
        {"family": None},
        {"family": "00000000-0000-0000-0000-000000000000"},
        {"key": "x" * 40},
        {"key": settings.DEBTOR_TOKEN_KEY},
    ],
)
def test_a_token_with_one_thing_wrong_is_401(supervisor: Agent, changes: dict[str, str]) -> None:
    assert status_of(forged(supervisor)) == 200
    assert status_of(forged(supervisor, **changes)) == 401


def test_anothers_family_makes_no_token(supervisor: Agent) -> None:
    family = TokenFamily.objects.create(agent=factories.agent())

    assert status_of(forged(supervisor, family=str(family.pk))) == 401


def test_an_api_token_is_long_lived_kept_as_a_digest_and_revocable(supervisor: Agent) -> None:
    kept, text = api_tokens.create(supervisor, now=timezone.now())

    assert text.startswith("ddc_")
    assert len(text) >= 4 + 43
    assert text not in str(ApiToken.objects.values().get())
    assert status_of(text) == 200
    assert status_of(text[:-1]) == 401

    now = timezone.now()
    api_tokens.revoke(kept, now=now)
    api_tokens.revoke(kept, now=now + timedelta(days=1))

    assert status_of(text) == 401
    kept.refresh_from_db()
    assert kept.revoked_at == now


def test_a_signed_in_request_costs_one_query(
    supervisor: Agent, django_assert_num_queries: Callable[..., Any], api: Api
) -> None:
    api.get("/digital-activities")  # The role's permissions are looked up once in a few seconds.
    token = api.headers["Authorization"].removeprefix("Bearer ")
    for text in (token, api_tokens.create(supervisor, now=timezone.now())[1]):
        with django_assert_num_queries(1):
            agent, groups, own = tokens.owner(text)
    assert (agent, own) == (supervisor, [])
    assert groups


def test_old_families_are_cleared_out_and_live_ones_stay(supervisor: Agent) -> None:
    now = timezone.now()
    dead = TokenFamily.objects.create(agent=supervisor, created_at=now - timedelta(hours=13))
    SpentRefreshToken.objects.create(jti="0" * 32, family=dead, spent_at=now - timedelta(hours=13))
    old_in_use = TokenFamily.objects.create(agent=supervisor, created_at=now - timedelta(days=2))
    for number, hours in ((1, 24), (2, 11)):
        SpentRefreshToken.objects.create(jti=str(number) * 32, family=old_in_use, spent_at=now - timedelta(hours=hours))
    young = TokenFamily.objects.create(agent=supervisor, created_at=now - timedelta(hours=11))

    assert tokens.delete_expired(now=now) == 1

    assert set(TokenFamily.objects.all()) == {old_in_use, young}
    assert SpentRefreshToken.objects.count() == 1
