"""The pages of a signed-in debtor: home, ledger, more time, plans; and the personas."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agency import colours, profile
from arrangements.models import Arrangement, Instalment
from collection import charges, deferrals
from collection.models import Debt, DeferralRequest, Hold
from creditors.models import CreditorLook
from debtors.models import Debtor
from portal import account
from tests import factories
from tests.conftest import Api
from tests.portal import personas
from tests.portal.conftest import Pages

pytestmark = pytest.mark.django_db


def words(html: str) -> str:
    """Return the text of a page's main part, on one line."""
    main = re.search("<main.*</main>", html, re.DOTALL)
    assert main
    return " ".join(re.sub("<[^>]+>", " ", main[0]).split())


def home(debtor: Debtor) -> str:
    return words(Pages().visit(debtor).text("/portal"))


# --- Personas


def test_a_busy_home_shows_what_is_due_later_on_hold_and_closed_by_urgency(browser: Pages) -> None:
    debtor = personas.busy()

    html = browser.visit(debtor).text("/portal")

    text = words(html)
    assert "To pay today £493.00" in text, "Blue Harbour 200 and City Water 293; the others are later or on hold"
    assert "On hold, nothing to pay £231.00" in text
    assert "We gave you more time. North Energy is now due on" in text
    names = re.findall(r"<h3[^>]*><bdi>([^<]+)", html)
    assert names[-3:] == ["Alpine Health", *sorted(names[-2:])]
    assert set(names[-2:]) == {"Old Shop", "Gone Ltd"}
    assert "Returned to the creditor. Please do not pay us." in text
    assert "Your plan: 0 of 3 payments made" in text


def test_two_currencies_are_never_added() -> None:
    text = home(personas.two_currencies())
    assert "£100.00" in text
    assert "€50.00" in text
    assert "150" not in text


def test_a_wholly_disputed_debt_is_not_overdue_and_offers_no_time() -> None:
    text = home(personas.wholly_disputed())
    assert "You have nothing to pay today" in text
    assert "On hold. You told us this is wrong" in text
    for word in ("overdue", "was due", "More time", "more time", "Small steps"):
        assert word not in text


@pytest.mark.parametrize("reason", [Hold.Reason.MORATORIUM, Hold.Reason.MINOR, Hold.Reason.DECEASED])
def test_nothing_is_asked_of_a_person_on_hold(reason: Hold.Reason) -> None:
    debtor = personas.on_hold(reason)
    text = home(debtor)
    assert "We do not ask you to pay now" in text
    assert "To pay today" not in text
    assert str(reason) not in text
    assert "For this debt no plan is possible now" in Pages().visit(debtor).text(
        f"/portal/debts/{Debt.objects.get().pk}/plan"
    )


def test_a_credit_and_what_was_paid_are_shown() -> None:
    text = home(personas.with_credit())
    assert "You have credit with us £30.00" in text


def test_the_home_page_takes_a_fixed_number_of_queries(browser: Pages) -> None:
    counts = []
    for number in (1, 8):
        debtor = factories.debtor()
        for _ in range(number):
            personas.agreed(factories.debt(debtor=debtor), number=3)
        with CaptureQueriesContext(connection) as queries:
            account.load(debtor, now=timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


# --- Ledger


def test_the_ledger_tells_in_words_how_the_amount_came_about(browser: Pages) -> None:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)
    today = timezone.now().date()
    charges.charge(debt, by=factories.agent(), today=today, amount=Decimal("12.50"), reason="Court fee")

    text = words(browser.visit(debtor).text(f"/portal/debts/{debt.pk}"))

    assert "Owed when we began" in text
    assert "Costs" in text
    assert "£12.50" in text
    assert "Open today £112.50" in text
    assert browser.get(f"/portal/debts/{factories.debt().pk}").status_code == 404


# --- More time


def test_more_time_names_its_day_is_requested_and_withdrawn(browser: Pages) -> None:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor)
    page = f"/portal/debts/{debt.pk}/more-time"
    assert browser.visit(debtor).get("/portal/more-time")["Location"] == page
    until = timezone.now().date() + timedelta(days=14)
    assert f"{until.day} {until:%B}" in browser.text(page)

    made = browser.send(page, time="14", why="wages", own_words="On the 15th.")

    asked = DeferralRequest.objects.get()
    assert (asked.requested_deferral_days, asked.reason) == (14, "I am waiting for wages or a benefit. On the 15th.")
    assert "You can withdraw it" not in browser.text(made["Location"])
    assert "Withdraw my request" in browser.text(made["Location"])
    assert "Ask for more time" not in browser.text("/portal")
    assert browser.send(page, shown=made["Location"], time="14", why="wages").status_code == 409

    browser.send(made["Location"])
    asked.refresh_from_db()
    assert (asked.status, asked.closed_by, asked.reviewer) == ("rejected", "debtor", None)
    assert "You withdrew your request" in browser.text(made["Location"])
    assert "Ask for more time" in browser.text("/portal")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "Please choose how long you need."),
        ({"time": "8"}, "8"),
        ({"time": "other_day"}, "Please enter a day from"),
        ({"time": "other_day", "other_day": "2020-01-01"}, "Please enter a day from"),
        ({"time": "pay_day", "pay_day": "soon"}, "Please enter a date."),
        ({"time": "7", "why": ""}, "Please tell us why."),
        ({"time": "7", "own_words": "x" * 901}, "at most 900 characters"),
    ],
)
def test_wrong_input_for_more_time_is_named_and_kept(browser: Pages, fields: dict[str, Any], error: str) -> None:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor)

    answer = browser.visit(debtor).send(f"/portal/debts/{debt.pk}/more-time", **{"why": "work", **fields})

    html = answer.content.decode()
    assert answer.status_code == 422
    assert error in html
    for link in re.findall(r'<li><a href="#([^"]+)">', html):
        assert f'id="{link}"' in html
    assert not DeferralRequest.objects.exists()


def test_a_chosen_day_becomes_days_from_the_due_day(browser: Pages) -> None:
    debtor = factories.debtor()
    today = timezone.now().date()
    debt = factories.debt(debtor=debtor, due_date=today + timedelta(days=5))
    until = today + timedelta(days=25)

    browser.visit(debtor).send(
        f"/portal/debts/{debt.pk}/more-time", time="pay_day", pay_day=until.isoformat(), why="other"
    )

    asked = DeferralRequest.objects.get()
    assert asked.requested_deferral_days == 20
    deferrals.approve(asked, by=factories.agent(), notes="", now=timezone.now())
    assert Debt.objects.get().due_date == until


def test_another_debtors_debt_request_and_plan_do_not_exist(browser: Pages) -> None:
    personas.busy()
    browser.visit(factories.debtor())
    debt, asked, plan = Debt.objects.first(), DeferralRequest.objects.first(), Arrangement.objects.first()
    assert debt
    assert asked
    assert plan
    for path in (f"debts/{debt.pk}/more-time", f"debts/{debt.pk}/plan", f"more-time/{asked.pk}", f"plans/{plan.pk}"):
        assert browser.get(f"/portal/{path}").status_code == 404, path


def test_a_request_is_withdrawn_over_the_api_too(api_of: Any) -> None:
    debtor = personas.busy()
    asked = DeferralRequest.objects.get(status="pending")
    mine: Api = api_of(debtor)
    path = f"/debtors/me/deferral-requests/{asked.pk}/withdraw"

    assert api_of(factories.debtor()).post(path).status_code == 404
    assert mine.post(path).json()["status"] == "rejected"
    assert mine.post(path).status_code == 409


# --- Plans


def choose(browser: Pages, debt: Debt, choice: str) -> Any:
    page = f"/portal/debts/{debt.pk}/plan/agree?choice={choice}"
    shown = re.search(r'name="shown" value="([^"]+)"', browser.text(page))
    assert shown
    return agree(browser, page, shown[1])


def agree(browser: Pages, page: str, fingerprint: str) -> Any:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.text(page))
    assert token
    return browser.post(page, {"csrfmiddlewaretoken": token[1], "shown": fingerprint})


def test_a_plan_is_shown_with_all_dates_and_agreed(browser: Pages) -> None:
    personas.policy()
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)
    text = words(browser.visit(debtor).text(f"/portal/debts/{debt.pk}/plan"))
    assert "3 payments, first on" in text
    assert "You save £30.00" in text
    assert "£33.34" in text, "the last payment takes the rest"

    answer = choose(browser, debt, "plan-3")

    arrangement = Arrangement.objects.get()
    assert (arrangement.status, arrangement.source, arrangement.proposed_by) == ("active", "portal", None)
    assert answer["Location"] == f"/portal/plans/{arrangement.pk}"
    assert "For this debt no plan is possible now" in browser.text(f"/portal/debts/{debt.pk}/plan")


def test_a_settlement_is_agreed_with_its_discount(browser: Pages) -> None:
    personas.policy()
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)
    choose(browser.visit(debtor), debt, "settlement")

    arrangement = Arrangement.objects.get()
    assert (arrangement.kind, arrangement.total, arrangement.discount) == ("settlement", 70, 30)


def test_a_consent_to_what_has_changed_since_is_not_taken(browser: Pages) -> None:
    personas.policy()
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)
    page = f"/portal/debts/{debt.pk}/plan/agree?choice=plan-3"

    assert agree(browser.visit(debtor), page, "99 2026-01-01 2026-03-01 3")["Location"] == page
    assert not Arrangement.objects.exists()
    assert "The sum has changed" in browser.text(page)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("20", 302),
        ("20,50", 302),
        ("5", "do not refuse you"),
        ("0", "above 0"),
        ("many", "such as 20.50"),
        ("", "Please"),
    ],
)
def test_an_own_amount_gives_dates_and_below_the_floor_a_budget_form(
    browser: Pages, amount: str, expected: int | str
) -> None:
    personas.policy()
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)

    answer = browser.visit(debtor).get(f"/portal/debts/{debt.pk}/plan", {"amount": amount, "every": "fortnightly"})

    if expected == 302:
        assert "Check the dates" in browser.text(answer["Location"])
    else:
        assert str(expected) in answer.content.decode()


def test_the_next_payment_is_moved_once_within_the_policy(browser: Pages) -> None:
    personas.policy()
    debtor = factories.debtor()
    arrangement = personas.agreed(factories.debt(debtor=debtor), number=3)
    first: date = Instalment.objects.get(no=1).agreed_on
    page = f"/portal/plans/{arrangement.pk}"
    assert "Delay one payment" in browser.visit(debtor).text(page)

    too_late = browser.send(page, due_on=(first + timedelta(days=15)).isoformat())
    assert "cannot be moved that far" in too_late.content.decode()
    assert browser.send(page, due_on=(first + timedelta(days=10)).isoformat()).status_code == 302

    assert Instalment.objects.get(no=1).agreed_on == first + timedelta(days=10)
    assert "Delay one payment" not in browser.text(page)


# --- Look


def test_the_look_is_the_creditors_if_all_debts_are_of_one_that_has_one(browser: Pages) -> None:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor)
    CreditorLook.objects.create(creditor=debt.creditor, name="Harbour Help", colour="#4b3b8f", licence="Licence 7")
    assert "Harbour Help" not in browser.text("/portal")

    html = browser.visit(debtor).text("/portal")
    assert "Harbour Help" in html
    assert "/agency/colours/4b3b8f.css" in html
    assert "Licence 7" in html
    assert "MoneyHelper" in html, "free advice of the debtor's country"

    factories.debt(debtor=debtor, original_creditor="Another one")
    assert "Harbour Help" not in browser.text("/portal")
    assert profile.current().name in browser.text("/portal")


@pytest.mark.parametrize("colour", ["0e5a5a", "4b3b8f", "8a0b2a", "000000"])
def test_a_colour_is_readable_light_and_dark(colour: str) -> None:
    light, dark = colours.style_sheet(colours.parse(colour)).split("@media")
    for sheet, ground in ((light, (0xF8, 0xF5, 0xEF)), (dark, (0x11, 0x18, 0x1A))):
        found = {name: colours.parse(value) for name, value in re.findall(r"--([a-z-]+): #([0-9a-f]{6})", sheet)}
        assert colours.contrast(found["brand"], found["on-brand"]) >= 4.5
        assert colours.contrast(found["brand"], ground) >= 4.5
