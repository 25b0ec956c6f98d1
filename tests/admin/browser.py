"""A real browser for tests of pages, on pytest-django's server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from tests.admin.conftest import Browser
from tests.admin.test_message_in_browser import ARGUMENTS, chromium

#: axe-core 4, the MPL-2.0 licence of which is at its top.
AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"


def sign_in(page: Page, agent_at_desk: Browser) -> Page:
    """Give a browser the session of an agent at a desk."""
    cookie = agent_at_desk.client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])
    return page


def faults(page: Page) -> list[str]:
    """Return the serious and critical faults of the page that is open, each with the first places."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@contextmanager
def browsers(site: str, count: int = 1, **options: Any) -> Iterator[list[Page]]:
    """Open pages, each in a browser of its own; they may ask no other server than the site."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        pages = []
        for _ in range(count):
            context = browser.new_context(base_url=site, **options)
            context.route(lambda url: not url.startswith((site, "data:", "about:")), lambda route: route.abort())
            page = context.new_page()
            page.set_default_timeout(15_000)
            pages.append(page)
        try:
            yield pages
        finally:
            connections.close_all()  # Beside the browser's event loop Django opens connections of its own.
            browser.close()
