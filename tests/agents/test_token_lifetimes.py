"""Tokens end with the password and with the account, whichever way these change, and never come back."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import jwt
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents import api_tokens, tokens
from agents.models import Agent, ApiToken, TokenFamily
from tests import factories
from tests.agents.test_sign_in import sign_in, status_of
from tests.conftest import Api
from tests.passwords import QuickHasher

pytestmark = pytest.mark.django_db

NEW = "another long passphrase"


@pytest.fixture
def held(supervisor: Agent) -> dict[str, str]:
    """A token of each kind that works."""
    held = {**sign_in(supervisor), "api": api_tokens.create(supervisor, now=timezone.now())[1]}
    assert [status_of(held[kind]) for kind in ("access", "api")] == [200, 200]
    return held


def assert_ended(held: dict[str, str]) -> None:
    assert [status_of(held[kind]) for kind in ("access", "api")] == [401, 401]
    assert [Api(held[kind]).get("/debtors").status_code for kind in ("access", "api")] == [401, 401]  # A fast read.
    assert Api().post("/auth/token/refresh", {"refresh": held["refresh"]}).status_code == 401


def by_the_model(agent: Agent) -> None:
    agent.set_password(NEW)
    agent.save()


def by_an_update(agent: Agent) -> None:
    agent.set_password(NEW)
    Agent.objects.filter(pk=agent.pk).update(password=agent.password)


def by_sql(agent: Agent) -> None:
    agent.set_password(NEW)
    with connection.cursor() as cursor:
        cursor.execute('UPDATE "USER" SET password = %s WHERE id = %s', [agent.password, agent.pk])


def by_command(agent: Agent) -> None:
    with patch("getpass.getpass", return_value=NEW):
        call_command("changepassword", agent.username)


def on_their_own_page(agent: Agent) -> None:
    browser = Client()
    browser.force_login(agent)
    fields = {"old_password": factories.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/admin/password_change/", fields).status_code == 302


def by_a_superuser(agent: Agent) -> None:
    browser = Client()
    browser.force_login(factories.agent(None, is_superuser=True))
    fields = {"password1": NEW, "password2": NEW}
    assert browser.post(f"/admin/agents/agent/{agent.pk}/password/", fields).status_code == 302


@pytest.mark.parametrize("change", [by_the_model, by_an_update, by_sql, by_command, on_their_own_page, by_a_superuser])
def test_a_new_password_ends_every_token(
    supervisor: Agent, held: dict[str, str], change: Callable[[Agent], None]
) -> None:
    other = factories.agent()
    others = sign_in(other)

    change(supervisor)

    assert_ended(held)
    assert status_of(sign_in(supervisor, NEW)["access"]) == 200
    assert status_of(others["access"]) == 200


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_tokens_of_a_deactivated_account_do_not_come_back_with_it(
    supervisor: Agent, held: dict[str, str], field: str
) -> None:
    Agent.objects.filter(pk=supervisor.pk).update(**{field: False})
    assert_ended(held)

    Agent.objects.filter(pk=supervisor.pk).update(**{field: True})

    assert_ended(held)
    assert status_of(sign_in(supervisor)["access"]) == 200


def test_a_writer_with_an_old_row_does_not_bring_tokens_back(supervisor: Agent, held: dict[str, str]) -> None:
    before = Agent.objects.get(pk=supervisor.pk)
    Agent.objects.filter(pk=supervisor.pk).update(is_active=False)

    before.save()

    assert_ended(held)


def test_other_changes_of_an_account_end_no_token(supervisor: Agent, held: dict[str, str]) -> None:
    supervisor.first_name = "Anna"
    supervisor.save()
    Agent.objects.filter(pk=supervisor.pk).update(is_active=True, is_superuser=True)

    assert [status_of(held[kind]) for kind in ("access", "api")] == [200, 200]


def test_a_stronger_hash_of_the_same_password_ends_no_token(
    supervisor: Agent, held: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuickHasher, "iterations", 2)
    browser = Client()

    fields = {"username": supervisor.username, "password": factories.PASSWORD}
    assert browser.post("/admin/login/?next=/admin/", fields).status_code == 302

    assert Agent.objects.get(pk=supervisor.pk).password != supervisor.password
    assert [status_of(held[kind]) for kind in ("access", "api")] == [200, 200]
    assert browser.get("/admin/").status_code == 200
    by_the_model(supervisor)
    assert_ended(held)


def test_a_sign_in_that_overlaps_a_change_of_the_password_gives_no_valid_token(supervisor: Agent) -> None:
    read_before = Agent.objects.get(pk=supervisor.pk)
    by_the_model(supervisor)

    pair = tokens.issue(read_before, now=timezone.now())

    assert status_of(pair.access) == 401
    assert Api().post("/auth/token/refresh", {"refresh": pair.refresh}).status_code == 401


def test_signing_out_everywhere_ends_every_token(supervisor: Agent, held: dict[str, str]) -> None:
    tokens.revoke_all(supervisor)

    assert_ended(held)


def test_a_family_ends_30_days_after_the_sign_in(supervisor: Agent) -> None:
    pair = sign_in(supervisor)
    now = timezone.now()
    ends = now + timedelta(minutes=5)
    TokenFamily.objects.update(created_at=ends - timedelta(days=30))

    pair = Api().post("/auth/token/refresh", {"refresh": pair["refresh"]}).json()

    for text in pair.values():
        claims = jwt.decode(text, options={"verify_signature": False})
        assert claims["exp"] <= ends.timestamp()
    assert status_of(pair["access"]) == 200
    TokenFamily.objects.update(created_at=now - timedelta(days=30))
    assert Api().post("/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401


def test_an_api_token_works_until_it_expires(supervisor: Agent) -> None:
    now = timezone.now()
    kept, text = api_tokens.create(supervisor, now=now, expires_at=now + timedelta(days=1))
    assert status_of(text) == 200
    assert Api(text).get("/debtors").status_code == 200

    ApiToken.objects.filter(pk=kept.pk).update(expires_at=now)

    assert status_of(text) == 401
    assert Api(text).get("/debtors").status_code == 401
    with pytest.raises(api_tokens.InvalidExpiry):
        api_tokens.create(supervisor, now=now, expires_at=now)


@pytest.mark.parametrize("path", ["/auth/me", "/debtors"])
def test_the_last_use_of_an_api_token_is_recorded_once_a_minute(supervisor: Agent, path: str) -> None:
    kept, text = api_tokens.create(supervisor, now=timezone.now())
    assert Api(text).get(path).status_code == 200
    kept.refresh_from_db()
    first = kept.last_used_at
    assert first
    assert timezone.now() - first < timedelta(seconds=30)

    Api(text).get(path)
    cache.clear()  # As in another process.
    Api(text).get(path)
    kept.refresh_from_db()
    assert kept.last_used_at == first

    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    cache.clear()
    Api(text).get(path)
    kept.refresh_from_db()
    assert kept.last_used_at >= first


def test_a_refused_api_token_has_no_use(supervisor: Agent) -> None:
    kept, text = api_tokens.create(supervisor, now=timezone.now())
    api_tokens.revoke(kept, now=timezone.now())

    for path in ("/auth/me", "/debtors"):
        assert Api(text).get(path).status_code == 401

    kept.refresh_from_db()
    assert kept.last_used_at is None


@pytest.mark.owner
def test_a_token_that_cannot_record_its_use_still_works(supervisor: Agent) -> None:
    _, text = api_tokens.create(supervisor, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE api_token ADD CONSTRAINT disk_is_full CHECK (last_used_at IS NULL)")

    assert status_of(text) == 200


def test_the_settings_are_those_of_the_documents() -> None:
    assert settings.TOKEN_FAMILY_SECONDS == 30 * 24 * 3600
