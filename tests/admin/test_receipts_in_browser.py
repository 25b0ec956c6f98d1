"""An agent books receipts in suspense by keys, in a real browser, and no page of it has a serious fault."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from payments.models import Receipt
from tests import factories
from tests.admin.browser import browsers, faults, sign_in
from tests.admin.conftest import Browser, address
from tests.payments.receipts.makers import balance, booked, receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


def test_receipts_are_booked_by_one_key_each(agent_at_desk: Browser, live_server: Any):
    debtor = factories.debtor(first_name="Ann", last_name="Payer")
    older = factories.debt(debtor=debtor, balance="200", external_reference="INV-7")
    newer = factories.debt(debtor=debtor, balance="60", external_reference="INV-8")
    first = receipt(60, "for flat 8", payer_name="Ann Payer")
    second = receipt(90, "for flat 7", payer_name="Ann Payer")
    with browsers(live_server.url) as (page,):
        sign_in(page, agent_at_desk).goto("/admin/work/suspense/")
        expect(page.get_by_role("heading", name="60.00 GBP", exact=True)).to_be_visible()
        page.keyboard.press("1")  # The one with the same amount is first.
        expect(page.get_by_role("heading", name="90.00 GBP", exact=True)).to_be_visible()
        expect(page.get_by_text("Booked to INV-8.")).to_be_visible()
        page.keyboard.press("1")
        expect(page.get_by_text("That was the last one.")).to_be_visible()
    assert (booked(first), booked(second)) == ([("payment", 60)], [("payment", 90)])
    assert (balance(newer), balance(older)) == (0, 110)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_receipts_has_a_serious_fault(
    supervisor_at_desk: Browser, live_server: Any, scheme: str, width: int, pytestconfig: Any
):
    debtor = factories.debtor(first_name="Ann", last_name="Payer")
    factories.debt(debtor=debtor, balance="60", external_reference="INV-100007")
    factories.debt(debtor=debtor, balance="40", external_reference="INV-100008")
    done = receipt(110, "INV-100007 and INV-100008", payer_name="Ann Payer", payer_account="GB33BUKB20201555555555")
    waits = receipt(60, "for flat 7,\nwith a very long text " + "x" * 60, payer_name="Ann Payer")
    paths = {
        "list": address(Receipt, "changelist"),
        "suspense": address(Receipt, "change", waits.pk),
        "booked": address(Receipt, "change", done.pk),
        "elsewhere": f"/admin/payments/receipt/{waits.pk}/book_elsewhere/",
        "add": address(Receipt, "add"),
        "credits": f"{address(type(debtor), 'change', debtor.pk)}?panel=credits",
    }
    pictures = Path("/tmp/receipt-pictures")
    with browsers(live_server.url, color_scheme=scheme, viewport={"width": width, "height": 900}) as (page,):
        sign_in(page, supervisor_at_desk)
        page.goto("/admin/work/suspense/")
        wrong = {}
        for name, path in paths.items():
            page.goto(path)
            if pictures.is_dir():
                page.screenshot(path=pictures / f"{name}-{width}-{scheme}.png")
            if found := faults(page):
                wrong[path] = found
            if name in ("suspense", "booked"):
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert wrong == {}
