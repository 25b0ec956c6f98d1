"""An agent negotiates a plan, and a supervisor approves one, by keys in a real browser."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from arrangements.models import Arrangement
from casework.worklists import BY_KIND
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import address, arrangement
from tests.admin.test_person_in_browser import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]

MOST_KEYS = 25


class Keys:
    """Press keys, and count them."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1


def owed(balance: int = 300, **values: Any) -> Any:
    return factories.debt(
        original_balance=Decimal(balance), current_balance=Decimal(balance), currency_code="GBP", **values
    )


def test_a_plan_is_negotiated_in_few_keys(live_server: Any):
    debt = owed()
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(address(type(debt.debtor), "change", debt.debtor_id))
        keys = Keys(page)
        keys.press("a")
        expect(page.get_by_label("Per instalment")).to_be_focused()
        expect(page.get_by_text("300.00 GBP in 6 payments")).to_be_visible()
        keys.press(*"75")
        expect(page.get_by_text("300.00 GBP in 4 payments")).to_be_visible()
        expect(page.get_by_label("or number of instalments")).to_have_value("")
        keys.press("Enter")  # It only draws the schedule again.
        expect(page.get_by_text("300.00 GBP in 4 payments")).to_be_visible()
        assert not Arrangement.objects.exists()
        keys.press("Control+Enter")
        expect(page.get_by_text("Agreed: Payment plan, 300.00 GBP.")).to_be_visible()
        expect(page.locator(".chips").get_by_text("Payment plan: next 75.00 GBP")).to_be_visible()
        assert keys.count <= MOST_KEYS
        assert faults == []
    made = Arrangement.objects.get()
    assert (made.status, made.instalments.count()) == ("active", 4)


def test_a_plan_without_our_script(live_server: Any):
    debt = owed()
    with browsers(live_server.url) as (page,):
        page.route("**/casework/arrange*.js", lambda route: route.abort())
        signed_in(page, live_server.url)
        page.goto(address(type(debt.debtor), "change", debt.debtor_id) + "?panel=arrange")
        page.get_by_label("or number of instalments").fill("3")
        page.get_by_role("button", name="Show the schedule").click()
        expect(page.get_by_text("300.00 GBP in 3 payments")).to_be_visible()
        page.get_by_role("button", name="Agreed").click()
        expect(page.get_by_text("Agreed: Payment plan, 300.00 GBP.")).to_be_visible()
    assert Arrangement.objects.get().status == "active"


def test_a_supervisor_approves_from_the_queue(live_server: Any):
    first, second = (arrangement(owed(), status="pending_approval") for _ in range(2))
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url, "Supervisor")
        page.goto(BY_KIND["arrangements"].start_url())
        expect(page.get_by_text("1 of 2")).to_be_visible()
        page.get_by_role("link", name="Approve", exact=True).click()
        page.get_by_role("button", name="Approve").click()
        page.wait_for_url(f"**{address(Arrangement, 'change', second.pk)}")
        expect(page.get_by_text("Approved: it is offered.")).to_be_visible()
    first.refresh_from_db()
    assert first.status == "offered"
