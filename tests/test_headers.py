"""Every answer says whether a browser may keep it and what its page may load, and no header is too long to read."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now

from ddc.common.headers import MAX_HEADER
from ddc.fixed_settings import BASE_DIR
from portal import tokens
from portal.pages.pages import TOKEN_COOKIE
from tests import factories
from tests.access.test_access import ROWS, admin_routes, caller, filled
from tests.admin.conftest import fill
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db


def policy(answer: Any) -> dict[str, str]:
    parts = (part.partition(" ") for part in answer["Content-Security-Policy"].split("; "))
    return {name: sources for name, _, sources in parts}


@pytest.mark.parametrize("role", ["nobody", "debtor", "supervisor"])
def test_no_answer_of_the_api_may_be_stored(api_as: Any, role: str):
    api = caller(role, api_as)
    wrong = []
    for method, path, _, _ in ROWS:
        answer = api(method, filled(path), None if method == "GET" else {}, Cookie="")
        if path.startswith("/agency/") and answer.status_code == 200:
            assert (
                answer["Cache-Control"] == "public, max-age=31536000, immutable"
            )  # The path changes with the content.
            continue
        if "no-store" not in answer["Cache-Control"] or policy(answer)["default-src"] != "'none'":
            wrong.append(f"{method} {path}: {answer['Cache-Control']}")
    assert wrong == []


def test_no_page_may_be_stored_and_each_has_a_policy():
    fill(1)
    client = Client()
    client.force_login(factories.agent("Supervisor"))
    assert client.get("/admin/").status_code == 200
    client.cookies[TOKEN_COOKIE] = tokens.issue_for_pages(factories.debt().debtor, now=now())
    paths = [f"/{route}" for route, _ in [*routes(get_resolver().url_patterns), *admin_routes()] if "<" not in route]
    wrong = []
    for path in [*paths, "/nothing", "/admin/nothing/", "/docs?script="]:
        for answer in (client.get(path), client.post(path), client.head(path)):
            if "no-store" not in answer["Cache-Control"] or "frame-ancestors" not in policy(answer):
                wrong.append(path)
    assert len(paths) > 100
    assert wrong == []


def test_static_files_may_be_stored(client: Client):
    answer = client.get("/static/portal/portal.css")
    answer.close()
    assert "max-age" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/portal", "/admin/login/", "/docs", "/health", "/nothing", "/unsubscribe/x"])
def test_no_policy_lets_inline_scripts_run(client: Client, path: str):
    found = policy(client.get(path))
    assert (found["default-src"], found["base-uri"], found["frame-ancestors"]) == ("'none'", "'none'", "'none'")
    assert "'unsafe-inline'" not in found.get("script-src", "")
    assert "*" not in "".join(found.values())
    assert "http" not in "".join(found.values())
    if not path.startswith(("/admin", "/docs")):
        # The portal's pages may load htmx, which is a file of ours.
        assert found.get("script-src") == ("'self'" if path == "/portal" else None)
        assert found["style-src"] == "'self'"


def test_no_template_or_module_of_ours_has_inline_code():
    events = "click|change|load|submit|input|error|focus|key"
    inline = re.compile(rf"<style|<script(?![^>]* src=)|\sstyle=\"|\son({events})\w*=\"|javascript:")
    files = [*BASE_DIR.glob("templates/**/*.html"), *BASE_DIR.glob("[!.]*/**/*.py")]
    found = {
        str(path.relative_to(BASE_DIR))
        for path in files
        if "tests" not in path.parts and inline.search(path.read_text("utf-8"))
    }
    assert len(files) > 200
    # The policy of the frame that shows an e-mail, with the only styles of that frame.
    assert found == {"communications/admin/text.py"}
    assert finders.find("common/demo_outbox.css")


@pytest.mark.parametrize(
    "name", ["Host", "Origin", "Referer", "Cookie", "X-Forwarded-For", "X-Request-ID", "Content-Type"]
)
@pytest.mark.parametrize("path", ["/health", "/debtors", "/admin/login/", "/portal", "/nothing"])
def test_a_header_that_is_too_long_is_refused(client: Client, path: str, name: str):
    header = "CONTENT_TYPE" if name == "Content-Type" else f"HTTP_{name.upper().replace('-', '_')}"
    answer = client.get(path, **{header: "x" * (MAX_HEADER + 1)})  # type: ignore[arg-type]

    assert (answer.status_code, answer["Content-Type"]) == (431, "application/problem+json")
    assert "no-store" in answer["Cache-Control"]
    assert client.get(path, headers={"X-Any": "x" * MAX_HEADER}).status_code != 431
