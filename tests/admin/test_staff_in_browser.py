"""Sign-in with a second factor, and the work of a Supervisor on staff accounts, in a real browser."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from agents import api_tokens
from agents.models import Agent
from tests import factories
from tests.admin.browser import browsers
from tests.agents.second_factors import App, equip
from tests.conftest import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.SECOND_FACTOR = "supervisors"


def enter_password(page: Page, agent: Agent) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(agent.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()


def enter_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, agent: Agent, code: str | None = None) -> None:
    enter_password(page, agent)
    if code:
        enter_code(page, code)
    page.locator("#search, input[name=q]").first.wait_for()


def is_out(page: Page) -> bool:
    page.goto("/admin/")
    return "/admin/login/" in page.url


def set_up(page: Page) -> tuple[App, list[str]]:
    """Turn on the second factor that the page offers, by the key that it shows as text."""
    expect(page.locator(".qr svg")).to_be_visible()
    size = page.locator(".qr").bounding_box()
    assert size
    assert size["width"] > 150
    page.get_by_text("You cannot scan it?").click()
    key = page.locator(".typed-key").inner_text().replace(" ", "")
    app = App(base64.b32decode(key).hex())
    page.get_by_label(re.compile("app shows")).fill(app.code(steps=-1))
    page.get_by_role("button", name="Turn on").click()
    page.get_by_text("They are shown only now").wait_for()
    return app, page.locator(".recovery-codes code").all_inner_texts()


def test_a_supervisor_sets_up_a_second_factor_and_signs_in_with_it(live_server: Any):
    agent = factories.agent("Supervisor")
    with browsers(live_server.url, 2) as (first, second):
        enter_password(first, agent)
        expect(first).to_have_url(re.compile("/admin/login/set-up/$"))
        app, codes = set_up(first)
        assert len(set(codes)) == 10
        first.get_by_role("link", name="I have kept them").click()
        first.locator("#search, input[name=q]").first.wait_for()

        enter_password(second, agent)
        enter_code(second, app.wrong())
        expect(second.get_by_text("The code is wrong")).to_be_visible()
        assert is_out(second)
        enter_password(second, agent)
        enter_code(second, app.code())
        second.locator("#search, input[name=q]").first.wait_for()


def test_a_recovery_code_signs_in_once(live_server: Any):
    agent = factories.agent("Supervisor")
    _, codes = equip(agent)
    with browsers(live_server.url, 2) as (first, second):
        sign_in(first, agent, codes[0])
        expect(first.get_by_text("9 of 10 are left")).to_be_visible()

        enter_password(second, agent)
        enter_code(second, codes[0])
        expect(second.get_by_text("The code is wrong")).to_be_visible()


def test_sign_out_everywhere_ends_every_browser_at_once(live_server: Any):
    agent = factories.agent("Agent")
    with browsers(live_server.url, 3) as pages:
        for page in pages:
            sign_in(page, agent)
        pages[0].goto("/admin/account/")
        assert pages[0].locator(".sessions li").count() == 3
        pages[0].locator(".sessions").get_by_role("button", name="Sign out").first.click()
        expect(pages[0].locator(".sessions li")).to_have_count(2)
        assert sorted(is_out(page) for page in pages) == [False, False, True]

        pages[0].goto("/admin/account/")
        pages[0].get_by_role("button", name="Sign out everywhere").click()
        expect(pages[0].get_by_text("You are signed out everywhere.")).to_be_visible()
        assert [is_out(page) for page in pages] == [True, True, True]


def test_a_supervisor_dismisses_an_agent_and_all_access_stops_at_once(live_server: Any):
    supervisor, agent = factories.agent("Supervisor"), factories.agent("Agent")
    _, codes = equip(supervisor)
    pair = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()
    tokens = [pair["access"], api_tokens.create(agent, now=now())[1]]
    status: Callable[[], list[int]] = lambda: [Api(token).get("/auth/me").status_code for token in tokens]  # noqa: E731
    with browsers(live_server.url, 2) as (desk, theirs):
        sign_in(theirs, agent)
        sign_in(desk, supervisor, codes[0])
        assert status() == [200, 200]
        desk.goto(f"/admin/agents/agent/{agent.pk}/change/")
        desk.get_by_role("link", name="Deactivate").first.click()
        desk.get_by_role("button", name="Deactivate").click()
        expect(desk.get_by_text("The account was deactivated.")).to_be_visible()

        assert is_out(theirs)
        assert status() == [401, 401]
        refreshed = Api().post("/auth/token/refresh", {"refresh": pair["refresh"]})
        assert refreshed.status_code == 401
        enter_password(theirs, agent)
        assert is_out(theirs)
