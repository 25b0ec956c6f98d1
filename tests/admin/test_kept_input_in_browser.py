"""What was typed into the back office before the session ended, in a real browser."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from agents.models import Agent
from payments.models import Payment
from tests import factories
from tests.admin.browser import browsers
from tests.agents.second_factors import equip

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.SECOND_FACTOR = "supervisors"


def sign_in(page: Page, agent: Agent, code: str) -> None:
    page.get_by_label("Username").fill(agent.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_what_was_typed_is_back_after_signing_in_again(live_server: Any):
    agent, debt = factories.agent("Supervisor"), factories.debt()
    _, codes = equip(agent)
    form = f"/admin/payments/payment/add/?debt={debt.pk}"
    with browsers(live_server.url) as (page,):
        page.goto(form)
        sign_in(page, agent, codes[0])
        page.get_by_label("Amount").fill("12.34")
        page.get_by_label("Payment method").select_option("cash")
        Session.objects.all().delete()
        page.get_by_role("button", name="Save", exact=True).click()

        sign_in(page, agent, codes[1])

        expect(page.get_by_text("What you typed is back in the form")).to_be_visible()
        expect(page.get_by_label("Amount")).to_have_value("12.34")
        expect(page.get_by_label("Payment method")).to_have_value("cash")
        assert not Payment.objects.exists()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
        assert page.evaluate("sessionStorage.getItem('typed')") is None

        page.goto(form)
        expect(page.get_by_label("Amount")).to_have_value("")
    assert [(payment.amount, payment.debt_id) for payment in Payment.objects.all()] == [(Decimal("12.34"), debt.pk)]
