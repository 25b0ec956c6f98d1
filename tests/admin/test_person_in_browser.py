"""An agent works on a person's page by keys, in a real browser."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Dialog, Page, expect

from casework.models import FollowUp, Note
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import address, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


def signed_in(page: Page, site: str, role: str = "Agent") -> None:
    client = Client()
    client.force_login(staff(role))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site}])


def noted(dialog: Dialog, found: list[str]) -> None:
    found.append(dialog.type)
    dialog.accept()


def test_a_note_and_a_follow_up_by_keys(live_server: Any):
    debt = factories.debt()
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: noted(dialog, faults))
        person = address(type(debt.debtor), "change", debt.debtor_id)
        page.goto(person)

        page.keyboard.press("t")
        expect(page.get_by_label("Note", exact=True)).to_be_focused()
        page.keyboard.type("Works shifts: pct, call before ten.")  # Keys of actions are letters here.
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("The note is saved.")).to_be_visible()
        expect(page.locator(".stream").get_by_text("Works shifts: pct")).to_be_visible()
        assert page.url.endswith(person)

        page.keyboard.press("f")
        expect(page.get_by_label("To do")).to_be_focused()
        page.keyboard.type("Ask for the receipt")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The follow-up is set.")).to_be_visible()
        expect(page.locator(".todo").get_by_text("Ask for the receipt")).to_be_visible()
        assert page.url.endswith(person)

        page.keyboard.press("p")
        page.wait_for_url("**/pay/**")
        assert faults == []
    assert Note.objects.get().text.startswith("Works shifts")
    assert FollowUp.objects.get().text == "Ask for the receipt"


def test_unsaved_edits_and_notes_are_not_lost_without_a_warning(live_server: Any):
    debt = factories.debt()
    person = address(type(debt.debtor), "change", debt.debtor_id)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        warned: list[str] = []
        page.on("dialog", lambda dialog: noted(dialog, warned))
        for start, field in ((person, "Note"), (f"{person}?panel=edit", "City")):
            page.goto(start)
            page.get_by_label(field, exact=True).click()
            page.keyboard.type("x")
            page.get_by_role("link", name="Debts", exact=True).last.click()
            page.wait_for_url("**panel=debts")
        page.goto(person)
    assert warned == ["beforeunload", "beforeunload"]


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_of_the_page_is_wider_than_the_screen(live_server: Any, width: int):
    debt = factories.debt(external_reference="X" * 60)
    factories.note(debtor=debt.debtor, text="y" * 300, pinned=True)
    with browsers(live_server.url, viewport={"width": width, "height": 900}) as (page,):
        signed_in(page, live_server.url)
        for row in (debt.debtor, debt):
            for panel in ("", "debts", "requests", "contact", "edit"):
                page.goto(f"{address(type(row), 'change', row.pk)}?panel={panel}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, panel
