"""The page of a message in a real browser: it is shown as its reader saw it, and nothing of it runs or is fetched."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, sync_playwright

from communications.models import CommunicationLog
from tests import factories
from tests.admin.conftest import Browser, address

SITE = "http://ddc.example"
#: Chromium would keep a site from asking loopback addresses by itself; nothing but the frame shall keep it here.
ARGUMENTS = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"]
#: What a mail may hold at the worst: it would fetch a pixel, run a script, load a style and send a form.
MARKUP = """<!doctype html><html><head><link rel="stylesheet" href="{elsewhere}/style.css"></head><body>
<p>You owe <b>£1,000</b>.</p><img src="{elsewhere}/pixel.gif"><script>document.body.innerText = "It ran"</script>
<p style="background:url({elsewhere}/picture.png)">Pay</p><form action="{elsewhere}/x"><button>Send</button></form>
</body></html>"""


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def chromium() -> str:
    return next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := which(name)))


@pytest.mark.django_db
def test_a_message_is_shown_in_a_frame_that_loads_and_runs_nothing(
    agent_at_desk: Browser, elsewhere: tuple[str, list[str]]
):
    other, asked = elsewhere
    log = CommunicationLog.objects.create(
        debtor=factories.debtor(), communication_type="email", status="sent", subject="About", body="You owe £1,000.",
        html=MARKUP.format(elsewhere=other),
    )  # fmt: skip
    page_of_it = address(CommunicationLog, "change", log.pk)
    # Said beforehand: beside the browser's event loop Django would open connections of its own.
    site: dict[str, Any] = {
        path: agent_at_desk.get(path)
        for path in (page_of_it, f"/admin/communications/communicationlog/{log.pk}/download/")
    }

    def answer(route: Route) -> None:
        """Answer the browser as the site does, but for the page's own policy: the frame has to do without."""
        path = urlsplit(route.request.url).path
        if path in site:
            headers = {name: value for name, value in site[path].headers.items() if name != "Content-Security-Policy"}
            route.fulfill(status=200, headers=headers, body=site[path].getvalue())
        else:
            route.fulfill(status=404)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.route(f"{SITE}/**", answer)
        page.goto(SITE + page_of_it)
        frame = page.frame_locator("iframe[title='The message']")
        frame.locator("b").wait_for(state="attached")
        shown = frame.locator("body").inner_text()
        page.wait_for_timeout(500)  # for whatever else it might fetch
        with page.expect_download() as download:
            page.locator("a[href$='/download/']").first.evaluate("link => link.click()")
        name = download.value.suggested_filename
        browser.close()

    assert "You owe £1,000." in shown
    assert "It ran" not in shown
    assert asked == []
    assert name == f"message-{log.pk}.eml"
