"""The portal in a real browser: whole journeys, accessibility, size, and what holds without a script or on a narrow screen."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from collection import deferrals
from collection.models import DeferralRequest
from communications.texts import one_time_code
from debtors.models import Debtor
from portal import tokens
from portal.models import AddressChange, OtpSession
from portal.pages import pages
from tests import factories
from tests.admin.browser import AXE, browsers
from tests.portal import pages_of_portal, personas
from tests.portal.conftest import code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]

#: Of the first page with all that it loads, not compressed.
FIRST_PAGE_BYTES = 60_000


@contextmanager
def phone(site: str, **options: Any) -> Iterator[Page]:
    with browsers(site, **{"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"} | options) as (page,):
        yield page


def visit(page: Page, debtor: Debtor, site: str) -> None:
    """Sign a debtor in."""
    value = tokens.issue_for_pages(debtor, now=timezone.now())
    page.context.add_cookies([{"name": pages.TOKEN_COOKIE, "value": value, "url": site}])


def faults(page: Page) -> list[str]:
    """Return all violations that axe-core finds."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}" for fault in found]


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def sign_in(page: Page, debtor: Debtor, *, by_email: bool = False) -> None:
    from portal import otp

    page.goto("/portal/sign-in?by=email" if by_email else "/portal")
    page.locator("main input:not([type=hidden])").first.fill(str(debtor.email if by_email else debtor.mobile_phone))
    page.locator("main form .btn").first.click()
    page.wait_for_url("**/portal/code")
    otp.answer(clock=timezone.now)
    page.locator("#id_otp_code").fill(code_of(OtpSession.objects.all()[0]))
    page.locator("main form .btn").first.click()
    page.wait_for_url("**/portal/question")
    for name, value in (("day", "27"), ("month", "3"), ("year", "1984")):
        page.locator(f"#id_{name}").fill(value)
    page.locator("main form .btn").first.click()
    page.wait_for_url(lambda url: "question" not in url)


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.deep)])
def test_a_debtor_signs_in_agrees_to_a_plan_gets_more_time_and_signs_out(live_server: Any, scripts: bool) -> None:
    personas.policy()
    debtor = factories.debtor(dob=date(1984, 3, 27))
    plan = factories.debt(debtor=debtor, original_creditor="Blue Harbour Bank", balance=300)
    later = factories.debt(debtor=debtor, original_creditor="Alpine Health", balance=90)
    with phone(live_server.url, java_script_enabled=scripts) as page:
        sign_in(page, debtor)

        taps = 0
        for what in (
            page.get_by_role("article", name=plan.original_creditor).get_by_role("link", name="Small steps"),
            page.locator("label[for=plan-3]"),
            page.get_by_role("button", name="Continue"),
            page.get_by_role("button", name="I agree to this plan"),
        ):
            what.click()
            taps += 1
        assert taps <= 4
        assert page.locator("h1").inner_text() == "Your plan"
        assert page.locator("td", has_text="£100.00").count() == 3

        page.goto("/portal")
        page.get_by_role("link", name="Ask for more time").click()
        page.locator("label[for=id_time_1]").click()
        page.locator("label[for=id_why_0]").click()
        del_cookie(page)
        page.get_by_role("button", name="Send my request").click()
        assert page.get_by_text("we have kept what you typed").count() == 1
        sign_in_again(page, debtor)
        assert page.locator("#id_time_1").is_checked()
        page.get_by_role("button", name="Send my request").click()
        assert page.locator("h1").inner_text() == "Your request for more time"

        asked = DeferralRequest.objects.get(debt=later)
        deferrals.approve(asked, by=factories.agent(), notes="", now=timezone.now())
        page.reload()
        assert page.get_by_text("We gave you more time").count() >= 1
        page.get_by_role("button", name="Sign out").click()
        assert page.locator("h1").inner_text() == "You are signed out"
        page.go_back()
        assert "Blue Harbour" not in page.content()


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.deep)])
def test_a_debtor_disputes_with_a_file_gets_help_stops_messages_and_changes_the_phone(
    live_server: Any, scripts: bool
) -> None:
    debtor = factories.debtor(dob=date(1984, 3, 27))
    factories.debt(debtor=debtor, original_creditor="Blue Harbour Bank", balance=300)
    with phone(live_server.url, java_script_enabled=scripts) as page:
        sign_in(page, debtor)

        page.get_by_role("link", name="This is wrong").first.click()
        page.locator("label[for=id_what_1]").click()
        page.locator("#id_portion").fill("120.50")
        page.locator("#id_reason").fill("I sent the shoes back in May.")
        page.locator("#id_proof").set_input_files(
            {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 %%EOF"}
        )
        page.get_by_role("button", name="Send it").click()
        assert page.locator("h1").inner_text() == "You told us that it is wrong"
        with page.expect_download() as download:
            page.get_by_text("receipt.pdf").click()
        assert download.value.suggested_filename == "receipt.pdf"

        page.goto("/portal")
        page.get_by_role("link", name="get help").click()
        page.locator("#id_text").fill("I lost my job last week.")
        page.get_by_role("button", name="Tell us").click()
        page.get_by_text("We do not ask you to pay for 14 days").first.wait_for()
        assert page.locator(".steps li").count() == 3

        page.goto("/portal")
        page.get_by_role("link", name="Your details").click()
        page.get_by_role("button", name="Stop all messages").click()
        page.get_by_role("button", name="Start messages again").wait_for()

        page.locator("a[href='/portal/details/new/phone']").click()
        page.locator("#id_address").fill("+44 7400 987654")
        page.get_by_role("button", name="Send me a code").click()
        page.wait_for_url("**/portal/details/code/**")
        page.locator("#id_otp_code").fill(one_time_code.derive(AddressChange.objects.get().pk))
        page.get_by_role("button", name="Save").click()
        page.get_by_text("On other devices you are signed out").wait_for()
        debtor.refresh_from_db()
        assert debtor.mobile_phone == "+447400987654"

        page.goto("/portal")
        page.get_by_role("button", name="Sign out", exact=True).click()
        sign_in_again(page, debtor)
        assert page.get_by_text("Hello").count() == 1


def del_cookie(page: Page) -> None:
    page.context.clear_cookies(name=pages.TOKEN_COOKIE)


def sign_in_again(page: Page, debtor: Debtor) -> None:
    OtpSession.objects.all().delete()  # As if the limits of a quarter of an hour were over.
    sign_in(page, debtor)


def test_every_page_is_accessible_small_and_fits_a_narrow_screen(
    live_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    personas.policy()
    debtor = personas.busy()
    wrong: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for scheme, width in (("light", 390), ("dark", 1280)):
        with phone(live_server.url, color_scheme=scheme, viewport={"width": width, "height": 844}) as page:
            wrong += [f"{scheme} {each}" for each in found_on(page, pages_of_portal.PUBLIC, sizes)]
            visit(page, debtor, live_server.url)
            wrong += [f"{scheme} {each}" for each in found_on(page, pages_of_portal.of(debtor), sizes)]
    with capsys.disabled():
        for name, (size, requests) in sizes.items():
            print(f"\nportal page {name}: {size:,} bytes in {requests} requests", end="")  # noqa: T201
        print()  # noqa: T201
    assert wrong == []
    assert sizes["sign-in"][0] < FIRST_PAGE_BYTES


def found_on(page: Page, chosen: dict[str, str], sizes: dict[str, tuple[int, int]]) -> Iterator[str]:
    loaded: list[int] = []
    page.on("response", lambda answer: loaded.append(len(answer.body()) if answer.status < 300 else 0))
    for name, path in chosen.items():
        loaded.clear()
        page.goto(path, wait_until="networkidle")
        sizes.setdefault(name, (sum(loaded), len(loaded)))
        assert page.locator("h1").count() == 1, name
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        yield from (f"{name}: {fault}" for fault in faults(page))
        before = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 640})
        page.evaluate(SPACING)
        if (wider := overflow(page)) > 0:
            yield f"{name}: {wider} px wider than 320"
        page.set_viewport_size(before or {"width": 390, "height": 844})


#: The text spacing of WCAG 1.4.12, set in a way that the page's policy allows.
SPACING = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important}');
    document.adoptedStyleSheets = [sheet];
}"""


@pytest.mark.deep
@pytest.mark.parametrize(
    ("language", "width", "scripts"),
    list(itertools.product(("en", "de", "fr", "es", "ar"), (320, 390, 1280), (True, False))),
)
def test_every_page_in_every_language_fits_every_width(
    live_server: Any, language: str, width: int, scripts: bool
) -> None:
    personas.policy()
    debtor = personas.busy()
    Debtor.objects.filter(pk=debtor.pk).update(language_preference=language)
    options = {"viewport": {"width": width, "height": 844}, "java_script_enabled": scripts, "locale": language}
    with phone(live_server.url, **options) as page:
        visit(page, debtor, live_server.url)
        for name, path in pages_of_portal.of(debtor).items():
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language, name
            assert (page.locator("html").get_attribute("dir") == "rtl") == (language == "ar"), name
            if scripts:
                assert overflow(page) <= 0, name


@pytest.mark.parametrize("language", ["de", "ar"])
def test_a_debtor_signs_in_by_email_and_asks_for_time_in_german_and_arabic(live_server: Any, language: str) -> None:
    debtor = factories.debtor(dob=date(1984, 3, 27), language_preference=language)
    factories.debt(debtor=debtor)
    with phone(live_server.url, locale=language) as page:
        sign_in(page, debtor, by_email=True)
        html = page.locator("html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (
            language,
            "rtl" if language == "ar" else None,
        )
        page.locator(".tiles a[href='/portal/more-time']").click()
        page.locator("label[for=id_time_0]").click()
        page.locator("label[for=id_why_2]").click()
        page.locator("main form .btn").click()
        page.wait_for_url(re.compile("/portal/more-time/"))
        assert overflow(page) <= 0
    assert DeferralRequest.objects.get().reason == "Illness, or something in the family."


def test_the_keyboard_alone_and_twice_the_text_size_suffice(live_server: Any) -> None:
    debtor = personas.busy()
    with phone(live_server.url, viewport={"width": 640, "height": 480}) as page:
        visit(page, debtor, live_server.url)
        page.goto("/portal")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) <= 0
        page.goto("/portal")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = []
        for _ in range(12):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.innerText"))
        assert any("Ask for more time" in each for each in seen)
        page.locator("a.tile[href='/portal/pay']").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/portal/pay")


def test_a_code_is_sent_again_in_place_with_a_script(live_server: Any) -> None:
    debtor = factories.debtor()
    with phone(live_server.url) as page:
        page.goto("/portal")
        page.locator("main input:not([type=hidden])").fill(str(debtor.mobile_phone))
        page.locator("main form .btn").first.click()
        page.locator("#id_otp_code").fill("12")
        page.get_by_role("button", name="Send it again").click()
        page.get_by_text("Please wait 30 seconds").wait_for()
        assert page.locator("#id_otp_code").input_value() == "12", "only a part of the page was replaced"
