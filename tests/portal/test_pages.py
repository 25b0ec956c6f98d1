import re
from datetime import date
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from agents.tokens import BadToken
from collection import deferrals, disputes
from collection.models import Debt, DeferralRequest, Dispute
from contact.models import ValidationNotice
from debtors.models import Debtor
from portal import otp, tokens, views
from portal.models import OtpSession
from tests import factories
from tests.portal.conftest import code_of, other_than

pytestmark = pytest.mark.django_db

REASON = "I have lost my job and start a new one next month."


@pytest.fixture
def browser() -> Client:
    """A browser with the debtors' pages open; it sends the CSRF token as a form would."""
    return Client(enforce_csrf_checks=True, raise_request_exception=True)


def submit(browser: Client, page: str, path: str, **fields: Any) -> Any:
    """Fill in and send a form of a page."""
    html = browser.get(page).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert token, f"{page} has no form"
    return browser.post(path, {"csrfmiddlewaretoken": token[1], **fields})


def sign_in(browser: Client, debtor: Debtor) -> Any:
    answer = submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)
    assert answer.status_code == 302
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.filter(address=debtor.mobile_phone)[0])
    return submit(browser, "/portal/code", "/portal/code", otp_code=code)


def test_a_debtor_signs_in_sees_debts_asks_for_time_and_signs_out(browser: Client, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor, balance=1250, original_creditor="Widgets & Sons")

    assert sign_in(browser, debtor)["Location"] == "/portal"
    page = browser.get("/portal").content.decode()
    assert "Widgets &amp; Sons" in page
    assert "£1,250.00" in page

    answer = submit(
        browser, "/portal", "/portal/deferral-requests", debt=debt.pk, requested_deferral_days=30, reason=REASON
    )
    assert answer.status_code == 302
    asked = DeferralRequest.objects.get()
    assert (asked.debt, asked.debtor, asked.requested_deferral_days, asked.reason) == (debt, debtor, 30, REASON)
    page = browser.get("/portal").content.decode()
    assert "We have received your request" in page
    assert "We are looking at it" in page
    assert "Ask for more time" not in page

    token = browser.cookies[views.TOKEN_COOKIE].value
    assert submit(browser, "/portal", "/portal/sign-out").status_code == 302
    assert "Send me a code" in browser.get("/portal").content.decode()
    with pytest.raises(BadToken):
        tokens.owner(token)


def test_scripts_and_other_sites_cannot_read_the_cookie(browser: Client, debtor: Debtor) -> None:
    sign_in(browser, debtor)

    cookie = browser.cookies[views.TOKEN_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/portal"
    assert int(cookie["max-age"]) == 7 * 86_400
    assert not cookie["secure"], "the tests' PUBLIC_URL is plain http"


def test_the_cookie_is_secure_if_the_site_uses_https(
    browser: Client, debtor: Debtor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(views.COOKIE_OPTIONS, "secure", True)
    sign_in(browser, debtor)

    assert browser.cookies[views.TOKEN_COOKIE]["secure"]


@pytest.mark.parametrize("path", ["request-code", "code", "deferral-requests", "sign-out"])
def test_a_form_from_another_site_is_refused(browser: Client, debtor: Debtor, path: str) -> None:
    sign_in(browser, debtor)
    before = OtpSession.objects.count()

    assert browser.post(f"/portal/{path}", {"mobile_phone": debtor.mobile_phone}).status_code == 403
    assert OtpSession.objects.count() == before
    assert tokens.owner(browser.cookies[views.TOKEN_COOKIE].value) == debtor


def test_an_unknown_phone_sees_the_same_page_as_a_known_one(debtor: Debtor) -> None:
    pages = []
    for phone in (str(debtor.mobile_phone), "+447700999999"):
        browser = Client(enforce_csrf_checks=True)
        submit(browser, "/portal", "/portal/request-code", mobile_phone=phone)
        page = browser.get("/portal/code").content.decode().replace(phone, "PHONE")
        pages.append(re.sub(r'value="[^"]{64}"', "", page))

    assert pages[0] == pages[1]


def test_no_url_contains_the_phone(browser: Client, debtor: Debtor) -> None:
    answer = submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)

    assert answer["Location"] == "/portal/code"


@pytest.mark.parametrize(
    ("phone", "error"), [("", "Please enter your mobile"), ("call me", "not a valid phone number")]
)
def test_an_invalid_phone_is_refused_at_its_field(browser: Client, phone: str, error: str) -> None:
    answer = submit(browser, "/portal", "/portal/request-code", mobile_phone=phone)

    assert answer.status_code == 422
    assert error in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not OtpSession.objects.exists()


def test_too_many_requests_are_refused_with_the_wait(browser: Client, debtor: Debtor) -> None:
    for _ in range(3):
        submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)

    answer = submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 800
    assert "Too many requests" in answer.content.decode()


def test_a_wrong_code_is_refused_and_may_be_tried_again(browser: Client, debtor: Debtor) -> None:
    submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.get())

    wrong = submit(browser, "/portal/code", "/portal/code", otp_code=other_than(code))
    malformed = submit(browser, "/portal/code", "/portal/code", otp_code="12")
    assert (wrong.status_code, malformed.status_code) == (401, 422)
    assert "wrong or no longer valid" in wrong.content.decode()
    assert views.TOKEN_COOKIE not in browser.cookies or not browser.cookies[views.TOKEN_COOKIE].value

    assert submit(browser, "/portal/code", "/portal/code", otp_code=code).status_code == 302
    assert "Your debts" in browser.get("/portal").content.decode()


def test_the_code_page_without_a_phone_leads_back(browser: Client) -> None:
    assert browser.get("/portal/code")["Location"] == "/portal"
    browser.cookies[views.ADDRESS_COOKIE] = "+447700900123:forged"
    assert browser.get("/portal/code")["Location"] == "/portal"


def test_an_ended_token_leads_back_to_the_sign_in(browser: Client, debtor: Debtor) -> None:
    sign_in(browser, debtor)
    Debtor.objects.update(token_version=2)

    page = browser.get("/portal")

    assert "Send me a code" in page.content.decode()
    assert not page.cookies[views.TOKEN_COOKIE].value


def request_time(browser: Client, **fields: Any) -> Any:
    return submit(
        browser, "/portal", "/portal/deferral-requests", **{"requested_deferral_days": 30, "reason": REASON, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"requested_deferral_days": 366}, "from 1 to 365"),
        ({"requested_deferral_days": "soon"}, "from 1 to 365"),
        ({"reason": "too short"}, "at least 10 characters."),
        ({"reason": ""}, "tell us why"),
    ],
)
def test_an_invalid_request_shows_the_error_and_keeps_its_input(
    browser: Client, debtor: Debtor, fields: dict[str, Any], error: str
) -> None:
    debt = factories.debt(debtor=debtor)
    factories.debt(debtor=debtor)
    sign_in(browser, debtor)

    answer = request_time(browser, debt=debt.pk, **fields)

    html = answer.content.decode()
    assert answer.status_code == 422
    assert error in html
    assert html.count("<details open>") == 1
    (link,) = re.findall(r'<li><a href="#([^"]+)">', html)
    assert f'id="{link}"' in html
    for typed in fields.values():
        assert str(typed) in html
    assert not DeferralRequest.objects.exists()


def test_a_foreign_debt_a_closed_debt_and_a_second_request_are_refused(browser: Client, debtor: Debtor) -> None:
    debt, closed = factories.debt(debtor=debtor), factories.debt(debtor=debtor)
    Debt.objects.filter(pk=closed.pk).update(current_status="recalled")
    sign_in(browser, debtor)
    deferrals.request(debt, debtor=debtor, days=5, reason=REASON, now=timezone.now())

    answers = [request_time(browser, debt=pk).status_code for pk in (factories.debt().pk, "x", closed.pk, debt.pk)]

    assert answers == [422, 422, 409, 409]
    assert DeferralRequest.objects.count() == 1


def test_a_request_without_signing_in_leads_to_the_sign_in(browser: Client) -> None:
    answer = request_time(browser, debt=factories.debt().pk)

    assert answer.status_code == 401
    assert "Your sign-in has expired" in answer.content.decode()
    assert not DeferralRequest.objects.exists()


def hidden(html: str) -> dict[str, str]:
    """Return the hidden fields of a page, as a browser sends them."""
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html)}


@pytest.mark.parametrize(
    ("path", "fields", "shown"),
    [
        ("deferral-requests", {"requested_deferral_days": "45", "reason": REASON}, 'value="45"'),
        ("disputes", {"portion": "12.50", "reason": REASON, "evidence": 'Letter "A" & <b>'}, "A&quot; &amp; &lt;b&gt;"),
    ],
)
def test_an_expired_sign_in_keeps_what_was_typed(
    browser: Client, debtor: Debtor, path: str, fields: dict[str, str], shown: str
) -> None:
    debt = factories.debt(debtor=debtor)
    factories.debt(debtor=debtor)
    sign_in(browser, debtor)
    token = hidden(browser.get("/portal").content.decode())["csrfmiddlewaretoken"]
    del browser.cookies[views.TOKEN_COOKIE]

    page = browser.post(f"/portal/{path}", {"csrfmiddlewaretoken": token, "debt": debt.pk, **fields})
    phone = {"mobile_phone": debtor.mobile_phone}
    page = browser.post("/portal/request-code", hidden(page.content.decode()) | phone)
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.all()[0])
    page = browser.post("/portal/code", hidden(page.content.decode()) | {"otp_code": other_than(code)})
    assert page.status_code == 401
    page = browser.post("/portal/code", hidden(page.content.decode()) | {"otp_code": code})

    assert page.status_code == 200
    html = page.content.decode()
    assert html.count("<details open>") == 1
    assert REASON in html
    assert shown in html
    assert not DeferralRequest.objects.exists()
    assert not Dispute.objects.exists()
    assert "Your debts" in browser.get("/portal").content.decode()


def hidden_of(page: Any, marker: str) -> dict[str, str]:
    """Return the hidden fields of the form that contains a text."""
    return hidden(next(form for form in page.content.decode().split("<form")[1:] if marker in form))


@pytest.mark.parametrize("begun", ["sign_in", "code"])
def test_the_way_by_email_keeps_what_was_typed(browser: Client, debtor: Debtor, begun: str) -> None:
    debt = factories.debt(debtor=debtor)
    page = request_time(browser, debt=debt.pk)
    if begun == "code":
        fields = hidden_of(page, "mobile_phone") | {"mobile_phone": debtor.mobile_phone}
        page = browser.post("/portal/request-code", fields)
    assert "Use your e-mail address instead" in page.content.decode()

    page = browser.post("/portal/request-code", hidden_of(page, 'value="email"') | {"by": "email"})
    page = browser.post("/portal/request-code", hidden_of(page, 'name="email"') | {"email": debtor.email})
    assert "Use your mobile phone instead" in page.content.decode()
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.get(address=debtor.email))
    page = browser.post("/portal/code", hidden_of(page, "otp_code") | {"otp_code": code})

    assert REASON in page.content.decode()


def test_what_one_debtor_typed_is_not_shown_to_another(browser: Client, debtor: Debtor) -> None:
    page = request_time(browser, debt=factories.debt().pk)
    page = browser.post("/portal/request-code", hidden(page.content.decode()) | {"mobile_phone": debtor.mobile_phone})
    otp.answer(clock=timezone.now)
    fields = hidden(page.content.decode()) | {"otp_code": code_of(OtpSession.objects.get())}

    assert browser.post("/portal/code", fields)["Location"] == "/portal"


@pytest.mark.parametrize("form", ["{} {} {}", "{}{}-{}", " {}{}{} ", "{}\N{NO-BREAK SPACE}{}\N{EN DASH}{}"])
def test_a_code_with_blanks_works_on_the_page(browser: Client, debtor: Debtor, form: str) -> None:
    submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.get())
    typed = form.format(code[:2], code[2:4], code[4:])

    assert submit(browser, "/portal/code", "/portal/code", otp_code=typed).status_code == 302


def test_the_code_page_offers_the_other_way_to_everybody(browser: Client, debtor: Debtor) -> None:
    pages = []
    known, unknown, phone = debtor.email, "stranger@example.org", str(debtor.mobile_phone)
    for name, address in (("email", known), ("email", unknown), ("mobile_phone", phone)):
        submit(browser, "/portal?by=email", "/portal/request-code", **{name: address})
        page = browser.get("/portal/code").content.decode().replace(address, "ADDRESS")
        pages.append(re.sub(r'value="[^"]{64}"', "", page))

    assert pages[0] == pages[1] == pages[2]
    assert "If you told us to stop text messages" in pages[0]
    assert "/portal?by=email" in pages[0]


def test_a_debtor_signs_in_by_email_on_the_pages(browser: Client, debtor: Debtor) -> None:
    submit(browser, "/portal?by=email", "/portal/request-code", email=debtor.email)
    otp.answer(clock=timezone.now)
    submit(browser, "/portal/code", "/portal/code", otp_code=code_of(OtpSession.objects.get()))

    assert "Your debts" in browser.get("/portal").content.decode()


def test_an_invalid_email_address_is_refused_at_its_field(browser: Client) -> None:
    answer = submit(browser, "/portal?by=email", "/portal/request-code", email="ann")

    assert answer.status_code == 422
    assert "not a valid e-mail address" in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()


def test_a_debtor_disputes_a_part_and_sees_what_is_left_to_pay(browser: Client, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor, balance=1000)
    sign_in(browser, debtor)

    answer = submit(browser, "/portal", "/portal/disputes", debt=debt.pk, portion="300.5", reason=REASON, evidence="")
    assert answer.status_code == 302
    made = Dispute.objects.get()
    assert (made.debt, made.portion, made.channel, made.by) == (debt, Decimal("300.5"), "portal", None)
    page = browser.get("/portal").content.decode()
    assert "We have received your dispute" in page
    assert page.count("£699.50") == 2
    assert page.count("£300.50") == 2
    assert "Dispute this debt" not in page

    disputes.withdraw(made, answer="You called us.", by=factories.agent(), now=timezone.now())
    page = browser.get("/portal").content.decode()
    assert "You called us." in page
    assert "Dispute this debt" in page


def test_the_last_day_to_dispute_under_the_notice_is_shown(browser: Client, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    today = timezone.now().date()
    notice = ValidationNotice.objects.create(debt=debt, sent_at=timezone.now(), received_on=today, period_ends_on=today)
    sign_in(browser, debtor)

    assert "under our notice until" in browser.get("/portal").content.decode()
    notice.period_ends_on = date(2020, 1, 1)
    notice.save()
    assert "under our notice until" not in browser.get("/portal").content.decode()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"portion": "1000.01"}, "This exceeds the open balance. Enter a smaller amount."),
        ({"portion": "0.001"}, "GBP has 2 decimals."),
        ({"portion": "much"}, "Please enter an amount, such as 120.50."),
        ({"portion": "0"}, "Please enter an amount above 0."),
        ({"portion": "1e5"}, "Please enter an amount, such as 120.50."),
        ({"reason": "No."}, "Please write at least 10 characters."),
    ],
)
def test_an_invalid_dispute_shows_the_error_and_keeps_its_input(
    browser: Client, debtor: Debtor, wrong: dict[str, str], error: str
) -> None:
    debt = factories.debt(debtor=debtor)
    sign_in(browser, debtor)
    fields = {"debt": debt.pk, "portion": "", "reason": REASON, "evidence": "Receipt 17"} | wrong

    answer = submit(browser, "/portal", "/portal/disputes", **fields)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count(error) == 2
    assert "Receipt 17" in page
    assert not Dispute.objects.exists()


def test_a_decision_is_shown_with_its_notes(browser: Client, debtor: Debtor) -> None:
    asked = deferrals.request(factories.debt(debtor=debtor), debtor=debtor, days=30, reason=REASON, now=timezone.now())
    deferrals.reject(asked, by=factories.agent(), notes="Please send us your <payslips>.", now=timezone.now())
    sign_in(browser, debtor)

    html = browser.get("/portal").content.decode()

    assert "Not granted" in html
    assert "Please send us your &lt;payslips&gt;." in html


class Outline(HTMLParser):
    """The parts of a page that a screen reader needs, and the URLs that it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.inputs: list[dict[str, str | None]] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.lang: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        self.ids.extend([value] if (value := named.get("id")) else [])
        if tag == "html":
            self.lang = named.get("lang")
        if tag == "label":
            self.labels.append(named.get("for") or "")
        if tag in ("input", "textarea", "select") and named.get("type") != "hidden":
            self.inputs.append(named)
        self.fetched.extend(value for name in ("src", "href") if (value := named.get(name)) and tag != "a")


def test_every_page_is_labelled_and_fetches_nothing_from_outside(browser: Client, debtor: Debtor) -> None:
    for _ in range(2):
        factories.debt(debtor=debtor)
    pages = [browser.get(path).content.decode() for path in ("/portal", "/portal?by=email")]
    submit(browser, "/portal", "/portal/request-code", mobile_phone=debtor.mobile_phone)
    pages.append(browser.get("/portal/code").content.decode())
    sign_in(browser, debtor)
    pages.append(browser.get("/portal").content.decode())

    for page in map(Outline, pages):
        assert page.lang == "en"
        assert page.tags.count("h1") == 1
        assert page.tags.count("main") == 1
        assert len(page.ids) == len(set(page.ids))
        assert page.inputs or "details" not in page.tags
        for field in page.inputs:
            assert field["id"] in page.labels
            assert field["aria-describedby"] in page.ids
        assert "script" not in page.tags
        assert all(link.startswith(("/static/", "data:,")) for link in page.fetched)


def test_pages_are_never_cached(browser: Client, debtor: Debtor) -> None:
    sign_in(browser, debtor)

    assert "no-store" in browser.get("/portal")["Cache-Control"]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_every_text_colour_has_enough_contrast() -> None:
    css = (settings.BASE_DIR / "portal/static/portal/portal.css").read_text("utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))

    for text in ("ink", "soft", "main", "main-dark", "bad", "good", "wait"):
        for ground in ("paper", "ground"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
