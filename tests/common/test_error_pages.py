"""Errors are pages where people browse, and JSON where programs call."""

from typing import Any

import pytest
from django.contrib.admin.sites import AdminSite
from django.db import OperationalError
from django.test import Client

from agents.models import Agent
from ddc.common.api import problems
from portal import tokens

pytestmark = pytest.mark.django_db

STRANGE = "<script>alert(1)</script>"


def browse(method: str, path: str, *, host: str = "127.0.0.1", signed_in: Agent | None = None, **data: Any) -> Any:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if signed_in:
        browser.force_login(signed_in)
    return getattr(browser, method)(path, data or None, headers={"Host": host, "Accept": "text/html,*/*;q=0.8"})


def assert_is_page(answer: Any, status: int) -> str:
    html = str(answer.content.decode())
    assert answer.status_code == status
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>" in html
    assert "portal.css" in html
    assert "alert(1)" not in html
    return html


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", f"/portal/{STRANGE}", 404),
        ("patch", "/portal/not-me", 403),
        ("delete", "/portal", 403),
        ("post", "/portal/sign-out", 403),
        ("post", "/", 405),
        ("get", f"/demo/{STRANGE}", 404),
        ("post", "/admin/login/", 403),
    ],
)
def test_an_error_is_a_page_where_people_browse(method: str, path: str, status: int) -> None:
    assert_is_page(browse(method, path), status)


@pytest.mark.parametrize("path", [f"/admin/{STRANGE}/", "/admin/nothing/"])
def test_an_unknown_page_of_the_back_office_is_a_page(path: str, supervisor: Agent) -> None:
    assert "To the back office" in assert_is_page(browse("get", path, signed_in=supervisor), 404)


def test_a_page_that_the_agent_may_not_see_is_refused_by_a_page(supervisor: Agent) -> None:
    assert_is_page(browse("get", "/admin/collections/ledgerentry/add/", signed_in=supervisor), 403)


@pytest.mark.parametrize("path", ["/portal", "/admin/", "/"])
def test_a_wrong_host_is_refused_by_a_page_without_its_name(path: str) -> None:
    html = assert_is_page(browse("get", path, host="evil.example"), 400)

    assert "evil" not in html


def test_a_form_without_its_token_says_what_to_do() -> None:
    html = assert_is_page(browse("post", "/portal/request-code", mobile_phone=STRANGE), 403)

    assert "reload the page" in html


@pytest.mark.parametrize(("error", "status"), [(RuntimeError(STRANGE), 500), (OperationalError(STRANGE), 503)])
def test_a_fault_of_ours_is_a_page(error: Exception, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(tokens, "owner", fail)
    monkeypatch.setattr(AdminSite, "has_permission", fail)

    for path in ("/portal", "/admin/"):
        answer = browse("get", path)
        assert_is_page(answer, status)
        assert answer.has_header("Retry-After") == (status == 503)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/nowhere", 404),
        ("get", "/debtors/5", 404),
        ("get", "/debtors", 401),
        ("patch", "/debtors/auth/request-otp", 405),
        ("get", "/portals", 404),
        ("get", "/administration", 404),
    ],
)
def test_an_error_of_the_api_stays_json_for_a_browser_too(method: str, path: str, status: int) -> None:
    answer = browse(method, path)

    assert answer.status_code == status
    assert answer["Content-Type"] in (problems.PROBLEM_JSON, "application/json")
    assert answer.json()["status"] == status


def test_a_wrong_host_is_json_under_the_api() -> None:
    assert browse("get", "/debtors", host="evil.example").json()["status"] == 400


def test_a_refusal_with_a_page_of_its_own_keeps_it() -> None:
    browser = Client()

    answer = browser.post("/portal/request-code", {"mobile_phone": "call me"})

    assert answer.status_code == 422
    assert "This is not a phone number" in answer.content.decode()


def test_the_home_page_in_production_is_the_portal(client: Client, settings: Any) -> None:
    assert "Back office" in client.get("/").content.decode()

    settings.PRODUCTION = True

    assert client.get("/")["Location"] == "/portal"
