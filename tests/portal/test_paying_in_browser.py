"""Debtors pay in a real browser: a link's instalment, in full, in part and by the QR page, with and without JavaScript."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from django.utils.timezone import now
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from collection.models import Debt
from payments import creditor_references, provider_events
from portal import payment_links
from tests import factories
from tests.admin.browser import browsers
from tests.payments.test_bank_transfers import IBAN, account
from tests.portal.test_in_browser import faults, overflow
from tests.portal.test_paying import plan_of
from tests.standins.stripe import StripeStandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]
DEEP = [
    pytest.param(width, script, marks=pytest.mark.deep) for width, script in ((390, False), (1280, True), (1280, False))
]


def sound(page: Page) -> None:
    """Check a page: axe finds nothing, and nothing is wider than the screen."""
    assert faults(page) == []
    assert overflow(page) <= 0


def tap(what: Locator, taps: list[str]) -> None:
    taps.append(what.inner_text())
    what.click()


def paid_at(stripe: StripeStandIn, page: Page, debt: Debt, taps: list[str], *, check: Any) -> Decimal:
    """Go on from the disclosure to the provider's page, pay there, and return what is left of the debt."""
    check(page)
    tap(page.get_by_role("link", name="Go to the card page"), taps)
    tap(page.get_by_role("button", name="Pay"), taps)
    expect(page.get_by_text("We are waiting for the bank")).to_be_visible()
    check(page)
    provider_events.handle(clock=now)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("We have received your payment")).to_be_visible()
    page.get_by_role("link", name="Receipt to print").click()
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    check(page)
    debt.refresh_from_db()
    return debt.current_balance


@pytest.mark.parametrize(("width", "script"), [(390, True), *DEEP])
def test_paying(live_server: Any, settings: Any, width: int, script: bool):
    settings.PUBLIC_URL = live_server.url
    debtor = factories.debtor(dob=date(1984, 3, 27))
    debt = factories.debt(debtor=debtor, balance=120, currency_code="EUR", external_reference="INV-7")
    plan = plan_of(debt)
    account()
    link = payment_links.create(
        debtor, debts=[debt], arrangement=plan, amount=Decimal(30), by=factories.agent(), now=now()
    )
    check = sound if script else lambda page: None
    with StripeStandIn(webhook=f"{live_server.url}/providers/stripe/events") as stripe:
        for name, value in stripe.settings().items():
            setattr(settings, name, value)
        options = {"viewport": {"width": width, "height": 800}, "java_script_enabled": script, "locale": "en-GB"}
        with browsers(live_server.url, **options) as (page,):
            page.context.route(f"{stripe.url}/**", lambda route: route.continue_())
            # An instalment from a link in four taps: the answer, the sum, the card page, and the card.
            page.goto(link.url)
            for label, part in (("Day", "27"), ("Month", "3"), ("Year", "1984")):
                page.get_by_label(label).fill(part)
            taps: list[str] = []
            tap(page.get_by_role("button", name="Open my account"), taps)
            expect(page.get_by_role("heading", name="Pay", exact=True)).to_be_visible()
            check(page)
            tap(page.get_by_role("button", name="Pay €30.00 by card").first, taps)
            assert paid_at(stripe, page, debt, taps, check=check) == 90
            assert len(taps) == 4, taps

            # A part.
            page.goto("/portal/pay")
            page.get_by_label("Amount").fill("15.50")
            page.get_by_role("button", name="Pay by card").click()
            assert paid_at(stripe, page, debt, [], check=check) == Decimal("74.50")

            # By transfer: a banking app reads the picture on the page.
            page.goto("/portal/pay")
            page.get_by_role("button", name="Pay by bank transfer").last.click()
            expect(page.get_by_text("Please enter an amount").first).to_be_visible()
            check(page)
            page.get_by_label("Amount").fill("20")
            page.get_by_role("button", name="Pay by bank transfer").last.click()
            expect(page.get_by_text("Scan this with your banking app")).to_be_visible()
            check(page)
            picture = Image.open(BytesIO(page.locator(".qr").screenshot()))
            (code,) = zxingcpp.read_barcodes(picture)
            reference = creditor_references.of([debt])[debt.pk]
            assert code.text.split("\n") == [
                "BCD", "002", "1", "SCT", "COBADEFFXXX", "DDC Trust Account", IBAN, "EUR20.00", "", reference,
            ]  # fmt: skip
            assert page.locator("[data-copy]:visible").count() == (5 if script else 0)
            if script:
                page.context.grant_permissions(["clipboard-read", "clipboard-write"])
                page.get_by_role("button", name="Copy Reference").click()
                expect(page.get_by_text("Copied")).to_be_attached()
                assert page.evaluate("navigator.clipboard.readText()") == reference

            # All of it.
            page.goto("/portal/pay")
            page.get_by_role("button", name="Pay €74.50 by card").click()
            assert paid_at(stripe, page, debt, [], check=check) == 0
    assert debt.current_status == "paid"
