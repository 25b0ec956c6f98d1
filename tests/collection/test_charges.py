"""Charges by cost rules, waivers and write-offs, and what roles may do."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from agents import limits
from agents.models import Agent, LimitKind, RoleLimit
from collection import charges, debts
from collection.balances import ledger
from collection.charges import Reason
from collection.claims.components import Components
from collection.debts import DebtIsClosed
from collection.models import Debt, LedgerEntry
from ddc.common.errors import Forbidden
from payments import posting, reconciliation
from tests import factories
from tests.conftest import Api

Kind = LedgerEntry.Kind
TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Agent")


@pytest.fixture
def supervisor() -> Agent:
    return factories.agent("Supervisor")


def german(balance: str = "1200", **values: Any) -> Debt:
    debtor = factories.debtor(country_code="DE")
    return factories.debt(debtor=debtor, currency_code="EUR", balance=balance, **values)


def balances(debt: Debt) -> Components:
    debt.refresh_from_db()
    assert list(reconciliation.differences()) == []
    return ledger.balances(debt)


def charge(debt: Debt, by: Agent | None, **fields: Any) -> Debt:
    return charges.charge(debt, by=by, today=TODAY, **fields)


def test_an_agent_charges_what_a_rule_allows(agent: Agent):
    debt = german()
    charge(debt, agent, rule_code="DE_RVG", factor="usual")
    assert balances(debt) == Components(Decimal(1200), costs=Decimal("141.05"))
    entry = LedgerEntry.objects.get(kind=Kind.COST)
    assert (entry.cause["ruleCode"], entry.by) == ("DE_RVG", agent)
    assert entry.cause["legalBasis"]


def test_a_rule_charges_once_and_no_more_than_it_allows(agent: Agent):
    debt = german()
    with pytest.raises(charges.AboveRule):
        charge(debt, agent, rule_code="DE_RVG", factor="usual", amount=Decimal("141.06"))
    charge(debt, agent, rule_code="DE_RVG", factor="usual", amount=Decimal(100))
    with pytest.raises(charges.AlreadyCharged):
        charge(debt, agent, rule_code="DE_RVG", factor="paid on the first letter")
    assert balances(debt).costs == 100


def test_a_rule_of_another_country_or_currency_does_not_apply(agent: Agent):
    british = factories.debt()
    with pytest.raises(charges.RuleDoesNotApply):
        charge(british, agent, rule_code="DE_RVG", factor="usual")
    with pytest.raises(charges.NoSuchRule):
        charge(british, agent, rule_code="NONE")
    with pytest.raises(charges.RuleDoesNotApply) as refused:
        charge(german(), agent, rule_code="DE_RVG")
    assert refused.value.field == "factor"
    assert not LedgerEntry.objects.filter(kind=Kind.COST).exists()


def test_a_cost_without_a_rule_needs_a_supervisor_and_a_legal_basis(agent: Agent, supervisor: Agent):
    debt = german()
    with pytest.raises(Forbidden):
        charge(debt, agent, amount=Decimal(5), reason="§ 286 BGB")
    with pytest.raises(charges.BasisRequired):
        charge(debt, supervisor, amount=Decimal(5))
    charge(debt, supervisor, amount=Decimal(5), reason="§ 286 BGB", component="fees")
    assert balances(debt).fees == 5


def test_a_waiver_needs_a_reason_and_may_not_exceed_what_is_open(supervisor: Agent):
    debt = german()
    charge(debt, supervisor, rule_code="DE_RVG", factor="usual")
    with pytest.raises(charges.ReasonRequired):
        charges.waive(debt, {"costs": Decimal(1)}, by=supervisor, today=TODAY, reason=" ")
    with pytest.raises(ledger.ExceedsComponent):
        charges.waive(debt, {"costs": Decimal(142)}, by=supervisor, today=TODAY, reason="Goodwill")
    charges.waive(debt, {"costs": Decimal("41.05")}, by=supervisor, today=TODAY, reason="Goodwill")
    assert balances(debt) == Components(Decimal(1200), costs=Decimal(100))


@pytest.mark.parametrize("act", ["waive", "write_off"])
def test_an_agent_grants_only_up_to_the_limit_of_the_role(act: str, agent: Agent):
    debt = factories.debt(currency_code="USD", balance="100")

    def grant(amount: int) -> None:
        if act == "waive":
            charges.waive(debt, {"principal": Decimal(amount)}, by=agent, today=TODAY, reason="Goodwill")
        else:
            charges.write_off(debt, amount=Decimal(amount), by=agent, today=TODAY, reason=Reason.SMALL_BALANCE)

    with pytest.raises(Forbidden):
        grant(1)
    kind = LimitKind.WAIVER_AMOUNT if act == "waive" else LimitKind.WRITE_OFF_AMOUNT
    RoleLimit.objects.create(role="Agent", kind=kind, value=10)
    with pytest.raises(limits.AboveLimit):
        grant(11)
    grant(10)
    assert balances(debt).total == 90


def test_a_part_is_written_off_and_the_rest_stays_open(supervisor: Agent):
    debt = german("1200")
    charges.write_off(debt, amount=Decimal(200), by=supervisor, today=TODAY, reason=Reason.TIME_BARRED)
    assert (balances(debt), debt.current_status) == (Components(Decimal(1000)), "active")
    with pytest.raises(ledger.ExceedsBalance):
        charges.write_off(debt, amount=Decimal(1001), by=supervisor, today=TODAY, reason=Reason.TIME_BARRED)
    debts.amend(debt, by=supervisor, today=TODAY, current_status="written_off")
    debts.amend(debt, by=supervisor, today=TODAY, current_status="active")
    assert balances(debt) == Components(Decimal(1000)), "a part written off before stays so"


@pytest.mark.parametrize(("reason", "status"), [(Reason.AGREED, "settled"), (Reason.DECEASED, "written_off")])
def test_a_write_off_of_all_closes_the_debt(reason: Reason, status: str, supervisor: Agent):
    debt = german()
    posting.record(debt=debt, amount=Decimal(700), by=None, today=TODAY)
    charges.write_off(debt, by=supervisor, today=TODAY, reason=reason, note="By phone")
    assert (balances(debt).total, debt.current_status) == (0, status)
    cause = LedgerEntry.objects.get(kind=Kind.WRITE_OFF).cause
    assert (cause["reason"], cause["note"], cause["type"]) == (reason.value, "By phone", "closing")
    assert cause.get("settledFor") == ("700.00" if status == "settled" else None)


def test_what_was_charged_waived_or_written_off_can_be_undone(supervisor: Agent):
    debt = german()
    charge(debt, supervisor, rule_code="DE_RVG", factor="usual")
    charges.write_off(debt, amount=Decimal(200), by=supervisor, today=TODAY, reason=Reason.UNCOLLECTIBLE)
    charges.waive(debt, {"costs": Decimal(41)}, by=supervisor, today=TODAY, reason="Goodwill")
    for kind in (Kind.WAIVER, Kind.WRITE_OFF, Kind.COST):
        entry = LedgerEntry.objects.get(kind=kind)
        charges.undo(debt, entry.pk, by=supervisor, today=TODAY)
        with pytest.raises(charges.NotReversible):
            charges.undo(debt, entry.pk, by=supervisor, today=TODAY)
    assert balances(debt) == Components(Decimal(1200))
    with pytest.raises(charges.NotReversible):
        charges.undo(debt, LedgerEntry.objects.get(kind=Kind.PLACEMENT).pk, by=supervisor, today=TODAY)


def test_a_charge_that_was_paid_is_undone_and_the_payment_covers_the_rest(supervisor: Agent):
    debt = german()
    charge(debt, supervisor, rule_code="DE_RVG", factor="usual")
    posting.record(debt=debt, amount=Decimal("141.05"), by=None, today=TODAY)
    assert balances(debt) == Components(Decimal(1200))
    charges.undo(debt, LedgerEntry.objects.get(kind=Kind.COST).pk, by=supervisor, today=TODAY)
    assert balances(debt) == Components(Decimal("1058.95"))


def test_a_closed_debt_is_not_charged(supervisor: Agent):
    debt = german()
    debts.amend(debt, by=supervisor, today=TODAY, current_status="settled")
    for act in (
        lambda: charge(debt, supervisor, rule_code="DE_RVG", factor="usual"),
        lambda: charges.waive(debt, {"principal": Decimal(1)}, by=supervisor, today=TODAY, reason="x"),
        lambda: charges.write_off(debt, by=supervisor, today=TODAY, reason=Reason.AGREED),
    ):
        with pytest.raises(DebtIsClosed):
            act()


def test_the_api_of_a_claim_account(api: Api):
    debt = german()
    body = {"ruleCode": "de_rvg", "factor": "usual"}
    answer = api.post(f"/debts/{debt.pk}/charges", body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["balances"] == {"principal": "1200.00", "interest": "0.00", "costs": "141.05", "fees": "0.00"}
    answer = api.post(f"/debts/{debt.pk}/waivers", {"costs": "41.05", "reason": "Goodwill"})
    assert (answer.status_code, answer.json()["payoffAmount"]) == (201, "1300.00")
    answer = api.post(f"/debts/{debt.pk}/write-offs", {"amount": "200", "reason": "time_barred"})
    assert (answer.status_code, answer.json()["currentBalance"]) == (201, "1100.00")
    answer = api.post(f"/debts/{debt.pk}/write-offs", {"amount": "1", "reason": "bored"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
    page = api.get(f"/debts/{debt.pk}").json()
    assert (page["accruedInterest"], page["payoffAmount"], len(page["asOf"])) == ("0.00", "1100.00", 10)
    payoff = api.get(f"/debts/{debt.pk}/payoff?on=2030-01-01").json()
    assert (payoff["payoffAmount"], payoff["asOf"], payoff["currencyCode"]) == ("1100.00", "2030-01-01", "EUR")
    assert api.get(f"/debts/{debt.pk}/payoff?on=tomorrow").json()["errors"][0]["field"] == "on"
    entries = api.get(f"/debts/{debt.pk}/ledger").json()["data"]
    assert entries[1]["components"] == {"principal": "0.00", "interest": "0.00", "costs": "141.05", "fees": "0.00"}
    assert entries[1]["effectiveDate"] == entries[1]["valueDate"]
    answer = api.post(f"/debts/{debt.pk}/ledger/{entries[1]['id']}/reverse", {})
    assert (answer.status_code, "waiver" in answer.json()["detail"]) == (409, True)
    answer = api.post(f"/debts/{debt.pk}/ledger/{entries[2]['id']}/reverse", {})
    assert (answer.status_code, answer.json()["payoffAmount"]) == (201, "1141.05")
    answer = api.post(f"/debts/{debt.pk}/ledger/{entries[1]['id']}/reverse", {})
    assert (answer.status_code, answer.json()["payoffAmount"]) == (201, "1000.00")


def test_the_api_of_what_goes_back(api: Api, api_as: Any):
    debt = german()
    payment = api.post("/payments", {"debtId": str(debt.pk), "amount": 300}).json()
    assert (payment["refundedAmount"], payment["chargedBackAt"]) == ("0.00", None)
    proposed = api.post(f"/payments/{payment['id']}/refund", {"amount": "100", "reason": "Paid twice"})
    assert proposed.status_code == 201, proposed.content
    approved = api_as(factories.agent("Supervisor")).put(f"/refunds/{proposed.json()['id']}/approve")
    assert approved.status_code == 200, approved.content
    refunded = api.get(f"/payments/{payment['id']}").json()
    assert (refunded["refundedAmount"], refunded["status"]) == ("100.00", "completed")
    back = api.post(f"/payments/{payment['id']}/chargeback").json()
    assert (back["refundedAmount"], back["status"], back["chargedBackAt"] is None) == ("300.00", "refunded", False)
    assert api.post(f"/payments/{payment['id']}/chargeback").status_code == 409
    listed = api.get(f"/payments?debt_id={debt.pk}").json()["data"][0]
    assert (listed["refundedAmount"], listed["chargedBackAt"]) == ("300.00", back["chargedBackAt"])
    assert balances(debt) == Components(Decimal(1200))
