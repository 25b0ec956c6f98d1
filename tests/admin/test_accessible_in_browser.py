"""The home page, a list and a form in a real browser: axe-core finds no serious fault, and a caller's phone finds the person."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import Page

from casework import figures
from collection.models import DeferralRequest
from communications.models import CommunicationLog
from debtors.models import Debtor
from payments.models import Payment
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import Browser, address, fill

#: axe-core 4, the MPL-2.0 licence of which is at its top.
AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


def sign_in(page: Page, agent_at_desk: Browser) -> Page:
    cookie = agent_at_desk.client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])
    return page


def faults(page: Page) -> list[str]:
    """Return the serious and critical faults of a page, each with the first elements."""
    page.evaluate(AXE.read_text())
    found: Any = page.evaluate(f"axe.run({{runOnly: {RULES}}})")
    return [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(supervisor_at_desk: Browser, live_server: Any, scheme: str):
    fill(2)
    figures.refresh(now=now())
    paths = [
        "/admin/",
        "/admin/find/?q=doe",
        address(DeferralRequest, "changelist"),
        address(Payment, "add"),
        address(CommunicationLog, "changelist"),
        "/admin/work/deferrals/",
    ]
    with browsers(live_server.url, color_scheme=scheme, viewport={"width": 1280, "height": 900}) as (page,):
        sign_in(page, supervisor_at_desk)
        wrong = {}
        for path in paths:
            page.goto(path)
            assert page.locator("main").count() == 1, path
            if found := faults(page):
                wrong[path] = found
    assert wrong == {}, "\n".join(f"{path} {one}" for path, each in wrong.items() for one in each)


def test_a_phone_as_it_is_spoken_opens_the_person_by_one_field_and_enter(agent_at_desk: Browser, live_server: Any):
    debt = factories.debt(
        debtor=factories.debtor(first_name="Zoë", last_name="Quint", mobile_phone="+12125550171", country_code="US")
    )
    with browsers(live_server.url) as (page,):
        sign_in(page, agent_at_desk).goto("/admin/")
        page.keyboard.type("(212) 555-0171")  # The search has the focus.
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{address(Debtor, 'change', debt.debtor_id)}")
        assert page.locator("h1", has_text="Zoë Quint").first.is_visible()


def test_work_by_keys_from_home_to_the_last_item(agent_at_desk: Browser, live_server: Any):
    for _ in range(2):
        factories.follow_up()
    with browsers(live_server.url) as (page,):
        sign_in(page, agent_at_desk).goto("/admin/")
        page.keyboard.press("Alt+1")
        page.locator(".work-bar", has_text="1 of 2").wait_for()
        page.keyboard.press("n")
        page.locator(".work-bar", has_text="2 of 2").wait_for()
        page.keyboard.press("b")
        page.locator(".work-bar", has_text="1 of 2").wait_for()
        page.keyboard.press("n")
        page.locator(".work-bar", has_text="2 of 2").wait_for()
        page.keyboard.press("n")
        page.locator("text=That was the last one").wait_for()
