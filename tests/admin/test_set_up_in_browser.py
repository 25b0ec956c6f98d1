"""A Supervisor imports a placement file and downloads a list, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import expect

from audit.models import ListExport
from collection.models import Debt, PlacementImport
from collection.placements import imports
from ddc.common.process.live import Progress
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import Browser, address
from tests.collection.placements.files import ROW, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


def test_a_file_is_uploaded_previewed_and_confirmed(supervisor_at_desk: Browser, live_server: Any):
    bad = ROW | {"externalReference": "A-3", "originalBalance": "=1+1", "email": "bad@example.com", "mobilePhone": ""}
    with browsers(live_server.url) as (page,):
        sign_in(page, supervisor_at_desk, live_server.url)
        page.goto(address(PlacementImport, "add"))
        file: Any = {"name": "march.csv", "mimeType": "text/csv", "buffer": text(ROW, bad).encode()}
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Save", exact=True).click()
        state = page.locator("[data-live]")
        expect(state).to_have_text("Waits for a worker")
        page.evaluate("window.isTheSame = true")
        Progress(PlacementImport.objects.get().pk).report("reading, 40 % of the file")
        expect(state).to_have_text("reading, 40 % of the file", timeout=15_000)
        expect(page.get_by_text("Show the newest state")).to_be_hidden()
        assert page.evaluate("window.isTheSame")  # The page was not loaded again.

        imports.work(clock=now)
        expect(page.get_by_text("This is a preview: nothing was written.")).to_be_visible(timeout=15_000)
        expect(page.get_by_text("originalBalance", exact=True)).to_be_visible()
        assert not Debt.objects.exists()
        page.get_by_role("link", name="Place the accepted rows").click()
        page.get_by_role("button", name="Place them").click()
        expect(page.locator("[data-live]")).to_be_visible()
        imports.work(clock=now)
        expect(page.locator("[data-live]")).to_have_count(0, timeout=15_000)
    assert Debt.objects.count() == 1


def test_a_large_list_is_downloaded_with_a_reason(
    supervisor_at_desk: Browser, live_server: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("audit.exports.ROWS_WITHOUT_REASON", 1)
    for _ in range(2):
        factories.debt()
    with browsers(live_server.url) as (page,):
        sign_in(page, supervisor_at_desk, live_server.url)
        page.goto(address(Debt, "changelist"))
        page.get_by_role("link", name="Download as CSV").click()
        page.get_by_label("Reason").fill("The creditor's audit")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").click()
        lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert ListExport.objects.get().reason == "The creditor's audit"


def sign_in(page: Any, browser: Browser, site: str) -> None:
    value = browser.client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site}])
