"""The site in a real browser under its Content-Security-Policy: nothing that its pages need is refused."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import BrowserContext, Page, sync_playwright

from communications.links import unsubscribe_link
from communications.models import CommunicationLog
from debtors.models import Debtor
from portal import tokens
from portal.pages.pages import TOKEN_COOKIE
from tests import factories
from tests.admin.conftest import fill, staff
from tests.admin.test_message_in_browser import chromium
from tests.admin.test_pages import SHOWN
from tests.journeys.site import running

pytestmark = pytest.mark.django_db(transaction=True)


class Watched:
    """A browser's pages, and all that a policy refused or a script failed at."""

    def __init__(self, url: str, context: BrowserContext) -> None:
        self.url, self.context, self.faults = url, context, list[str]()
        context.on("console", lambda message: self.note(message.text) if message.type in ("error", "warning") else None)
        context.on("weberror", lambda error: self.note(str(error.error)))
        self.page: Page = context.new_page()

    def note(self, text: str) -> None:
        if "the server responded with a status of" not in text:  # Of a form that is refused, for example.
            self.faults.append(f"{self.page.url}: {text}")

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer, path
        assert answer.status < 400, path
        assert answer.headers["content-security-policy"], path
        return self.page


@contextmanager
def watching(url: str) -> Iterator[Watched]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield Watched(url, browser.new_context(viewport={"width": 1280, "height": 900}))
        browser.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A browser that is signed in as a supervisor and as a debtor of a running site."""
    fill(1)
    debt = factories.debt()
    log = CommunicationLog.objects.filter(html__gt="")[0]
    client = Client()
    client.force_login(staff("Supervisor"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session, TOKEN_COOKIE: tokens.issue_for_pages(debt.debtor, now=now())}
    rows = {model: row.pk for model in SHOWN if (row := model.objects.first())}
    link = urlsplit(unsubscribe_link.url(log.pk)).path
    with running(DEMO="1") as site:
        # Beside the browser's event loop Django would refuse to use the database.
        monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with watching(site.url) as found:
            found.context.add_cookies([{"name": n, "value": str(v), "url": site.url} for n, v in cookies.items()])
            found.rows, found.debt, found.message, found.link = rows, debt, log, link  # type: ignore[attr-defined]
            yield found


def admin_page(model: Any, page: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{page}"


def test_no_page_is_refused_what_it_needs(watched: Any):
    page = watched.open("/portal")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("h1").inner_text() == f"Hello {watched.debt.debtor.name}"
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).display") != "inline"
    watched.open("/")
    watched.open(watched.link)
    watched.open("/demo/outbox")
    assert watched.page.evaluate("getComputedStyle(document.querySelector('ol')).listStyleType") == "none"

    page = watched.open("/docs")
    page.locator(".opblock-tag[data-tag='health']").click()
    page.locator(".opblock-summary", has_text="/health").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").first.click()
    page.locator(".live-responses-table").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(250, 250, 250)"

    page = watched.open("/admin/")
    page.locator("#find-anything").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("debt")
    page.wait_for_timeout(500)
    page = watched.open(admin_page(CommunicationLog, f"{watched.message.pk}/change/"))
    frame = page.locator("iframe[title='The message']")
    assert frame.evaluate("each => getComputedStyle(each).height") == "384px"
    assert page.frame_locator("iframe[title='The message']").locator("body").inner_text()
    page = watched.open(admin_page(Debtor, f"{watched.debt.debtor_id}/change/"))
    assert page.evaluate("getComputedStyle(document.querySelector('.case .head')).position") == "sticky"
    page.keyboard.press("t")
    assert page.evaluate("document.activeElement.id") == "note_text"
    page = watched.open(admin_page(type(watched.debt), "add/"))
    page.locator(".select2-selection").first.click()
    page.locator(".select2-results__option").first.wait_for()
    page = watched.open(admin_page(Debtor))
    page.keyboard.press("Escape")
    page = watched.open(f"/admin/collections/debt/{watched.debt.pk}/change_status/")

    assert watched.faults == []


@pytest.mark.deep
def test_no_page_of_the_back_office_is_refused_what_it_needs(watched: Any):
    for model, key in watched.rows.items():
        for kind in ("", f"{key}/change/", f"{key}/history/"):
            watched.open(admin_page(model, kind))

    assert watched.faults == []


def test_a_script_that_somebody_slips_into_a_page_does_not_run(watched: Any):
    page = watched.open("/portal")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    page.wait_for_timeout(200)

    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in fault for fault in watched.faults)
