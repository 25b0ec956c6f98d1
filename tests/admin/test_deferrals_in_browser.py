"""Deferral requests are decided by keys, in bulk and by two agents at once, in a real browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from agents.models import LimitKind, RoleLimit
from collection import deferrals
from collection.models import DeferralRequest
from communications.models import CommunicationLog
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import address, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]

LIST = "/admin/collections/deferralrequest/"
#: Counts what the agent does: presses of keys and clicks of the mouse.
_COUNTING = """
addEventListener("keydown", () => sessionStorage.keys = Number(sessionStorage.keys || 0) + 1, true);
addEventListener("pointerdown", () => sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1, true);
"""


def signed_in(page: Page, site: str, role: str = "Agent") -> None:
    client = Client()
    client.force_login(staff(role))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site}])


def ask(count: int, **debtor: Any) -> list[DeferralRequest]:
    asked = []
    for number in range(count):
        debt = factories.debt(debtor=factories.debtor(last_name=f"Carver{number}", **debtor))
        at = now() - timedelta(days=9, hours=-number)
        reason = "I have lost my job and start a new one next month."
        asked.append(deferrals.request(debt, debtor=debt.debtor, days=45, reason=reason, now=at))
    return asked


def statuses() -> list[str]:
    return list(DeferralRequest.objects.order_by("created_at").values_list("status", flat=True))


def faults(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_ten_requests_are_granted_by_one_click_and_ten_keys(live_server: Any):
    ask(11)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        found = faults(page)
        page.goto(LIST)
        page.add_init_script(_COUNTING)
        page.evaluate(_COUNTING)
        page.get_by_role("link", name="Start with the oldest").click()
        for number in range(10):
            expect(page.get_by_role("heading", name=f"Carver{number}", exact=False)).to_be_visible()
            expect(page.locator("#preview .mail")).to_be_visible()
            page.keyboard.press("a")
        expect(page.get_by_role("heading", name="Carver10")).to_be_visible()
        counted = page.evaluate("[Number(sessionStorage.clicks || 0), Number(sessionStorage.keys)]")
        assert counted == [1, 10]
        assert found == []
    assert statuses() == ["approved"] * 10 + ["pending"]


def test_a_counter_offer_changes_the_message_as_it_is_typed(live_server: Any):
    (asked,) = ask(1, language_preference="de")
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        found = faults(page)
        page.goto(address(DeferralRequest, "change", asked.pk))
        expect(page.locator("#preview")).to_contain_text("Sie haben mehr Zeit")
        page.get_by_label("Days", exact=True).fill("30")
        expect(page.locator("#preview")).to_contain_text("weniger Tage")
        expect(page.get_by_role("button", name="Grant 30 days until")).to_be_visible()
        page.get_by_label("Please pay a first part").check()
        expect(page.locator("#preview")).to_contain_text("einen ersten Teil")
        page.keyboard.press("a")
        expect(page.locator(".undo")).to_contain_text("30 days")
        assert found == []
    asked.refresh_from_db()
    assert (asked.status, asked.granted_days) == ("approved", 30)


def test_refuse_ask_skip_and_undo_by_keys(live_server: Any):
    ask(3)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        page.goto("/admin/work/deferrals/")
        expect(page.get_by_role("heading", name="Carver0")).to_be_visible()
        expect(page.locator("#preview .mail")).to_be_visible()
        page.keyboard.press("n")
        expect(page.get_by_role("heading", name="Carver1")).to_be_visible()
        expect(page.locator("#preview .mail")).to_be_visible()
        page.keyboard.press("q")  # The first press offers the usual question, the second sends it.
        expect(page.get_by_label("Please send proof")).to_be_focused()
        expect(page.locator("#preview")).to_contain_text("we have a question")
        page.keyboard.press("q")
        expect(page.get_by_role("heading", name="Carver2")).to_be_visible()
        expect(page.locator("#preview .mail")).to_be_visible()
        page.keyboard.press("r")
        expect(page.locator("#preview")).to_contain_text("could not grant")
        page.keyboard.press("r")
        expect(page.locator(".undo")).to_contain_text("Refused")
        expect(page.locator("tr.cur")).to_be_visible()
        assert statuses() == ["pending", "pending", "rejected"]
        page.keyboard.press("z")
        expect(page.get_by_text("Nothing was sent.")).to_be_visible()
        expect(page.locator("#preview .mail")).to_be_visible()
        assert statuses() == ["pending", "pending", "pending"]
        page.keyboard.press("s")
        expect(page.get_by_text("Sent to a Supervisor: ")).to_be_visible()
    withdrawn, question = CommunicationLog.objects.order_by("status")
    assert (withdrawn.status, question.status) == ("blocked", "queued")
    assert DeferralRequest.objects.filter(escalated_at__isnull=False).count() == 1


def test_the_list_is_worked_by_keys_and_in_bulk(live_server: Any):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, value=60)
    ask(4)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        found = faults(page)
        page.goto(LIST)
        expect(page.locator("tr.cur")).to_be_visible()
        page.keyboard.press("a")
        expect(page.locator(".undo")).to_contain_text("Carver0")
        expect(page.locator("tr.cur")).to_contain_text("Carver1")
        for key in ("x", "j", "x"):
            page.keyboard.press(key)
        page.keyboard.press("Shift+A")
        expect(page.get_by_role("heading", name="Grant 2 requests")).to_be_visible()
        expect(page.get_by_text("Carver2")).to_be_visible()
        page.get_by_role("button", name="Grant the selected").click()
        expect(page.get_by_role("heading", name="2 of 2 decided")).to_be_visible()
        page.get_by_role("link", name="Back to the list").click()
        expect(page.locator("tr.cur")).to_contain_text("Carver3")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Carver3")).to_be_visible()
        assert found == []
    assert statuses() == ["approved"] * 3 + ["pending"]


def test_of_two_agents_the_second_sees_who_decided(live_server: Any):
    asked, *_ = ask(3)
    path = address(DeferralRequest, "change", asked.pk)
    with browsers(live_server.url, 2) as (first, second):
        for page in (first, second):
            signed_in(page, live_server.url)
            page.goto(path)
            expect(page.locator("#preview .mail")).to_be_visible()
        expect(second.get_by_text("works on this request since")).to_be_visible()
        first.keyboard.press("a")
        expect(first.locator(".undo")).to_be_visible()
        second.get_by_label("Days", exact=True).fill("30")
        second.get_by_label("No delay").check()
        second.keyboard.press("r")
        expect(second.get_by_text("Ann granted this 0")).to_be_visible()
        second.keyboard.press("n")  # The first agent has Carver1 open.
        expect(second.get_by_role("heading", name="Carver2")).to_be_visible()
    asked.refresh_from_db()
    assert (asked.status, asked.granted_days) == ("approved", 45)


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways(live_server: Any, width: int):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, value=30)
    asked, *_ = ask(3)
    paths: list[Callable[[], str]] = [lambda: f"{LIST}?tab=above", lambda: address(DeferralRequest, "change", asked.pk)]
    with browsers(live_server.url, viewport={"width": width, "height": 900}) as (page,):
        signed_in(page, live_server.url)
        for path in paths:
            page.goto(path())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
