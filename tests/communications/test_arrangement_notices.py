"""Notices about arrangements: what debtors are told, when, and in their language."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
import time_machine

from arrangements import changes, progress, reminders
from arrangements.models import Arrangement, ArrangementPolicy
from communications.models import CommunicationLog
from communications.texts import facts
from communications.texts.facts import Recipient
from tests import factories
from tests.arrangements.conftest import START, agree, follow, noon, offer, pay  # noqa: F401

pytestmark = pytest.mark.django_db

Agree = Callable[..., Arrangement]


@pytest.fixture(autouse=True)
def at_the_start() -> Iterator[None]:
    with time_machine.travel(noon(START), tick=False):
        yield


def subjects() -> list[str | None]:
    return list(CommunicationLog.objects.order_by("created_at", "id").values_list("subject", flat=True))


def test_the_debtor_is_told_what_was_agreed_changed_and_broken(agree: Agree) -> None:  # noqa: F811
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, grace_days=0)
    plan = agree(factories.debt(balance=300), number=3)
    changes.change_amount(plan, 1, amount=D(50), by=factories.agent(), now=noon(START))
    follow(plan, date(2027, 2, 2))
    assert sorted(filter(None, subjects())) == [
        "A payment is missing: {{original_creditor}}",
        "Your payment arrangement was changed: {{original_creditor}}",
        "Your payment arrangement: {{original_creditor}}",
    ]


def test_a_debtor_reads_it_in_german(agree: Agree) -> None:  # noqa: F811
    person = factories.debtor(language_preference="de")
    agree(factories.debt(debtor=person), number=3)
    assert subjects() == ["Ihre Zahlungsvereinbarung: {{original_creditor}}"]


def test_a_payment_is_confirmed_while_the_plan_goes_on(agree: Agree) -> None:  # noqa: F811
    debt = factories.debt(balance=300)
    plan = agree(debt, number=3)
    pay(debt, "100.00", START)
    progress.follow_payment(debt, now=noon(START))
    pay(debt, "200.00", START)
    progress.follow_payment(debt, now=noon(START))
    plan.refresh_from_db()
    assert plan.status == "kept"
    assert sorted(filter(None, subjects())) == [
        "We have received your payment: {{original_creditor}}",
        "You have paid all that was agreed: {{original_creditor}}",
        "Your payment arrangement: {{original_creditor}}",
    ]


def test_an_debtor_is_reminded_once_three_days_before(agree: Agree) -> None:  # noqa: F811
    debt = factories.debt(balance=300)
    agree(debt, number=3)
    assert reminders.remind(now=noon(date(2027, 1, 28))) == 0
    assert reminders.remind(now=noon(date(2027, 1, 29))) == 1
    assert reminders.remind(now=noon(date(2027, 1, 30))) == 0
    assert "A payment is due soon: {{original_creditor}}" in subjects()


def test_a_paid_instalment_needs_no_reminder(agree: Agree) -> None:  # noqa: F811
    debt = factories.debt(balance=300)
    agree(debt, number=3)
    pay(debt, "100.00", START)
    assert reminders.remind(now=noon(date(2027, 1, 29))) == 0


def test_the_placeholders_show_the_next_instalment_and_the_plan(agree: Agree) -> None:  # noqa: F811
    debt = factories.debt(balance=300)
    agree(debt, number=3)
    pay(debt, "130.00", START)
    names = {"next_instalment_amount", "next_instalment_date", "plan_table"}
    (values,) = facts.gather([Recipient(debt.debtor, debt, "en")], now=noon(START), names=names)
    assert values == {
        "next_instalment_amount": "£70.00",
        "next_instalment_date": "Mar 1, 2027",
        "plan_table": "Feb 1, 2027: £100.00\nMar 1, 2027: £100.00\nApr 1, 2027: £100.00",
    }


def test_without_an_arrangement_the_placeholders_are_empty() -> None:
    debt = factories.debt()
    (values,) = facts.gather([Recipient(debt.debtor, debt, "en")], now=noon(START), names={"next_instalment_amount"})
    assert values == {"next_instalment_amount": ""}


def test_reminders_wait_for_the_debtors_own_day(agree: Agree) -> None:  # noqa: F811
    person = factories.debtor(country_code="US", region_state="HI", city="Honolulu", postal_code="96813")
    debt = factories.debt(debtor=person, balance=300)
    agree(debt, number=3)
    assert reminders.remind(now=noon(date(2027, 1, 29)) - timedelta(hours=4)) == 0  # Still 28 January in Hawaii
    assert reminders.remind(now=noon(date(2027, 1, 29))) == 1
