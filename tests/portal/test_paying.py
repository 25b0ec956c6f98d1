"""The portal's pages for paying: what is offered, the disclosure, the return, transfers, receipts and payment links."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from agents.models import Agent
from arrangements import decisions, proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, Kind
from collection.models import Debt
from debtors import calendars
from debtors.models import Debtor
from payments import creditor_references, provider_events
from payments.models import PaymentIntent
from tests import factories
from tests.conftest import Api
from tests.payments.providers.conftest import stripe  # noqa: F401 -- A fixture.
from tests.payments.test_bank_transfers import IBAN, account
from tests.portal.conftest import Pages
from tests.standins.stripe import StripeStandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def debt(debtor: Debtor) -> Debt:
    return factories.debt(
        debtor=debtor, balance=120, currency_code="EUR", external_reference="INV-1", due_date=date(2026, 2, 1)
    )


@pytest.fixture
def agent(api_as: Callable[[Agent], Api]) -> Api:
    return api_as(factories.agent("Agent"))


@pytest.fixture
def auditor(api_as: Callable[[Agent], Api]) -> Api:
    return api_as(factories.agent("Auditor"))


@pytest.fixture
def home(browser: Pages, debtor: Debtor) -> Pages:
    return browser.visit(debtor)


def send(pages: Pages, *debts: Debt, amount: Any, way: str = "card", key: str = "k") -> Any:
    fields = {"debts": [str(debt.pk) for debt in debts], "amount": str(amount), "way": way, "key": key}
    return pages.send("/portal/pay", **fields)


def plan_of(debt: Debt, number: int = 4) -> Any:
    """An active plan of equal monthly instalments, the first one due today."""
    today = calendars.today(debt.debtor, at=now())
    made = proposals.propose(
        Kind.PLAN,
        debtor=debt.debtor,
        debt_ids=[debt.pk],
        schedule=Schedule(first=today, number=number),
        by=None,
        source=Arrangement.Source.API,
        now=now(),
    )
    return decisions.accept(made, by=None, now=now())


def test_a_card_payment_from_the_page_to_the_receipt(home: Pages, debt: Debt, stripe: StripeStandIn):  # noqa: F811
    shown = home.text("/portal/pay")
    assert "€120.00" in shown
    assert "valid until midnight" in shown
    answer = send(home, debt, amount="50,00")
    intent = PaymentIntent.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/portal/payments/{intent.pk}")
    page = home.text(answer["Location"])
    for disclosed in ("ABC Credit Corp", "INV-1", "1 February 2026", intent.url):
        assert disclosed in page
    assert "Go to the card page" not in home.text(f"{answer['Location']}?returned=1")
    assert "We are waiting for the bank" in home.text(f"{answer['Location']}?returned=1")
    again = send(home, debt, amount="50.00", key="another")
    assert again["Location"] == answer["Location"], "the same sum is not paid twice"
    for each in stripe.pay(str(intent.provider_id)):
        provider_events.store("stripe", each["id"], each, now=now())
    provider_events.handle(clock=now)
    assert "We have received your payment" in home.text(answer["Location"])
    receipt = home.text(f"{answer['Location']}/receipt")
    assert "€50.00" in receipt
    assert "€70.00" in receipt
    assert Pages().visit(factories.debtor()).get(answer["Location"]).status_code == 404


def test_amounts_that_cannot_be_paid_are_refused_in_words(home: Pages, debt: Debt, stripe: StripeStandIn):  # noqa: F811
    for amount, words in (("0.50", "too small or too large"), ("x", "such as 20.50")):
        answer = send(home, debt, amount=amount)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    stranger = factories.debt(currency_code="EUR")
    assert send(home, stranger, amount=10).status_code == 422
    stripe.down = True
    answer = send(home, debt, amount=10)
    assert answer.status_code == 503
    assert "Nothing was paid" in answer.content.decode()


def test_a_transfer_shows_account_and_reference(home: Pages, debt: Debt):
    assert "by card" not in home.text("/portal/pay"), "no provider is set up"
    answer = send(home, debt, amount=20, way="transfer")
    assert "Please contact us" in home.text(answer["Location"]), "there is no account"
    account()
    shown = home.text(answer["Location"])
    reference = creditor_references.of([debt])[debt.pk]
    for part in ("DDC Trust Account", IBAN, "COBADEFFXXX", creditor_references.spaced(reference), "<svg", "€20.00"):
        assert part in shown
    assert f'data-copy="{reference}"' in shown
    for wrong in ("", "?debt=x&amount=1", f"?debt={debt.pk}&amount=x", f"?debt={debt.pk}&amount=9999"):
        assert home.get(f"/portal/pay/transfer{wrong}")["Location"] == "/portal/pay"


def test_a_payment_link_leads_to_one_payment_after_the_question(
    browser: Pages,
    agent: Api,
    stripe: StripeStandIn,  # noqa: F811
):
    debtor = factories.debtor(dob=date(1984, 3, 27))
    debt = factories.debt(debtor=debtor, balance=120, currency_code="EUR", external_reference="INV-7")
    plan = plan_of(debt)
    body = {"debtorId": str(debtor.pk), "arrangementId": str(plan.pk), "amount": "30.00"}
    made = agent.post("/payment-links", body)
    assert made.status_code == 201, made.content
    path = re.sub(r"^https?://[^/]+", "", made.json()["url"])
    question = browser.get(path, follow=True).content.decode()
    for personal in ("John", "120", "INV-7", "ABC Credit Corp", "30"):
        assert personal not in re.sub(r"<[^>]*>", "", question).replace("27 3 1984", "")
    answer = browser.send("/portal/question", day="27", month="3", year="1984", follow=True)
    page = answer.content.decode()
    assert "Your next payment" in page
    assert "€30.00" in page
    assert 'name="amount" value="30.00"' in page
    path = answer.redirect_chain[-1][0]
    paid = browser.send(
        path, shown=path, debts=[str(debt.pk)], amount="30.00", way="card", key="k", arrangement=str(plan.pk)
    )
    intent = PaymentIntent.objects.get()
    assert (paid.status_code, intent.arrangement, intent.amount) == (302, plan, 30)


def test_what_a_payment_link_may_ask(agent: Api, auditor: Api):
    debt = factories.debt(balance=120, currency_code="EUR")
    body = {"debtorId": str(debt.debtor_id)}
    assert auditor.post("/payment-links", body).status_code == 403
    whole = agent.post("/payment-links", {**body, "expiresAt": None}).json()
    assert (whole["amount"], whole["currencyCode"]) == (None, "EUR")
    stranger = factories.debt(currency_code="EUR")
    late = (now() + timedelta(days=91)).isoformat()
    for field, value in (("amount", "120.01"), ("expiresAt", late), ("debtIds", [str(stranger.pk)])):
        assert agent.post("/payment-links", {**body, field: value}).status_code == 422, field


def test_a_payment_is_confirmed_once(debt: Debt):
    from communications.models import CommunicationLog
    from tests.payments.receipts.makers import receipt

    receipt(10, "INV-1", currency_code="EUR")
    assert not CommunicationLog.objects.exists(), "a file of old receipts writes to nobody"
    receipt(10, creditor_references.of([debt])[debt.pk], currency_code="EUR")
    message = CommunicationLog.objects.get()
    assert message.subject == "We have received your payment: {{original_creditor}}"
    assert "{{last_payment_amount}}" in str(message.draft)
