"""Charge costs and fees on a debt, waive parts of it, and write parts off. All of them are reversible."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import transaction

from agents import limits
from agents.models import Agent, LimitKind, require_permission
from collection import states
from collection.balances import accounts, ledger, totals
from collection.balances.events import Draft
from collection.claims import allocation, costs
from collection.claims.components import NAMES, Components
from collection.debts import DebtIsClosed
from collection.models import Debt, DebtStatus, LedgerEntry
from collection.tariffs import cost_rules
from creditors.kinds import DebtKind
from ddc.common import days, money
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange

Kind = LedgerEntry.Kind
CHARGE, WAIVE, WRITE_OFF, OTHER_BASIS = (
    "collections.charge_debt",
    "collections.waive_debt",
    "collections.write_off_debt",
    "collections.charge_without_rule",
)
_KINDS = {"costs": Kind.COST, "fees": Kind.FEE}


class Reason(StrEnum):
    """Why a part of a debt is written off."""

    UNCOLLECTIBLE = "uncollectible"
    SMALL_BALANCE = "small_balance"
    TIME_BARRED = "time_barred"
    DECEASED = "deceased"
    AGREED = "agreed"

    @property
    def label(self) -> str:
        return {"small_balance": "Small balance", "time_barred": "Time-barred"}.get(self.value, self.value.capitalize())


class NoSuchRule(Invalid):
    code = "database.exists"
    field = "rule_code"
    message = "No cost rule with this code was in force on the day of the placement."


class RuleDoesNotApply(Invalid):
    field = "rule_code"
    code = "enum"


class AlreadyCharged(DomainError):
    field = "rule_code"
    message = "This debt has a charge by this rule already. Reverse that one first."


class AboveRule(OutOfRange):
    field = "amount"

    def __init__(self, most: str) -> None:
        super().__init__(f"The rule allows {most} at most. Enter a smaller amount.")


class BasisRequired(Missing):
    field = "reason"
    message = (
        "The legal basis is missing. Choose a cost rule, or enter the law or the contract that allows this charge."
    )


class ReasonRequired(Missing):
    field = "reason"
    message = "The reason is missing. Enter why this is waived."


class NothingChosen(Invalid):
    field = "amount"
    code = "range"
    message = "Enter an amount above 0."


class ChargedInFuture(OutOfRange):
    field = "value_date"
    message = "This day has not begun. Enter today or an earlier day."


class NotReversible(DomainError):
    message = "Only a charge, a waiver or a partial write-off that is not reversed yet can be reversed here."


@transaction.atomic
def charge(
    debt: Debt,
    *,
    by: Agent | None,
    today: date,
    component: str = "costs",
    rule_code: str | None = None,
    factor: str = "",
    amount: Decimal | None = None,
    value_date: date | None = None,
    reason: str = "",
    posted_at: datetime | None = None,
) -> Debt:
    """Charge costs or fees by a cost rule in force on the day of the placement, or by another legal basis.

    :param component: ``costs`` or ``fees``; with a rule, the rule's counts
    :param factor: which of the rule's factors
    :param amount: None: all that the rule allows
    :param reason: without a rule, the legal basis; only a role with ``charge_without_rule`` may do that
    :raises Forbidden: if ``by`` may not charge
    :raises DebtIsClosed: if the debt is closed
    :raises NoSuchRule: if no such rule was in force
    :raises RuleDoesNotApply: if the rule is for another country, currency or kind of debt, or has no figure
    :raises AlreadyCharged: if the debt has a charge by the rule
    :raises AboveRule: if the amount is above the rule's
    :raises BasisRequired: without a rule and a reason
    """
    require_permission(by, CHARGE)
    value_date = value_date or today
    _check_day(value_date, today=today)
    debt = _lock_open(debt)
    cause: dict[str, Any] = {"type": "charge", "reason": reason}
    if rule_code:
        rule, most = _most_by_rule(debt, rule_code, factor)
        component, basis = rule.component, {"ruleCode": rule.code, "legalBasis": rule.section}
        _require_new(debt, rule.code)
        if amount is not None and amount > most:
            raise AboveRule(money.text(most, debt.currency_code))
        amount, cause = most if amount is None else amount, cause | basis
    else:
        require_permission(by, OTHER_BASIS)
        if not reason.strip():
            raise BasisRequired
        cause["legalBasis"] = reason
    amount = _checked(amount, debt)
    draft = Draft(_KINDS[component], amount, value_date, cause, Components(**{component: amount}))
    accounts.book(debt, draft, by=by, posted_at=posted_at)
    return debt


@transaction.atomic
def waive(
    debt: Debt,
    components: Mapping[str, Decimal],
    *,
    by: Agent | None,
    today: date,
    reason: str,
    posted_at: datetime | None = None,
) -> Debt:
    """Waive interest, costs, fees or principal of an open debt, with the interest until today.

    :param components: the amount to waive of each component
    :raises Forbidden: if ``by`` may not waive
    :raises AboveLimit: if the sum is above the limit of the agent's role
    :raises ReasonRequired: if the reason is blank
    :raises ExceedsComponent: if less is open
    """
    require_permission(by, WAIVE)
    if not reason.strip():
        raise ReasonRequired
    debt = _lock_open(debt)
    parts = Components(**{name: _checked(part, debt, field=name) for name, part in components.items() if part})
    if not parts:
        raise NothingChosen
    owed = accounts.owed(debt, today)
    if name := next((name for name in NAMES if parts.of(name) > owed.of(name)), None):
        raise ledger.ExceedsComponent(name)
    _require_within(debt, parts.total, LimitKind.WAIVER_AMOUNT, WAIVE, by=by, today=today)
    cause = {"type": "waiver", "reason": reason}
    accounts.book(debt, Draft(Kind.WAIVER, -parts.total, today, cause, -parts), by=by, posted_at=posted_at)
    return debt


@transaction.atomic
def write_off(
    debt: Debt,
    *,
    by: Agent | None,
    today: date,
    reason: Reason,
    amount: Decimal | None = None,
    note: str = "",
) -> Debt:
    """Write off a part of an open debt, or all of it, which closes the debt: as settled if that was agreed.

    :param amount: principal, and what exceeds it the other components; None: all that is owed
    :raises Forbidden: if ``by`` may not write off
    :raises AboveLimit: if the amount is above the limit of the agent's role
    :raises ExceedsBalance: if less is owed
    """
    require_permission(by, WRITE_OFF)
    debt = _lock_open(debt)
    owed = accounts.owed(debt, today)
    if amount is None:
        parts = owed
    elif _checked(amount, debt) > owed.total:
        raise ledger.ExceedsBalance
    else:
        parts = allocation.allocate(amount, owed, allocation.DEFAULT)
    _require_within(debt, parts.total, LimitKind.WRITE_OFF_AMOUNT, WRITE_OFF, by=by, today=today)
    cause = {"reason": reason.value, "note": note}
    if parts == owed:
        status = DebtStatus.SETTLED if reason == Reason.AGREED else DebtStatus.WRITTEN_OFF
        states.close(debt, status, by=by, today=today, cause=cause)
    else:
        accounts.book(debt, Draft(Kind.WRITE_OFF, -parts.total, today, {"type": "write_off"} | cause, -parts), by=by)
    return debt


@transaction.atomic
def undo(debt: Debt, entry_id: Any, *, by: Agent | None, today: date) -> Debt:
    """Reverse a charge, a waiver or a partial write-off; it then counts as never made.

    :raises Forbidden: if ``by`` may not adjust balances
    :raises DebtIsClosed: if the debt is closed
    :raises NotReversible: if the entry is of another kind, or reversed
    :raises ExceedsBalance: if payments have covered a charge
    """
    require_permission(by, "collections.adjust_debt")
    debt = _lock_open(debt, or_paid=True)
    entries = ledger.unreversed(debt, Kind.COST, Kind.FEE, Kind.WAIVER, Kind.WRITE_OFF)
    entry = next((one for one in entries if one.pk == entry_id and one.cause.get("type") != "closing"), None)
    if entry is None:
        raise NotReversible
    if entry.kind in (Kind.COST, Kind.FEE) and any(_shares_component(entry, one) for one in entries):
        raise NotReversible("A part of this was waived. Reverse the waiver first.")
    accounts.book(debt, accounts.reversal(entry, today, {"type": "undone"}), by=by)
    return debt


def _shares_component(entry: LedgerEntry, waiver: LedgerEntry) -> bool:
    return waiver.kind == Kind.WAIVER and bool((entry.costs and waiver.costs) or (entry.fees and waiver.fees))


def _most_by_rule(debt: Debt, code: str, factor: str) -> tuple[Any, Decimal]:
    """Return a rule and what it allows to charge on a debt; its claim is the principal as it was placed."""
    rule = cost_rules.in_force(code, debt.placement_date)
    if rule is None:
        raise NoSuchRule
    parties = "b2b" if debt.creditor.debt_kind == DebtKind.BUSINESS else "b2c"
    if rule.countries and (debt.debtor.country_code or "") not in rule.countries:
        raise RuleDoesNotApply(f"This rule is for debtors in {', '.join(sorted(rule.countries))}.")
    if rule.currency_code != debt.currency_code:
        raise RuleDoesNotApply(f"This rule has amounts in {rule.currency_code}.")
    if rule.parties not in ("any", parties):
        raise RuleDoesNotApply("This rule is for another kind of debt.")
    placed = Components.sum(ledger.components_of(entry) for entry in ledger.unreversed(debt, Kind.PLACEMENT))
    try:
        return rule, costs.charge(rule.value, placed.principal, factor=factor)
    except costs.NoFigure as fault:
        raise RuleDoesNotApply(str(fault), field="factor" if rule.value.table.factors else "rule_code") from fault


def _require_new(debt: Debt, code: str) -> None:
    if any(entry.cause.get("ruleCode") == code for entry in ledger.unreversed(debt, Kind.COST, Kind.FEE)):
        raise AlreadyCharged


def _require_within(
    debt: Debt, amount: Decimal, kind: LimitKind, permission: str, *, by: Agent | None, today: date
) -> None:
    """Check the limit of the agent's role. Without one, only a role that may adjust balances may do this."""
    if kind not in limits.of(by).by_kind:
        require_permission(by, "collections.adjust_debt")
    value = totals.in_reporting_currency(amount, debt.currency_code, today=today)
    limits.require(by, {kind: value}, permission=permission)


def _lock_open(debt: Debt, *, or_paid: bool = False) -> Debt:
    debt = ledger.lock_debt(debt.pk)
    if not debt.is_open and not (or_paid and debt.current_status == DebtStatus.PAID):
        raise DebtIsClosed
    return debt


def _checked(amount: Decimal | None, debt: Debt, *, field: str = "amount") -> Decimal:
    if amount is None or amount <= 0:
        raise NothingChosen(field=field)
    return money.check(amount, debt.currency_code, field=field)


def _check_day(day: date, *, today: date) -> None:
    days.plausible("payment_date", today=today).check(day, field="value_date")
    if day > today:
        raise ChargedInFuture
