import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.management.commands import create_agent
from agents.models import Agent, ApiToken
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("create_agent", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AGENT_PASSWORD", factories.PASSWORD)
    return factories.PASSWORD


@pytest.mark.parametrize("role", ["Agent", "Supervisor", "Auditor"])
def test_a_new_agent_has_the_role_and_can_sign_in(role: str, password: str) -> None:
    run("ann", "--role", role)

    agent = Agent.objects.get(username="ann")
    assert [group.name for group in agent.groups.all()] == [role]
    assert (agent.is_staff, agent.is_superuser) == (True, False)
    assert Api().post("/auth/token", {"username": "ann", "password": password}).status_code == 200
    assert not ApiToken.objects.exists()


def test_an_api_token_is_printed_once_and_works(password: str) -> None:
    printed = run("proxy", "--role", "Supervisor", "--api-token")

    token = printed.split()[-1]
    assert token.startswith("ddc_")
    assert Api(token).get("/auth/me").json()["username"] == "proxy"


@pytest.mark.parametrize(
    ("username", "secret", "message"),
    [
        ("ann", "short", "too short"),
        ("ann", "password123", "too common"),
        ("annabella.smith", "annabella.smith", "too similar"),
        ("an n", factories.PASSWORD, "valid username"),
        ("x" * 151, factories.PASSWORD, "150"),
    ],
)
def test_an_invalid_name_or_password_is_refused_with_a_message(
    monkeypatch: pytest.MonkeyPatch, username: str, secret: str, message: str
) -> None:
    monkeypatch.setenv("AGENT_PASSWORD", secret)

    with pytest.raises(CommandError, match=message):
        run(username, "--role", "Agent")

    assert not Agent.objects.exists()


def test_an_existing_user_is_not_changed(password: str) -> None:
    run("ann", "--role", "Auditor")

    with pytest.raises(CommandError, match="User ann exists already"):
        run("ann", "--role", "Supervisor", "--api-token")

    assert [group.name for group in Agent.objects.get(username="ann").groups.all()] == ["Auditor"]
    assert not ApiToken.objects.exists()


def test_an_unknown_role_is_refused(password: str) -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        run("ann", "--role", "Boss")


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
    monkeypatch.delenv("AGENT_PASSWORD", raising=False)
    given = iter(answers)

    def getpass(prompt: str) -> str:
        answer = next(given)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(create_agent, "getpass", getpass)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)


def test_without_the_variable_the_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, factories.PASSWORD, factories.PASSWORD)

    run("ann", "--role", "Agent")

    assert Agent.objects.get().check_password(factories.PASSWORD)


@pytest.mark.parametrize(
    ("answers", "message"), [((factories.PASSWORD, "other"), "differ"), ((EOFError(),), "No password was entered")]
)
def test_two_passwords_that_differ_or_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, answers: Any, message: str
) -> None:
    answering(monkeypatch, *answers)

    with pytest.raises(CommandError, match=message):
        run("ann", "--role", "Agent")

    assert not Agent.objects.exists()


@pytest.mark.parametrize("stdin", [io.StringIO("piped\n"), None])
def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None) -> None:
    answering(monkeypatch)  # A question would fail.
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(CommandError, match="Set AGENT_PASSWORD"):
        run("ann", "--role", "Agent")

    assert not Agent.objects.exists()
