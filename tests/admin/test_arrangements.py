"""The pages of arrangements: negotiation, approval, decisions and changes by agents; and those of their policies."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from arrangements import decisions
from arrangements.models import Arrangement, ArrangementPolicy, Instalment
from casework.worklists import BROKEN_DAYS, BY_KIND
from collection.models import Debt
from ddc.common.days import agency_today
from debtors import calendars
from payments import posting
from tests import factories
from tests.admin.conftest import Browser, address, arrangement, errors, said

pytestmark = pytest.mark.django_db

Status = Arrangement.Status
#: What a page may take at most.
MOST_QUERIES = 20


def debt_of(balance: int = 300, **values: Any) -> Debt:
    return factories.debt(
        original_balance=Decimal(balance), current_balance=Decimal(balance), currency_code="GBP", **values
    )


def rule(**values: Any) -> ArrangementPolicy:
    return ArrangementPolicy.objects.create(currency_code="GBP", version=1, **values)


def terms(debt: Debt, **values: Any) -> dict[str, Any]:
    first = calendars.today(debt.debtor, at=now()) + timedelta(days=10)
    return {
        "kind": "plan",
        "amount": "50",
        "frequency": "monthly",
        "first": str(first),
        "debts": [str(debt.pk)],
        **values,
    }


def negotiate(browser: Browser, debt: Debt, **values: Any) -> Any:
    path = address(type(debt.debtor), "arrange", debt.debtor_id)
    return browser.client.post(path, terms(debt, **values), follow=True)


def page(browser: Browser, made: Arrangement, what: str = "change", **fields: Any) -> Any:
    path = address(Arrangement, what, made.pk)
    return browser.client.post(path, fields, follow=True) if fields else browser.get(path)


def status(made: Arrangement) -> str:
    made.refresh_from_db()
    return made.status


# --- Negotiation


def test_the_preview_shows_the_schedule_and_stores_nothing(agent_at_desk: Browser):
    debt = debt_of(320)
    path = address(type(debt.debtor), "arrange", debt.debtor_id)
    text = agent_at_desk.client.post(path, terms(debt), headers={"X-Preview": "yes"}).content.decode()
    assert "320.00 GBP in 7 payments" in text
    assert text.count("50.00 GBP") == 6
    assert "20.00 GBP</td>" in text
    assert "<html" not in text
    assert not Arrangement.objects.exists()


def test_what_was_agreed_is_active_and_shows_in_the_head(agent_at_desk: Browser):
    debt = debt_of()
    answer = negotiate(agent_at_desk, debt, do="agreed")
    made = Arrangement.objects.get()
    assert (made.status, made.proposed_by) == (Status.ACTIVE, agent_at_desk.agent)
    assert said(answer) == ["Agreed: Payment plan, 300.00 GBP."]
    assert "Payment plan: next 50.00 GBP on" in answer.content.decode()


def test_an_offer_waits_for_the_debtor(agent_at_desk: Browser):
    negotiate(agent_at_desk, debt_of(), do="offer")
    assert Arrangement.objects.get().status == Status.OFFERED


def test_what_goes_beyond_a_rule_is_sent_for_approval_also_if_the_debtor_agrees(agent_at_desk: Browser):
    debt = debt_of()
    rule(max_months=2)
    rule(creditor=debt.creditor, min_instalment=Decimal(60))
    path = address(type(debt.debtor), "arrange", debt.debtor_id)
    text = agent_at_desk.client.post(path, terms(debt), headers={"X-Preview": "yes"}).content.decode()
    assert "Another person must approve: Agency&#x27;s rule: It ends within 2 months." in text
    assert "The creditor&#x27;s consent is needed: Creditor&#x27;s rule: An instalment is at least 60.00 GBP." in text
    assert "Send for approval" in text
    assert 'value="agreed"' not in text
    answer = negotiate(agent_at_desk, debt, do="agreed")
    assert said(answer) == ["Sent for approval: Payment plan, 300.00 GBP."]
    assert Arrangement.objects.get().status == Status.PENDING_APPROVAL


@pytest.mark.parametrize("discount", [{"percent": "40"}, {"discount": "493.82"}])
def test_a_settlement_by_percent_or_amount(agent_at_desk: Browser, discount: Any):
    debt = factories.debt(original_balance=Decimal("1234.56"), current_balance=Decimal("1234.56"), currency_code="GBP")
    rule(min_settlement_percent=50)
    negotiate(agent_at_desk, debt, kind="settlement", amount="", number="2", do="offer", **discount)
    made = Arrangement.objects.get()
    assert (made.total, made.discount) == (Decimal("740.74"), Decimal("493.82"))
    assert [row.amount for row in made.instalments.all()] == [Decimal("370.37")] * 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": "3"}, "Enter either the amount or the number of instalments."),
        ({"debts": []}, "Choose at least one open debt."),
        ({"first": "2001-01-01"}, "The first payment is due today or later."),
        ({"amount": "1e3"}, "1e3"),
        ({"first": "soon"}, "Enter a valid date."),
        ({"debts": ["x"]}, "Select a valid choice"),
    ],
)
def test_wrong_terms_are_refused_with_a_reason(agent_at_desk: Browser, values: Any, words: str):
    answer = negotiate(agent_at_desk, debt_of(), do="agreed", **values)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Arrangement.objects.exists()


def test_debts_of_two_creditors_need_an_arrangement_each(agent_at_desk: Browser):
    debt = debt_of()
    other = debt_of(debtor=debt.debtor, original_creditor="Another Bank")
    answer = negotiate(agent_at_desk, debt, debts=[str(debt.pk), str(other.pk)], do="agreed")
    assert "Make an arrangement for each." in answer.content.decode()


@pytest.mark.parametrize("role", ["Agent", "Auditor"])
@pytest.mark.parametrize("of", ["debtor", "debt"])
def test_the_panel_takes_few_queries_for_any_number_of_arrangements(
    sign_in: Any, role: str, of: str, remembered_roles: None
):
    browser, debt = sign_in(role), debt_of()
    row = debt if of == "debt" else debt.debtor
    decisions.accept(arrangement(debt), by=None, now=now())

    def queries() -> int:
        browser.get(address(type(row), "change", row.pk), panel="arrange")
        with CaptureQueriesContext(connection) as made:
            answer = browser.get(address(type(row), "change", row.pk), panel="arrange")
        assert ("arrange-form" in answer.content.decode()) == (role == "Agent")
        return len(made)

    few = queries()
    for _ in range(3):
        decisions.accept(arrangement(debt_of(debtor=debt.debtor)), by=None, now=now())
        arrangement(debt)
    assert queries() == few <= MOST_QUERIES + 1


def test_a_debt_that_is_closed_offers_no_arrangement(agent_at_desk: Browser):
    debt = debt_of()
    posting.record(debt=debt, amount=Decimal(300), by=None, today=agency_today(now()))
    path = address(type(debt.debtor), "arrange", debt.debtor_id)
    text = agent_at_desk.client.post(path, {}, headers={"X-Preview": "yes"}).content.decode()
    assert "There is no open debt on which an arrangement is possible." in text


# --- Approval


def test_the_next_one_opens_after_an_approval(supervisor_at_desk: Browser):
    first, second = (arrangement(debt_of(), status=Status.PENDING_APPROVAL) for _ in range(2))
    answer = page(supervisor_at_desk, first, "approve", go="yes")
    assert status(first) == Status.OFFERED
    assert answer.redirect_chain[-1][0] == address(Arrangement, "change", second.pk)
    answer = page(supervisor_at_desk, second, "reject", reason="Too long.")
    assert status(second) == Status.DECLINED
    assert answer.redirect_chain[-1][0] == BY_KIND["arrangements"].list_url()


def test_the_creditors_consent_is_asked_for_if_it_is_needed(supervisor_at_desk: Browser, agent_at_desk: Browser):
    debt = debt_of()
    rule(creditor=debt.creditor, min_instalment=Decimal(60))
    made = arrangement(debt, by=agent_at_desk.agent)
    assert status(made) == Status.PENDING_APPROVAL
    assert list(errors(page(supervisor_at_desk, made, "approve", creditor_consent=""))) == ["creditor_consent"]
    page(supervisor_at_desk, made, "approve", creditor_consent="Ms Ito, by phone")
    assert status(made) == Status.OFFERED
    text = page(supervisor_at_desk, made).content.decode()
    assert "Ms Ito, by phone" in text
    assert "approved it; the creditor agreed (Ms Ito, by phone)." in text


def test_nobody_approves_their_own_proposal(supervisor_at_desk: Browser):
    made = arrangement(debt_of(), by=supervisor_at_desk.agent, status=Status.PENDING_APPROVAL)
    text = page(supervisor_at_desk, made).content.decode()
    assert f"Another person than {supervisor_at_desk.agent} must approve it." in text
    assert address(Arrangement, "approve", made.pk) not in text
    assert page(supervisor_at_desk, made, "approve", go="yes").status_code == 403
    waiting = BY_KIND["arrangements"]
    assert list(waiting.rows(supervisor_at_desk.agent, now=now())) == []
    assert list(waiting.rows(factories.agent(), now=now())) == [made]


def test_broken_ones_are_worked_on_for_some_days(supervisor_at_desk: Browser):
    today = agency_today(now())
    fresh, old, handed, kept = (arrangement(debt_of()) for _ in range(4))
    for made, values in (
        (fresh, {"status": "broken", "broken_on": today - timedelta(days=1)}),
        (old, {"status": "broken", "broken_on": today - timedelta(days=BROKEN_DAYS + 1)}),
        (handed, {"status": "active", "needs_person": True}),
        (kept, {"status": "kept", "needs_person": True}),
    ):
        Arrangement.objects.filter(pk=made.pk).update(**values)
    worklist = BY_KIND["broken-arrangements"]
    assert list(worklist.rows(supervisor_at_desk.agent, now=now())) == [fresh, handed]
    shown = supervisor_at_desk.get(worklist.list_url()).context["cl"].result_list
    assert {row.pk for row in shown} == {fresh.pk, handed.pk}


# --- The page


@pytest.mark.parametrize("role", ["Agent", "Supervisor", "Auditor"])
def test_the_page_shows_schedule_money_and_story_in_few_queries(sign_in: Any, role: str, remembered_roles: None):
    browser, debt = sign_in(role), debt_of()
    made = decisions.accept(arrangement(debt), by=None, now=now())
    page(browser, made)
    with CaptureQueriesContext(connection) as queries:
        text = page(browser, made).content.decode()
    assert len(queries) <= MOST_QUERIES
    for words in ("Schedule", "Not due yet", "The debtor proposed it.", "The debtor accepted it.", "Money since"):
        assert words in text
    assert (address(Arrangement, "cancel", made.pk) in text) == (role != "Auditor")


def test_accept_cancel_and_decline(agent_at_desk: Browser):
    made, other = arrangement(debt_of()), arrangement(debt_of())
    page(agent_at_desk, made, "accept", go="yes")
    assert status(made) == Status.ACTIVE
    page(agent_at_desk, made, "cancel", reason="Moved abroad.")
    assert status(made) == Status.CANCELLED
    assert "cancelled it: Moved abroad." in page(agent_at_desk, made).content.decode()
    page(agent_at_desk, other, "decline", reason="Too much.")
    assert status(other) == Status.DECLINED


def test_a_change_shows_the_schedule_first(agent_at_desk: Browser):
    made = decisions.accept(arrangement(debt_of()), by=None, now=now())
    change = {"instalment_no": "1", "amount": "40", "reason": "Holiday"}
    answer = page(agent_at_desk, made, "change_amount", preview="yes", **change)
    rows = answer.context["schedule"]["rows"]
    assert [row[3] for row in rows][::5] == ["40.00 GBP", "60.00 GBP"]
    assert Instalment.objects.get(arrangement=made, no=1).amount == 50
    page(agent_at_desk, made, "change_amount", **change)
    assert Instalment.objects.get(arrangement=made, no=1).amount == 40
    words = "changed instalment 1 from 50.00 GBP to 40.00 GBP; the last one takes the difference: Holiday"
    assert words in page(agent_at_desk, made).content.decode()


def test_a_delay_beyond_the_policy_is_refused_at_its_field(agent_at_desk: Browser, supervisor_at_desk: Browser):
    made = decisions.accept(arrangement(debt_of()), by=None, now=now())
    first = made.instalments.get(no=1).agreed_on
    change = {"instalment_no": "1", "due_on": str(first + timedelta(days=5)), "reason": ""}
    assert list(errors(page(agent_at_desk, made, "delay", **change))) == ["due_on"]
    page(supervisor_at_desk, made, "delay", **change)
    assert made.instalments.get(no=1).agreed_on == first + timedelta(days=5)
    assert "delayed instalment 1" in page(agent_at_desk, made).content.decode()


# --- Policies


def test_a_new_version_replaces_the_one_before(supervisor_at_desk: Browser):
    path = address(ArrangementPolicy, "add")
    answer = supervisor_at_desk.client.post(path, {"currency_code": "GBP", "max_months": "12"}, follow=True)
    assert answer.status_code == 200
    first = ArrangementPolicy.objects.get()
    assert (first.version, first.max_months, first.by) == (1, 12, supervisor_at_desk.agent)
    answer = supervisor_at_desk.client.get(address(ArrangementPolicy, "new_version", first.pk), follow=True)
    assert answer.context["adminform"].form.initial["max_months"] == 12
    fields = {"currency_code": "GBP", "max_months": "24", "min_settlement_percent": "60"}
    supervisor_at_desk.client.post(path, fields)
    second = ArrangementPolicy.objects.get(replaced_at=None)
    assert (second.version, second.max_months) == (2, 24)
    text = supervisor_at_desk.get(address(ArrangementPolicy, "change", second.pk)).content.decode()
    assert "It ends within 24 months." in text
    assert "A settlement is at least 60 % of the balance." in text


def test_a_percentage_above_a_hundred_is_refused(supervisor_at_desk: Browser):
    fields = {"currency_code": "GBP", "min_settlement_percent": "101"}
    assert list(errors(supervisor_at_desk.client.post(address(ArrangementPolicy, "add"), fields))) == [
        "min_settlement_percent"
    ]
