"""Write, answer, pay and look up why on a person's page in a real browser: the clicks of each are counted."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from casework.models import Note
from communications.models import CommunicationLog
from payments.models import Payment
from tests import factories
from tests.admin.browser import browsers
from tests.admin.conftest import address
from tests.admin.test_person_in_browser import signed_in
from tests.admin.test_writing import inbound

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


class Clicks:
    """Count the clicks on a page; opening a list and choosing from it are two."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def on(self, found: Any) -> None:
        self.count += 1
        found.click()

    def choose(self, found: Any, label: str) -> None:
        self.count += 2
        found.select_option(label=label)


def person_of(debt: Any) -> str:
    return address(type(debt.debtor), "change", debt.debtor_id)


def test_a_message_is_written_with_a_live_preview_in_four_clicks(live_server: Any):
    debt = factories.debt(balance=1000)
    factories.template(name="Hello", communication_type="sms", body="You owe {{debt_amount}}.")
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(person_of(debt))
        clicks = Clicks(page)
        clicks.on(page.get_by_role("link", name="Write"))
        clicks.choose(page.get_by_label("Message", exact=True), "Hello")
        preview = page.locator("#write-preview")
        expect(preview.get_by_text("You owe £1,000.00.")).to_be_visible()
        expect(preview.get_by_text("1 part in GSM-7")).to_be_visible()
        expect(page.get_by_label("Text", exact=True)).to_be_hidden()
        expect(preview.get_by_text("Allowed now").or_(preview.get_by_text("Allowed from"))).to_be_visible()
        clicks.on(preview.locator("[data-send]"))
        page.wait_for_url(f"**{person_of(debt)}")
        assert clicks.count <= 4
        expect(page.locator(".stream").get_by_text("Hello").first).to_be_visible()
        clicks = Clicks(page)
        clicks.on(page.locator(".why summary").first)
        assert clicks.count == 1
        expect(page.locator(".why dd").filter(has_text="Ann")).to_be_visible()
        assert faults == []
    assert CommunicationLog.objects.get().written_by is not None


def test_a_message_that_the_gate_refuses_has_reasons_and_no_button(live_server: Any):
    debt = factories.debt()
    factories.suppress(debt.debtor.email)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        page.goto(person_of(debt))
        page.keyboard.press("w")
        expect(page.get_by_label("Text", exact=True)).to_be_focused()
        page.keyboard.type("Hello {{debtor_first_name}}")
        expect(page.locator("#write-preview").get_by_text("Not allowed", exact=True)).to_be_visible()
        expect(page.locator(".reasons li").first).to_be_visible()
        expect(page.locator("[data-send]")).to_have_count(0)


def test_without_a_script_a_button_shows_the_preview(live_server: Any):
    debt = factories.debt()
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        # Without any script django-unfold shows no page at all.
        page.route("**/write*.js", lambda route: route.abort())
        page.goto(person_of(debt))
        page.get_by_role("link", name="Write").click()
        page.get_by_label("Message", exact=True).select_option("free:sms")
        page.get_by_label("Text", exact=True).fill("Hello there.")
        page.get_by_role("button", name="Update the preview").click()
        expect(page.locator(".letter").get_by_text("Hello there.")).to_be_visible()
        expect(page.locator(".letter").get_by_text("STOP")).to_be_visible()


def test_a_reply_is_answered_from_the_timeline(live_server: Any):
    debt = factories.debt()
    reply = inbound(debt)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        page.goto(person_of(debt))
        page.get_by_role("link", name="Answer").click()
        expect(page.get_by_label("Subject")).to_have_value("Re: My card")
        expect(page.get_by_label("Text", exact=True)).to_be_focused()
        page.keyboard.type("Half is fine.")
        expect(page.frame_locator("#write-preview iframe").get_by_text("Half is fine.")).to_be_visible()
        page.keyboard.press("Control+Enter")
        page.wait_for_url(f"**{person_of(debt)}")
        expect(page.get_by_text("Answered by Ann").or_(page.get_by_text("answered by Ann"))).to_be_visible()
    reply.refresh_from_db()
    assert reply.read_at is not None
    assert CommunicationLog.objects.get(direction="outbound").in_reply_to == reply


def test_a_payment_takes_three_clicks_and_is_reversed_from_the_page(live_server: Any):
    debt = factories.debt(balance=1000)
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url, "Supervisor")
        page.goto(person_of(debt))
        clicks = Clicks(page)
        clicks.on(page.get_by_role("link", name="Record payment"))
        clicks.on(page.get_by_label("Amount"))
        page.keyboard.type("100")
        clicks.on(page.get_by_role("button", name="Record payment"))
        page.wait_for_url(f"**{person_of(debt)}")
        assert clicks.count <= 3
        expect(page.locator(".rail").get_by_text("900.00").first).to_be_visible()
        page.locator(".stream").get_by_role("link", name="Reverse").click()
        page.get_by_role("button", name="Reverse").click()
        page.wait_for_url(f"**{person_of(debt)}")
        expect(page.locator(".rail").get_by_text("1,000.00").first).to_be_visible()
    assert Payment.objects.get().status != "completed"


def test_a_call_is_recorded_by_a_key_two_clicks_and_a_text(live_server: Any):
    debt = factories.debt()
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        page.goto(person_of(debt))
        page.keyboard.press("c")
        page.wait_for_url("**/record_call/**")
        clicks = Clicks(page)
        clicks.on(
            page.get_by_label("Spoke with the debtor").or_(page.locator("[name=outcome][value=right_party]")).first
        )
        page.keyboard.press("Tab")
        page.keyboard.type("Pays on Friday.")
        clicks.on(page.get_by_role("button", name="Record"))
        page.wait_for_url(f"**{person_of(debt)}")
        assert clicks.count == 2
    call = CommunicationLog.objects.get()
    assert (call.direction, call.outcome, call.outcome_notes) == ("outbound", "right_party", "Pays on Friday.")


#: Elements that a person reads or uses, of which one may cover another only if it contains it.
OVERLAPS = """() => {
    const kinds = "a, button, input:not([type=hidden]), select, textarea, h1, h2, label, iframe, p";
    const shown = [...document.querySelectorAll(`main :is(${kinds})`)]
        .filter((each) => each.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
            && each.getClientRects().length === 1 && each.offsetWidth > 1);
    const found = [];
    for (const one of shown) for (const other of shown) {
        if (one === other || one.contains(other) || other.contains(one)) continue;
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        if (a.left + 1 < b.right && b.left + 1 < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom)
            found.push(`${one.outerHTML.slice(0, 90)} | ${other.outerHTML.slice(0, 90)}`);
    }
    return found;
}"""


def test_nothing_overlaps_in_the_template_editor_on_a_phone(live_server: Any):
    factories.debt()
    template = factories.template(name="Hello", subject="About your debt", body="Dear {{debtor_first_name}}, " * 20)
    with browsers(live_server.url, viewport={"width": 390, "height": 844}) as (page,):
        signed_in(page, live_server.url, "Supervisor")
        for name in ("change", "preview"):
            page.goto(address(type(template), name, template.pk))
            assert page.evaluate(OVERLAPS) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.add_style_tag(content="main :is(h1, button) { position: fixed !important; top: 0; left: 0 }")
        assert page.evaluate(OVERLAPS), "the check finds what covers something else"


def test_a_note_of_a_call_is_two_clicks_and_a_text(live_server: Any):
    debt = factories.debt()
    with browsers(live_server.url) as (page,):
        signed_in(page, live_server.url)
        page.goto(person_of(debt))
        clicks = Clicks(page)
        clicks.on(page.get_by_label("Note", exact=True))
        page.keyboard.type("She called: pays on Friday.")
        clicks.on(page.get_by_role("button", name="Save note"))
        expect(page.get_by_text("The note is saved.")).to_be_visible()
        assert clicks.count == 2
    assert Note.objects.get().text == "She called: pays on Friday."
