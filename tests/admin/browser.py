"""A real browser for tests of pages, on pytest-django's server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from playwright.sync_api import Page, sync_playwright

from tests.admin.test_message_in_browser import ARGUMENTS, chromium


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
