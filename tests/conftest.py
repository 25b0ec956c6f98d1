"""Fixtures that every part of the suite shares."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections

from agency import profile
from agents import roles
from agents.models import Agent
from ddc.common.postgresql import owner
from tests import factories
from tests.openapi import CheckingClient


@pytest.fixture(scope="session", autouse=True)
def own_broker_database() -> None:
    """Each test process uses a database of its own in Valkey, so that parallel ones don't meet."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    settings.REDIS_URL = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{int(worker) + 1}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[contextlib.ExitStack]:
    """The owner creates the tests' database and drops it, as in production the tables; the tests run as the product."""
    with contextlib.ExitStack() as as_owner:
        as_owner.enter_context(owner.connected())
        yield as_owner


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_modify_db_settings: contextlib.ExitStack) -> Iterator[None]:
    django_db_modify_db_settings.close()
    yield
    django_db_modify_db_settings.enter_context(owner.connected())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a test that is marked ``owner`` as the owner of the tables, from its first fixture on."""
    with owner.connected() if item.get_closest_marker("owner") else contextlib.nullcontext():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    settings.PASSWORD_HASHERS = ["tests.passwords.QuickHasher"]


@pytest.fixture(scope="session", autouse=True)
def optional_second_factor() -> None:
    """Sign Supervisors in without a second factor, as the demo does; its own tests set it."""
    settings.SECOND_FACTOR = "optional"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Let no test see the dashboard or a total that another one has left."""
    cache.clear()


@pytest.fixture(autouse=True)
def agency_of_environment() -> Iterator[None]:
    """Let each process know from the start that the back office set nothing about the agency.

    Asked every few seconds, that question would fall on any counted request, and on tests without a database.
    """
    profile.remember({}, seconds=86_400)
    yield
    profile.remember({}, seconds=86_400)


@pytest.fixture
def remembered_roles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ask once what a role allows and what the agency set: both are asked every few seconds, else in any request."""
    monkeypatch.setattr(roles, "permissions_cache", {})
    monkeypatch.setattr(roles, "CACHE_SECONDS", 3600)
    profile.remember({}, seconds=3600)
    yield
    profile.forget()


@pytest.fixture
def beside_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test that drives a browser use the database."""
    # Playwright runs an event loop in this thread, in which Django would refuse to use the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # The server's threads would keep their connections, and the test database could not be dropped.
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_AGE", 0)


class Api:
    """A client of the HTTP API: JSON in, JSON out, with a bearer token."""

    def __init__(self, token: str | None = None) -> None:
        self.client = CheckingClient(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = {} if body is None else {"data": orjson.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, path, headers={**self.headers, **headers}, **data)  # type: ignore[arg-type]

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)


@pytest.fixture
def anonymous() -> Api:
    return Api()


@pytest.fixture
def api_as(db: None) -> Callable[[Agent], Api]:
    """Sign a member of staff in."""

    def sign_in(agent: Agent) -> Api:
        answer = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD})
        return Api(answer.json()["access"])

    return sign_in


@pytest.fixture
def supervisor(db: None) -> Agent:
    return factories.agent("Supervisor")


@pytest.fixture
def api(api_as: Callable[[Agent], Api], supervisor: Agent) -> Api:
    """The API as a supervisor sees it."""
    return api_as(supervisor)
