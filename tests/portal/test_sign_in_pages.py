"""Signing in on the pages: address, code, the second question, signed links, drafts, and signing out."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from agents.tokens import BadToken
from communications.models import CommunicationLog
from communications.sending import writing
from debtors.models import ContactPoint, Debtor
from portal import links, questions, tokens
from portal.models import OtpSession, SignedLink
from portal.pages import pages, sign_in
from tests import factories
from tests.portal.conftest import Pages, other_than

pytestmark = pytest.mark.django_db(transaction=True)

BORN = {"day": "27", "month": "3", "year": "1984"}
WRONG = BORN | {"day": "28"}


@pytest.fixture
def debtor() -> Debtor:
    return factories.debtor(first_name="Leopold", dob=date(1984, 3, 27))


def enter_code(browser: Pages, **address: Any) -> Any:
    assert browser.send("/portal/request-code", shown="/portal", **address)["Location"] == "/portal/code"
    return browser.send("/portal/code", otp_code=browser.newest_code())


@pytest.mark.parametrize("by", ["phone", "national", "email"])
def test_a_debtor_signs_in_and_answers_a_question_first(browser: Pages, debtor: Debtor, by: str) -> None:
    debt = factories.debt(debtor=debtor)
    address = {"email": debtor.email} if by == "email" else {"mobile_phone": debtor.mobile_phone}
    if by == "national":
        address = {"mobile_phone": f"0{str(debtor.mobile_phone)[3:]}"}
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "en-GB,en;q=0.8"
    before = browser.text("/portal")

    answer = enter_code(browser, **address)

    assert answer["Location"] == "/portal/question"
    assert browser.get("/portal").content.decode().count("Leopold") == 0
    assert "Leopold" not in browser.text("/portal/question")
    wrong = browser.send("/portal/question", **WRONG)
    assert (wrong.status_code, pages.TOKEN_COOKIE in wrong.cookies) == (401, False)
    assert browser.send("/portal/question", **BORN)["Location"] == "/portal"
    home = browser.text("/portal")
    assert "Leopold" in home
    assert debt.original_creditor in home
    assert debt.original_creditor not in before


def test_three_wrong_answers_end_the_sign_in(browser: Pages, debtor: Debtor) -> None:
    enter_code(browser, mobile_phone=debtor.mobile_phone)
    question = browser.cookies[sign_in.QUESTION_COOKIE].value
    assert [browser.send("/portal/question", **WRONG).status_code for _ in range(2)] == [401, 401]

    ended = browser.send("/portal/question", **WRONG)
    assert "This sign-in has ended" in ended.content.decode()

    browser.cookies[sign_in.QUESTION_COOKIE] = question
    assert browser.get("/portal/question").status_code == 302
    with pytest.raises(questions.QuestionEnded):
        questions.answer(question, "1984-03-27", now=timezone.now())
    assert pages.TOKEN_COOKIE not in browser.cookies


def test_nine_wrong_answers_a_day_end_every_sign_in_of_the_debtor(debtor: Debtor) -> None:
    OtpSession.objects.create(address="x", debtor=debtor, wrong_answers=9, expires_at=timezone.now())
    link = links.create(debtor, links.Purpose.HOME, now=timezone.now())
    found = links.find(link.rsplit("/", 1)[1], now=timezone.now())
    assert found

    with pytest.raises(questions.QuestionEnded):
        questions.answer(questions.token_for(found), "1984-03-27", now=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert questions.answer(questions.token_for(found), "1984-03-27", now=timezone.now()) == found


def test_a_debtor_with_a_postcode_only_is_asked_for_it_and_one_with_neither_for_nothing(browser: Pages) -> None:
    by_postcode = factories.debtor(postal_code="SW1A 1AA")
    assert enter_code(browser, mobile_phone=by_postcode.mobile_phone)["Location"] == "/portal/question"
    assert browser.send("/portal/question", answer="sw1a-1ab").status_code == 401
    assert browser.send("/portal/question", answer=" sw1a1aa")["Location"] == "/portal"

    assert enter_code(Pages(), mobile_phone=factories.debtor().mobile_phone)["Location"] == "/portal"


def test_known_and_unknown_addresses_get_the_same_pages(debtor: Debtor) -> None:
    shown = set()
    for phone in (debtor.mobile_phone, "+447700900123"):
        browser = Pages()
        browser.send("/portal/request-code", shown="/portal", mobile_phone=phone)
        page = browser.text("/portal/code").replace(str(phone)[-3:], "END")
        shown.add(re.sub(r'value="[^"]{64}"', "", page))

    assert len(shown) == 1
    assert "answered <b>STOP</b>" in shown.pop()


def test_a_code_is_sent_again_in_place_after_half_a_minute_only(browser: Pages, debtor: Debtor) -> None:
    browser.send("/portal/request-code", shown="/portal", mobile_phone=debtor.mobile_phone)
    again = {"path": "/portal/code/again", "shown": "/portal/code"}
    assert "Please wait 30 seconds" in browser.send(**again).content.decode()
    assert OtpSession.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        browser.defaults["HTTP_HX_REQUEST"] = "true"
        part = browser.send(**again).content.decode()

    assert "a new code is on its way" in part
    assert "<html" not in part
    assert OtpSession.objects.filter(replaced_at__isnull=True).count() == 1


def test_a_wrong_or_malformed_code_is_refused_and_the_right_one_still_works(browser: Pages, debtor: Debtor) -> None:
    browser.send("/portal/request-code", shown="/portal", mobile_phone=debtor.mobile_phone)
    code = browser.newest_code()

    assert browser.send("/portal/code", otp_code=other_than(code)).status_code == 401
    assert browser.send("/portal/code", otp_code="12").status_code == 422
    assert browser.send("/portal/code", otp_code=f"{code[:3]} {code[3:]}")["Location"] == "/portal/question"


def test_the_code_page_without_an_address_leads_back(browser: Pages) -> None:
    browser.cookies[sign_in.ADDRESS_COOKIE] = "+447700900123:forged"
    assert browser.get("/portal/code")["Location"] == "/portal/sign-in"
    assert browser.get("/portal/request-code")["Location"] == "/portal/sign-in"


def test_a_link_leads_to_its_page_after_the_question_however_often_it_is_opened(browser: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    url = links.create(debtor, links.Purpose.MORE_TIME, subject=debt.pk, now=timezone.now())
    path = url[url.index("/portal") :]
    for _ in range(10):
        assert Pages().get(path)["Location"] == "/portal/question"

    browser.get(path)
    assert browser.send("/portal/question", **BORN)["Location"] == f"/portal/debts/{debt.pk}/more-time"
    assert "Ask for more time" in browser.text(f"/portal/debts/{debt.pk}/more-time")
    stored = SignedLink.objects.get()
    assert path.rsplit("/", 1)[1] not in str(stored.__dict__)
    assert len(path.rsplit("/", 1)[1]) == 22  # 128 bits in base64.


def test_a_link_that_is_wrong_expired_or_guessed_out_leads_to_the_sign_in(browser: Pages, debtor: Debtor) -> None:
    now = timezone.now()
    expired = links.create(debtor, links.Purpose.HOME, expires_at=now, now=now)
    tried = links.create(debtor, links.Purpose.HOME, now=now)
    browser.get(tried[tried.index("/portal") :])
    for _ in range(3):
        browser.send("/portal/question", shown="/portal/question", **WRONG)

    for url in (expired, tried, links.address("A" * 22)):
        assert Pages().get(url[url.index("/portal") :])["Location"] == "/portal/sign-in"
    assert links.find(tried.rsplit("/", 1)[1], purposes=frozenset({"pay"}), now=now) is None


def test_a_link_of_a_debtor_without_a_question_needs_a_code(browser: Pages) -> None:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor)
    url = links.create(debtor, links.Purpose.PLAN, subject=debt.pk, now=timezone.now())

    assert browser.get(url[url.index("/portal") :])["Location"] == "/portal/sign-in"
    assert enter_code(browser, mobile_phone=debtor.mobile_phone)["Location"] == f"/portal/debts/{debt.pk}/plan"


def test_the_link_of_a_message_opens_the_question_and_is_not_in_the_stored_text(debtor: Debtor) -> None:
    draft = {"subject": None, "body": "Your account: {{portal_url}}"}
    message = CommunicationLog.objects.create(
        debtor=debtor, communication_type="sms", status="sent", draft=draft, address=debtor.normal_phone
    )
    values = {"portal_url": "https://ddc.example/portal", "agency_name": "DDC"}
    sent, stored = writing.write(message, None, values)
    link = re.search(r"/portal/l/[\w-]{43}", sent.body)
    assert link
    assert "/portal/l/" not in stored.body
    path = link[0]

    for _ in range(2):
        browser = Pages()
        assert browser.get(path)["Location"] == "/portal/question"
    assert browser.send("/portal/question", **BORN)["Location"] == "/portal"
    assert SignedLink.objects.get().debtor == debtor
    spoilt = path[:-1] + ("A" if path[-1] != "A" else "Q")
    assert Pages().get(spoilt)["Location"] == "/portal/sign-in"
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        assert Pages().get(path)["Location"] == "/portal/sign-in"


def test_the_wrong_person_is_not_written_to_again(browser: Pages, debtor: Debtor) -> None:
    enter_code(browser, mobile_phone=debtor.mobile_phone)

    answer = browser.send("/portal/not-me", shown="/portal/question")

    assert "Thank you for telling us" in answer.content.decode()
    assert ContactPoint.objects.get(value=debtor.normal_phone).wrong_number_at
    assert browser.get("/portal/question")["Location"] == "/portal/sign-in"


def test_a_visit_ends_after_fifteen_idle_minutes_and_each_page_renews_it(browser: Pages, debtor: Debtor) -> None:
    start = timezone.now()
    browser.visit(debtor)
    for minutes, is_in in ((14, True), (28, True), (44, False)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert ("Leopold" in browser.text("/portal")) == is_in


def test_a_visit_lasts_twelve_hours_at_most(debtor: Debtor) -> None:
    browser, start = Pages().visit(debtor), timezone.now()
    for minutes in range(10, 730, 10):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            shown = "Leopold" in browser.text("/portal")
    assert not shown


def test_signing_out_ends_the_visit_and_everywhere_ends_all(browser: Pages, debtor: Debtor) -> None:
    other, kept = Pages().visit(debtor), browser.visit(debtor).cookies[pages.TOKEN_COOKIE].value
    api_token, _ = tokens.issue(debtor, now=timezone.now())

    answer = browser.send("/portal/sign-out", shown="/portal", follow=True)
    assert "You are signed out" in answer.content.decode()
    browser.cookies[pages.TOKEN_COOKIE] = kept
    assert "Leopold" not in browser.text("/portal")
    assert "Leopold" in other.text("/portal")

    other.send("/portal/sign-out", shown="/portal", everywhere="1")
    assert Debtor.objects.get().token_version == 2
    with pytest.raises(BadToken):
        tokens.owner(api_token)


def test_tokens_of_the_api_and_of_the_pages_are_not_interchangeable(browser: Pages, debtor: Debtor) -> None:
    browser.cookies[pages.TOKEN_COOKIE] = tokens.issue(debtor, now=timezone.now())[0]
    assert "Leopold" not in browser.text("/portal")
    with pytest.raises(BadToken):
        tokens.owner(tokens.issue_for_pages(debtor, now=timezone.now()))


def test_an_expired_visit_keeps_what_was_typed(browser: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    page = f"/portal/debts/{debt.pk}/more-time"
    html = browser.visit(debtor).text(page)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert token
    del browser.cookies[pages.TOKEN_COOKIE]
    typed = {"time": "14", "why": "illness", "own_words": "My <b>knee</b>."}

    answer = browser.post(page, {"csrfmiddlewaretoken": token[1], **typed}, follow=True)
    assert "kept what you typed" in answer.content.decode()
    enter_code(browser, mobile_phone=debtor.mobile_phone)
    answer = browser.send("/portal/question", **BORN)

    assert answer["Location"] == page
    html = browser.text(page)
    assert "My &lt;b&gt;knee&lt;/b&gt;." in html
    assert re.search(r'value="14"[^>]* checked', html)
    assert "Please check the following" not in html


def test_what_one_debtor_typed_is_not_shown_to_another(browser: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    page = f"/portal/debts/{debt.pk}/more-time"
    browser.visit(factories.debtor()).text("/portal")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.text("/portal"))
    assert token
    del browser.cookies[pages.TOKEN_COOKIE]
    browser.post(page, {"csrfmiddlewaretoken": token[1], "own_words": "Somebody else's words."})

    assert "Somebody" not in browser.visit(debtor).text(page)


def test_pages_show_nothing_personal_in_titles_and_are_never_stored(browser: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    browser.visit(debtor)
    for path in ("/portal", f"/portal/debts/{debt.pk}", f"/portal/debts/{debt.pk}/more-time", "/portal/pay"):
        answer = browser.get(path)
        title = re.search("<title>(.*)</title>", answer.content.decode())
        assert title
        assert "Leopold" not in title[1]
        assert debt.original_creditor not in title[1]
        assert "no-store" in answer["Cache-Control"]
