import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents import api_tokens
from agents.models import Agent, ApiToken
from tests import factories
from tests.agents.test_sign_in import status_of

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


@pytest.fixture
def tokens(supervisor: Agent) -> list[tuple[ApiToken, str]]:
    return [api_tokens.create(supervisor, now=timezone.now()) for _ in range(2)]


def test_a_token_is_revoked_by_its_id(tokens: list[tuple[ApiToken, str]]) -> None:
    (kept, text), (_, other) = tokens

    assert f"Revoked token {kept.pk}" in run("revoke_token", str(kept.pk))

    assert [status_of(text), status_of(other)] == [401, 200]
    assert "was revoked before" in run("revoke_token", str(kept.pk))


def test_a_token_is_revoked_by_its_text_which_is_not_on_the_command_line(
    tokens: list[tuple[ApiToken, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, text), (_, other) = tokens
    monkeypatch.setenv("API_TOKEN", text)

    assert text not in run("revoke_token")

    assert [status_of(text), status_of(other)] == [401, 200]


def test_all_tokens_of_an_account_are_revoked(supervisor: Agent, tokens: list[tuple[ApiToken, str]]) -> None:
    _, other = api_tokens.create(factories.agent(), now=timezone.now())

    assert run("revoke_token", "--agent", supervisor.username).count("Revoked token") == 2

    assert [status_of(text) for _, text in tokens] == [401, 401]
    assert status_of(other) == 200


@pytest.mark.parametrize("args", [(), (str(uuid.uuid4()),), ("x",), ("ddc_x",), ("--agent", "nobody")])
def test_a_token_that_does_not_exist_is_an_error(args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("revoke_token", *args)


def test_a_new_account_has_a_token_that_works_until_the_end_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_PASSWORD", factories.PASSWORD)
    day = (timezone.now() + timedelta(days=30)).date()

    printed = run("create_agent", "proxy", "--role", "Agent", "--api-token", "--expires", day.isoformat())

    kept = ApiToken.objects.get()
    assert kept.expires_at == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert str(kept.pk) in printed
    assert status_of(printed.split()[-1]) == 200


@pytest.mark.parametrize(
    "args",
    [("--api-token", "--expires", "2020-01-01"), ("--expires", "2099-01-01"), ("--api-token", "--expires", "soon")],
)
def test_an_expiry_that_makes_no_sense_creates_nothing(args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_PASSWORD", factories.PASSWORD)

    with pytest.raises(CommandError):
        run("create_agent", "proxy", "--role", "Agent", *args)

    assert not Agent.objects.filter(username="proxy").exists()
