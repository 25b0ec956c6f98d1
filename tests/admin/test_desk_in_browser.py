"""The home page in a real browser: a caller's phone finds the person, keys work through the queue, charts follow the theme."""

from typing import Any

import pytest
from django.utils.timezone import now

from casework import figures
from debtors.models import Debtor
from tests import factories
from tests.admin.browser import browsers, sign_in
from tests.admin.conftest import Browser, address, fill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


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


#: The colours of all bars, as their canvases have them.
BARS = "Object.values(Chart.instances).flatMap(one => one.data.datasets.map(set => set.backgroundColor)).join()"


def test_charts_follow_the_theme(supervisor_at_desk: Browser, live_server: Any):
    fill(1)
    figures.refresh(now=now())
    with browsers(live_server.url, color_scheme="light") as (page,):
        sign_in(page, supervisor_at_desk).goto("/admin/")
        light = page.evaluate(BARS)
        page.evaluate("document.documentElement.classList.add('dark')")  # As the choice of a theme does.
        page.wait_for_function(f"{BARS} !== '{light}'")
        assert "var(" not in light + page.evaluate(BARS)
        assert page.evaluate("Object.keys(Chart.instances).length") == 4


def test_charts_fold_on_a_phone(supervisor_at_desk: Browser, live_server: Any):
    fill(1)
    figures.refresh(now=now())
    for width, shown in ((1280, True), (390, False)):
        with browsers(live_server.url, viewport={"width": width, "height": 844}) as (page,):
            sign_in(page, supervisor_at_desk).goto("/admin/")
            chart = page.locator(".charts canvas").first
            assert chart.is_visible() is shown
            if not shown:
                page.locator(".charts summary").first.click()
                chart.wait_for()
