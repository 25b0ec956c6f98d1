"""Receipts in the back office: the suspense screen, credits and refunds."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework.models import WorkClaim
from payments import creditor_dues, posting, receipts
from payments.models import Credit, Receipt, Refund
from tests import factories
from tests.admin.conftest import Browser, address, said
from tests.payments.receipts.makers import NOW, TODAY, balance, booked, no_difference, reason, receipt

pytestmark = pytest.mark.django_db


def page_of(row: Any) -> str:
    return address(type(row), "change", row.pk)


def step(came: Receipt, name: str) -> str:
    return f"/admin/payments/receipt/{came.pk}/{name}/"


def test_the_screen_shows_the_receipt_and_proposals_with_why(agent_at_desk: Browser):
    debtor = factories.debtor(first_name="Ann", last_name="Payer")
    debt = factories.debt(debtor=debtor, balance="60", external_reference="INV-7")
    came = receipt(60, "for flat 7", payer_name="Ann Payer", payer_account="GB33BUKB20201555555555")
    page = agent_at_desk.get(page_of(came)).content.decode()
    for words in (
        "60.00 GBP",
        "No debt has this reference",
        "for flat 7",
        "GB33BUKB",
        "INV-7",
        "same name",
        "same amount",
    ):
        assert words in page
    assert f'value="{debt.pk}"' in page


def test_a_key_books_and_the_next_opens(agent_at_desk: Browser):
    debt = factories.debt(balance="50", external_reference="INV-7")
    first, second = receipt(60), receipt(70)
    opened = agent_at_desk.client.get("/admin/work/suspense/", follow=True)
    assert opened.redirect_chain[-1][0] == page_of(first)
    answer = agent_at_desk.client.post(step(first, "book"), {"debt": debt.pk, "why": "Same name"}, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(second)
    assert "Booked to INV-7" in said(answer)[0]
    assert (balance(debt), booked(first), reason(first)) == (0, [("payment", 50), ("credit", 10)], None)
    assert first.allocations.last().why == "Same name"
    answer = agent_at_desk.client.post(step(second, "book"), {"debt": debt.pk}, follow=True)
    assert "That was the last one." in said(answer)[-1]
    assert no_difference()


def test_the_second_agent_sees_who_booked_it(agent_at_desk: Browser):
    debt, came = factories.debt(balance="500"), receipt(60)
    receipts.book_to(came, debt, by=factories.agent("Agent", first_name="Mia"), today=TODAY, now=NOW)
    answer = agent_at_desk.client.post(step(came, "book"), {"debt": debt.pk}, follow=True)
    assert "Nothing is left of this receipt. Mia" in said(answer)[0]
    assert "Mia" in answer.content.decode()
    assert balance(debt) == 440


def test_a_supervisor_undoes_by_a_reversal_and_an_agent_may_not(agent_at_desk: Browser, supervisor_at_desk: Browser):
    debt, came = factories.debt(balance="500"), receipt(60)
    (made,) = receipts.book_to(came, debt, by=None, today=TODAY, now=NOW)
    assert agent_at_desk.client.post(step(came, "undo"), {"allocation": made.pk}).status_code == 403
    answer = supervisor_at_desk.client.post(step(came, "undo"), {"allocation": made.pk}, follow=True)
    assert "Undone by a reversal" in said(answer)[0]
    assert (balance(debt), reason(came)) == (500, "undone")
    assert no_difference()


@pytest.mark.parametrize("data", [{}, {"debt": "x"}, {"debt": "00000000-0000-0000-0000-000000000000"}])
def test_a_debt_that_does_not_exist_is_a_message(agent_at_desk: Browser, data: dict):
    answer = agent_at_desk.client.post(step(receipt(60), "book"), data, follow=True)
    assert said(answer) == ["This does not exist any more."]


def test_a_receipt_is_booked_to_a_debt_that_is_not_proposed(agent_at_desk: Browser):
    debt, came = factories.debt(balance="500"), receipt(60)
    url = step(came, "book_elsewhere")
    assert agent_at_desk.get(url).status_code == 200
    agent_at_desk.post(url, {"debt": debt.pk, "amount": "20"})
    agent_at_desk.post(url, {"debt": debt.pk, "amount": "10", "to_credit": "on"})
    assert (balance(debt), booked(came), reason(came)) == (480, [("payment", 20), ("credit", 10)], "no_reference")
    agent_at_desk.post(url, {"debt": debt.pk})
    assert (balance(debt), reason(came)) == (450, None)
    assert no_difference()


def test_a_receipt_is_recorded_by_hand(agent_at_desk: Browser):
    debt = factories.debt(balance="500", external_reference="INV-100001")
    data = {
        "source": "cash",
        "amount": "20",
        "currency_code": "GBP",
        "reference": "INV-100001",
        "value_date": "2026-01-20",
    }
    answer = agent_at_desk.post(address(Receipt, "add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    assert (balance(debt), Receipt.objects.get().source) == (480, "cash")


def test_a_charge_back_is_set_off_against_money_of_its_creditor(agent_at_desk: Browser):
    debt = factories.debt(balance="100")
    payment = posting.record(debt=debt, amount=Decimal(30), by=None, today=TODAY)
    due = creditor_dues.record(payment, amount=Decimal(30), value_date=TODAY, by=None, now=NOW)
    assert "due from the creditor" in agent_at_desk.get(page_of(due)).content.decode()
    came = receipt(30, source="creditor", creditor=debt.creditor)
    assert "Set off" in agent_at_desk.get(page_of(came)).content.decode()
    agent_at_desk.post(step(came, "offset"), {"counterpart": due.pk})
    assert (reason(came), reason(due)) == (None, None)
    assert no_difference()


def test_a_credit_on_the_persons_page_is_applied_and_refunded(agent_at_desk: Browser, supervisor_at_desk: Browser):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    receipt(130, "INV-100001", payer_name="Ann Payer")
    credit = Credit.objects.get()
    page = agent_at_desk.get(address(type(debt.debtor), "change", debt.debtor_id), panel="credits").content.decode()
    assert "30.00 GBP" in page
    other = factories.debt(debtor=debt.debtor, balance="10")
    url = f"/admin/payments/credit/{credit.pk}/"
    assert str(other) in agent_at_desk.get(f"{url}apply/").content.decode()
    agent_at_desk.post(f"{url}apply/", {"debt": other.pk, "amount": "10"})
    agent_at_desk.post(f"{url}refund/", {"amount": "20", "reason": "Asked for it"})
    refund = Refund.objects.get()
    assert agent_at_desk.post(f"/admin/payments/refund/{refund.pk}/approve/").status_code == 403
    WorkClaim.objects.all().delete()  # The agent is done with the person.
    opened = supervisor_at_desk.client.get("/admin/work/refunds/", follow=True)
    assert "Ann Payer" in opened.content.decode()
    supervisor_at_desk.post(f"/admin/payments/refund/{refund.pk}/approve/", {"note": "Fine"})
    refund.refresh_from_db()
    assert (refund.decision, balance(other)) == ("approved", 0)
    assert "applied to a debt" in agent_at_desk.get(page_of(credit)).content.decode()
    assert no_difference()


@pytest.mark.usefixtures("remembered_roles")
def test_the_screen_takes_few_queries(agent_at_desk: Browser):
    debtor = factories.debtor(first_name="Ann", last_name="Payer")
    for number in range(8):
        factories.debt(debtor=debtor, balance="60", external_reference=f"INV-{number}")
    earlier = receipt(5, payer_account="GB33")
    receipts.book_to(earlier, debtor.debts.first(), by=None, today=TODAY, now=NOW)
    came = receipt(60, "for flat 7", payer_name="Ann Payer", payer_account="GB33")
    receipts.book(came, [receipts.Line(one, Decimal(1)) for one in debtor.debts.all()], by=None, today=TODAY, now=NOW)
    agent_at_desk.client.get("/admin/work/suspense/", follow=True)
    with CaptureQueriesContext(connection) as queries:
        assert agent_at_desk.get(page_of(came)).status_code == 200
    assert len(queries) <= 24, [query["sql"][:150] for query in queries]
