from datetime import timedelta

import pytest
import time_machine
from django.utils.timezone import now
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from agents import second_factor
from agents.models import Agent
from ddc.common.errors import TooMany
from tests import factories
from tests.agents.second_factors import STEP, App, equip
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def sign_in(agent: Agent, **more: str) -> tuple[int, dict[str, str]]:
    body = {"username": agent.username, "password": factories.PASSWORD, **more}
    answer = Api().post("/auth/token", body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("setting", "role", "superuser", "required"),
    [
        ("supervisors", "Agent", False, False), ("supervisors", "Auditor", False, False),
        ("supervisors", "Supervisor", False, True), ("supervisors", "Agent", True, True),
        ("all", "Agent", False, True), ("all", "Auditor", False, True),
        ("optional", "Supervisor", False, False), ("optional", "Agent", True, False),
    ],
)  # fmt: skip
def test_who_needs_a_second_factor(settings, setting: str, role: str, superuser: bool, required: bool):
    settings.SECOND_FACTOR = setting

    assert second_factor.is_required(factories.agent(role, is_superuser=superuser)) is required


def test_a_code_of_the_app_verifies_once_and_never_again():
    agent = factories.agent()
    app, _ = equip(agent)
    code = app.code()

    second_factor.verify(agent, code, now=now())

    with pytest.raises(second_factor.WrongCode):
        second_factor.verify(agent, code, now=now())


def test_the_code_of_the_set_up_does_not_sign_in():
    agent = factories.agent()
    app = App()
    code = app.code()
    second_factor.set_up(agent, key=app.key, code=code)

    with pytest.raises(second_factor.WrongCode):
        second_factor.verify(agent, code, now=now())


def test_a_wrong_first_code_sets_up_nothing():
    agent = factories.agent()
    app = App()

    for code in (app.wrong(), "", "abc", "\u0661" * 6, "12345", app.code() + "0"):
        with pytest.raises(second_factor.WrongNewCode):
            second_factor.set_up(agent, key=app.key, code=code)

    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()


def test_people_may_type_codes_with_spaces_and_hyphens():
    agent = factories.agent()
    app, codes = equip(agent)

    second_factor.verify(agent, f" {app.code()[:3]} {app.code()[3:]} ", now=now())
    second_factor.verify(agent, codes[0].replace(" ", "-").upper(), now=now())


def test_ten_recovery_codes_work_once_each_and_are_stored_as_digests():
    agent = factories.agent()
    _, codes = equip(agent)
    stored = set(StaticToken.objects.values_list("token", flat=True))

    assert len(set(codes)) == len(stored) == 10
    assert not stored & {code.replace(" ", "") for code in codes}
    for code in codes:
        second_factor.verify(agent, code, now=now())
    assert second_factor.status(agent).recovery_codes == 0
    with pytest.raises(second_factor.WrongCode):
        second_factor.verify(agent, codes[0], now=now())


def test_anothers_codes_do_not_work():
    agent, other = factories.agent(), factories.agent()
    equip(agent)
    app, codes = equip(other)

    for code in (app.code(), codes[0]):
        with pytest.raises(second_factor.WrongCode):
            second_factor.verify(agent, code, now=now())


def test_new_recovery_codes_end_the_earlier_ones():
    agent = factories.agent()
    _, codes = equip(agent)
    fresh = second_factor.renew_recovery_codes(agent)

    with pytest.raises(second_factor.WrongCode):
        second_factor.verify(agent, codes[0], now=now())
    second_factor.verify(agent, fresh[0], now=now())


def test_another_app_ends_the_earlier_one_and_its_recovery_codes():
    agent = factories.agent()
    first, codes = equip(agent)
    second, _ = equip(agent)

    for code in (first.code(), codes[0]):
        with pytest.raises(second_factor.WrongCode):
            second_factor.verify(agent, code, now=now())
    second_factor.verify(agent, second.code(), now=now())
    assert TOTPDevice.objects.count() == 1


def test_five_wrong_codes_are_free_and_then_pauses_double_up_to_an_hour():
    agent = factories.agent()
    app, codes = equip(agent)
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(5):
            with pytest.raises(second_factor.WrongCode):
                second_factor.verify(agent, app.wrong(), now=now())
        waits = []
        for _ in range(9):
            with pytest.raises(TooMany) as refusal:
                second_factor.verify(agent, app.code(), now=now())
            waits.append(refusal.value.retry_after)
            clock.shift(timedelta(seconds=refusal.value.retry_after))
            with pytest.raises(second_factor.WrongCode):
                second_factor.verify(agent, "a" * 16, now=now())
        assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        with pytest.raises(TooMany):
            second_factor.verify(agent, codes[0], now=now())

        clock.shift(timedelta(hours=1))
        second_factor.verify(agent, codes[0], now=now())
        second_factor.verify(agent, app.code(), now=now())


def test_who_needs_a_second_factor_cannot_remove_it(settings):
    agent = factories.agent("Supervisor")
    equip(agent)
    settings.SECOND_FACTOR = "supervisors"
    with pytest.raises(second_factor.StillRequired):
        second_factor.remove(agent)
    assert second_factor.is_set_up(agent)

    settings.SECOND_FACTOR = "optional"
    second_factor.remove(agent)
    assert not second_factor.is_set_up(agent)
    assert not StaticToken.objects.exists()


# --- Over the API


def test_without_a_second_factor_the_api_signs_in_as_before(settings):
    settings.SECOND_FACTOR = "all"  # A client cannot lead a person through the set-up.
    agent = factories.agent("Supervisor")

    assert sign_in(agent)[0] == 200
    assert sign_in(agent, otp="123456")[0] == 200


@pytest.mark.parametrize("otp", [{}, {"otp": None}, {"otp": ""}])
def test_the_api_asks_for_the_code(otp: dict[str, str]):
    agent = factories.agent()
    equip(agent)

    status, problem = sign_in(agent, **otp)

    assert (status, problem["code"]) == (401, "otp_required")
    assert not agent.token_families.exists()


def test_the_api_takes_a_code_of_the_app_once_and_a_recovery_code():
    agent = factories.agent()
    app, codes = equip(agent)
    code = app.code()

    assert sign_in(agent, otp=code)[0] == 200
    again = sign_in(agent, otp=code)
    assert (again[0], again[1]["code"]) == (401, "otp_invalid")
    assert sign_in(agent, otp=codes[0])[0] == 200
    assert sign_in(agent, otp=codes[0])[0] == 401


def test_a_wrong_code_is_counted_although_the_request_is_refused():
    agent = factories.agent()
    app, _ = equip(agent)

    answers = [sign_in(agent, otp=app.wrong()) for _ in range(5)]
    assert {(status, problem["code"]) for status, problem in answers} == {(401, "otp_invalid")}

    answer = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD, "otp": app.code()})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 30


def test_a_wrong_password_is_refused_alike_with_and_without_a_second_factor():
    agent, plain = factories.agent(), factories.agent()
    app, _ = equip(agent)
    bodies = [
        {"username": one.username, "password": "wrong", **otp}
        for one in (agent, plain)
        for otp in ({}, {"otp": app.code()})
    ]

    answers = [Api().post("/auth/token", body).json() for body in bodies]

    assert all(answer == answers[0] for answer in answers)
    assert "code" not in answers[0]
    assert TOTPDevice.objects.get().throttling_failure_count == 0


@pytest.mark.parametrize(("otp", "rule"), [("1" * 51, "maxLength"), (123456, "string")])
def test_an_otp_that_is_no_code_at_all_is_422(otp: object, rule: str):
    answer = Api().post("/auth/token", {"username": "x", "password": "x", "otp": otp})

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("otp", rule)]


def test_an_api_token_needs_no_code():
    from agents import api_tokens

    agent = factories.agent()
    text = api_tokens.create(agent, now=now())[1]
    equip(agent)

    assert Api(text).get("/auth/me").status_code == 200


def test_the_step_of_a_code_is_half_a_minute():
    app = App()
    with time_machine.travel(now(), tick=False) as clock:
        first = app.code(steps=1)
        clock.shift(timedelta(seconds=STEP))
        assert app.code() == first
