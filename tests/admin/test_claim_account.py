"""The claim account on a debt's page: what is shown, and its forms."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from agents.models import RoleLimit
from collection.balances import interest, ledger
from collection.claims.components import Components
from collection.models import Debt
from collection.tariffs import cost_rules, schedules
from ddc.common.days import agency_today
from payments import credits, posting, reconciliation
from payments.models import Refund
from tests import factories
from tests.admin.conftest import Browser, address, said, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def debt() -> Debt:
    """A German debt of 1,200.00 that bears 36.5 % interest, 1.20 a day, since 40 days ago; 200.00 were paid after 10 days."""
    cost_rules.load_shipped()
    schedules.add(code="X", name="x", section="x", source="x", fixed_percent=Decimal("36.5"), by=None)
    today, placed = agency_today(now()), agency_today(now()) - timedelta(days=40)
    debtor = factories.debtor(country_code="DE")
    found = factories.debt(debtor=debtor, currency_code="EUR", balance=Decimal(1200), placement_date=placed)
    interest.set_terms(found, schedule="X", since=placed, by=None, today=today)
    paid = placed + timedelta(days=10)
    posting.record(debt=found, amount=Decimal("212"), payment_date=paid, by=None, today=today)
    return found


def account(browser: Browser, debt: Debt, on: date | None = None) -> str:
    asked = f"&on={on}" if on else ""
    return str(browser.get(f"{address(Debt, 'change', debt.pk)}?panel=account{asked}").content.decode())


def do(browser: Browser, debt: Debt, step: str, **fields: Any) -> Any:
    return browser.client.post(f"/admin/collections/debt/{debt.pk}/{step}/", fields, follow=True)


def parts(debt: Debt) -> Components:
    debt.refresh_from_db()
    return ledger.balances(debt)


def test_the_account_shows_each_entry_and_what_would_close_it(agent_at_desk: Browser, debt: Debt):
    page = account(agent_at_desk, debt)
    for words in ("Costs and fees", "Interest", "Principal", "12.00", "212.00", "1,000.00"):
        assert words in page, words
    assert "1,030.00" in page
    assert "30.00" in page
    assert "1,040.00" in account(agent_at_desk, debt, agency_today(now()) + timedelta(days=10))


def test_an_agent_charges_by_a_rule_and_needs_a_supervisor_without_one(agent_at_desk: Browser, debt: Debt):
    form = agent_at_desk.get(f"/admin/collections/debt/{debt.pk}/charge/").content.decode()
    assert "German collection fee" in form
    assert "Dutch" not in form
    refused = do(agent_at_desk, debt, "charge", rule_code="", component="fees", amount="5", reason="Contract")
    assert parts(debt).fees == 0, said(refused)
    done = do(agent_at_desk, debt, "charge", rule_code="DE_RVG", factor="usual", component="costs")
    assert said(done) == ["The charge is posted."]
    assert parts(debt).costs == Decimal("141.05")
    again = do(agent_at_desk, debt, "charge", rule_code="DE_RVG", factor="usual", component="costs")
    assert "has a charge by this rule already" in again.content.decode()
    assert "DE RVG" in account(agent_at_desk, debt)
    assert list(reconciliation.differences()) == []


def test_an_agent_waives_up_to_the_limit(agent_at_desk: Browser, debt: Debt):
    RoleLimit.objects.create(role="Agent", kind="waiver_amount", value=10)
    assert "at most" in agent_at_desk.get(f"/admin/collections/debt/{debt.pk}/waive/").content.decode()
    refused = do(agent_at_desk, debt, "waive", principal="20", reason="Hardship")
    assert "above the limit of your role" in refused.content.decode()
    blank = do(agent_at_desk, debt, "waive", principal="5")
    assert "The reason is missing." in blank.content.decode()
    assert parts(debt).principal == 1000
    assert said(do(Browser(staff("Supervisor")), debt, "waive", interest="30", reason="Hardship"))
    assert parts(debt) == Components(principal=Decimal(1000))
    too_much = do(Browser(staff("Supervisor")), debt, "waive", costs="1", reason="Hardship")
    assert "exceeds the open costs" in too_much.content.decode()


def test_a_supervisor_writes_a_part_off_and_then_the_rest(debt: Debt):
    boss = Browser(staff("Supervisor"))
    assert said(do(boss, debt, "write_off", amount="100", reason="small_balance")) == ["The write-off is posted."]
    assert (parts(debt).principal, debt.current_status) == (900, "active")
    do(boss, debt, "write_off", reason="uncollectible", note="No assets.")
    assert (parts(debt).total, debt.current_status) == (0, "written_off")
    assert list(reconciliation.differences()) == []


def test_a_refund_of_a_payment_is_proposed_on_its_page_and_approved_by_another_person(
    agent_at_desk: Browser, debt: Debt
):
    payment = debt.payments.get()
    page = f"/admin/payments/payment/{payment.pk}/refund/"
    assert "All that is left if empty" in agent_at_desk.get(page).content.decode()
    too_much = agent_at_desk.client.post(page, {"amount": "212.01"}, follow=True)
    assert "exceeds what is left" in too_much.content.decode()
    agent_at_desk.client.post(page, {"amount": "100", "reason": "Paid twice."}, follow=True)
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.amount, parts(debt).principal) == (payment.pk, 100, 1000)
    listed = agent_at_desk.list(Refund).content.decode()
    assert str(debt.debtor) in listed
    boss = Browser(staff("Supervisor"))
    approved = boss.client.post(f"/admin/payments/refund/{refund.pk}/approve/", follow=True)
    assert said(approved) == ["Approved."]
    assert parts(debt).principal == 1100
    with pytest.raises(credits.AlreadyDecided):
        credits.approve(refund, by=staff("Supervisor"), now=now())
