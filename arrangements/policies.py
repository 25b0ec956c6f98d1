"""The rules of a creditor and a role for arrangements, and what an arrangement beyond them needs.

A creditor's own rule comes before the agency's; an empty field is no rule. Beyond the creditor's rule its consent is needed,
beyond the agency's rule or the role's limit another person approves.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import transaction

from agents import limits
from agents.limits import Values
from agents.models import Agent, LimitKind, require_permission
from arrangements.models import ArrangementPolicy, Interest
from creditors.models import Creditor
from ddc.common import money


class Needed(StrEnum):
    """The approval or consent that an arrangement beyond a rule needs."""

    APPROVAL = "approval"
    CONSENT = "consent"


@dataclass(frozen=True)
class Need:
    """One rule that an arrangement exceeds, in words, and what that needs."""

    kind: Needed
    text: str


@dataclass(frozen=True)
class Terms:
    """The rules for one creditor and currency. None: there is no such rule."""

    min_instalment: Decimal | None = None
    max_months: int | None = None
    max_days_to_first: int | None = None
    # Without a rule no creditor has agreed to give up a part of its claim.
    min_settlement_percent: Decimal = Decimal(100)
    offer_valid_days: int = 14
    grace_days: int = 3
    tolerance_amount: Decimal = Decimal(0)
    tolerance_percent: Decimal = Decimal(0)
    missed_to_break: int = 1
    self_reinstate_days: int = 30
    delay_days: int = 0
    clearing_days: int = 0
    interest: str = Interest.RUNS.value
    budget_percent: Decimal = Decimal(50)


@dataclass(frozen=True)
class Rules:
    """The terms, the version of the policy that gives them, and the names of those that are the creditor's own."""

    terms: Terms
    policy: ArrangementPolicy | None
    of_creditor: frozenset[str]


_NAMES = [field.name for field in fields(Terms)]
#: How a rule is called, by whether it is the creditor's own.
_ORIGIN = {True: "Creditor's rule", False: "Agency's rule"}


def rules(creditor: Creditor, currency: str) -> Rules:
    """Return the rules for a creditor's debts in a currency, with one query."""
    found = ArrangementPolicy.objects.filter(currency_code=currency, replaced_at=None, creditor=creditor)
    found |= ArrangementPolicy.objects.filter(currency_code=currency, replaced_at=None, creditor=None)
    rows = sorted(found, key=lambda row: row.creditor_id is None, reverse=True)  # The creditor's own row last.
    values: dict[str, Any] = {}
    own: set[str] = set()
    for row in rows:
        given = {name: value for name in _NAMES if (value := getattr(row, name)) is not None}
        values |= given
        own = set(given) if row.creditor_id else own
    # A creditor that never said so has agreed to no settlement.
    own |= {"min_settlement_percent"} - values.keys()
    return Rules(Terms(**values), rows[-1] if rows else None, frozenset(own))


def needs(
    rules: Rules,
    *,
    by: Agent | None,
    currency: str,
    instalment: Decimal,
    months: int,
    days_to_first: int,
    settlement_percent: Decimal | None,
) -> list[Need]:
    """Return what an arrangement needs. Empty: ``by`` may agree to it alone. A debtor (None) has no limits of a role.

    :param instalment: the base instalment, in the arrangement's currency
    :param settlement_percent: what is paid, in percent of the balance; None: it is no settlement
    """
    terms = rules.terms
    exceeded: list[tuple[str, str]] = []
    if terms.min_instalment is not None and instalment < terms.min_instalment:
        least = money.text(terms.min_instalment, currency)
        exceeded.append(("min_instalment", f"An instalment is at least {least} {currency}."))
    if terms.max_months is not None and months > terms.max_months:
        exceeded.append(("max_months", f"It ends within {terms.max_months} months."))
    if terms.max_days_to_first is not None and days_to_first > terms.max_days_to_first:
        exceeded.append(("max_days_to_first", f"The first instalment is due within {terms.max_days_to_first} days."))
    if settlement_percent is not None and settlement_percent < terms.min_settlement_percent:
        least = f"{terms.min_settlement_percent.normalize():f}"
        exceeded.append(("min_settlement_percent", f"A settlement is at least {least} % of the balance."))
    found = [
        Need(
            Needed.CONSENT if name in rules.of_creditor else Needed.APPROVAL,
            f"{_ORIGIN[name in rules.of_creditor]}: {text}",
        )
        for name, text in exceeded
    ]
    for limit in limits.of(by).exceeded(values(months=months, settlement_percent=settlement_percent)):
        found.append(Need(Needed.APPROVAL, f"Limit of the role: {limit}."))
    return found


def months(first: date, last: date) -> int:
    """Return in how many months from a first day a last one lies: a day more than twelve months is thirteen."""
    whole = (last.year - first.year) * 12 + last.month - first.month
    return whole + (last.day > first.day)


def values(*, months: int, settlement_percent: Decimal | None) -> Values:
    """Return the values that the limits of roles are compared with."""
    compared: dict[LimitKind, Decimal | int | None] = {LimitKind.ARRANGEMENT_MONTHS: months}
    if settlement_percent is not None:
        compared[LimitKind.ARRANGEMENT_DISCOUNT_PERCENT] = 100 - settlement_percent
    return compared


@transaction.atomic
def publish(policy: ArrangementPolicy, *, by: Agent, now: datetime) -> ArrangementPolicy:
    """Save a policy as a new version, which replaces the one for the same creditor and currency.

    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "arrangements.change_arrangementpolicy")
    scope = ArrangementPolicy.objects.filter(creditor=policy.creditor, currency_code=policy.currency_code)
    before = scope.filter(replaced_at=None).select_for_update().first()
    scope.filter(replaced_at=None).update(replaced_at=now, updated_at=now)
    policy.version = before.version + 1 if before else 1
    policy.by = by
    policy.save(force_insert=True)
    return policy
