"""The sums that a debtor may pay now: from 1.00 to the payoff of their debts, which is valid until midnight where they are."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from arrangements import assessment
from arrangements.models import Arrangement, Kind
from collection.balances import accounts
from collection.models import Debt
from ddc.common import money
from ddc.common.errors import DomainError, Invalid, OutOfRange
from debtors import calendars
from debtors.models import Debtor
from payments import receipts_matching

#: The smallest payment, in any currency; a smaller payoff may be paid all the same.
LEAST = Decimal(1)
_MOST_DEBTS = 50


class NothingToPay(DomainError):
    message = "There is nothing to pay on these debts."


class OneCurrency(Invalid):
    field = "debts"
    message = "These debts are in different currencies. Pay them one after the other."


class NoSuchDebt(Invalid):
    code = "database.exists"
    field = "debts"
    message = "This resource does not exist."


class NotPayable(OutOfRange):
    field = "amount"

    def __init__(self, least: Decimal, most: Decimal, currency: str) -> None:
        self.least, self.most, self.currency = least, most, currency
        smallest, largest = money.text(least, currency), money.text(most, currency)
        super().__init__(f"Enter an amount from {smallest} to {largest} {currency}.")


@dataclass(frozen=True)
class Payable:
    """An open debt, and the most that may be paid on it on the debtor's ``day``: without what is disputed."""

    debt: Debt
    payoff: Decimal


@dataclass(frozen=True)
class Suggested:
    """The next payment of an arrangement: an instalment, or what is left of a settlement."""

    arrangement: Arrangement
    debt_ids: list[uuid.UUID]
    amount: Decimal
    due_on: date

    @property
    def is_settlement(self) -> bool:
        return self.arrangement.kind == Kind.SETTLEMENT


def of(debtor: Debtor, *, now: datetime) -> list[Payable]:
    """Return the debts on which a debtor may pay, in the order in which a receipt pays them."""
    day = calendars.today(debtor, at=now)
    debts = Debt.objects.open().filter(debtor=debtor).select_related("creditor", "debtor")
    rows = receipts_matching.in_order(debts[:_MOST_DEBTS], on=day)
    return [one for debt in rows if not debt.is_fully_disputed and (one := _payable(debt, day)).payoff > 0]


def _payable(debt: Debt, day: date) -> Payable:
    most = accounts.largest_payment(debt, day) - debt.disputed_amount
    return Payable(debt, money.rounded(most, debt.currency_code))


def suggested(debtor: Debtor, *, now: datetime) -> list[Suggested]:
    """Return the next payment of each active arrangement, the one due first first."""
    rows = {
        one.pk: one
        for one in Arrangement.objects.filter(debtor=debtor, status=Arrangement.Status.ACTIVE).prefetch_related("parts")
    }
    steps = assessment.steps(rows.keys(), day=calendars.today(debtor, at=now)) if rows else {}
    found = [
        Suggested(
            arrangement,
            [part.debt_id for part in arrangement.parts.all()],
            money.rounded(step.open, arrangement.currency_code),
            step.due_on,
        )
        for pk, arrangement in rows.items()
        if (step := assessment.next_of(steps[pk]))
    ]
    return sorted(found, key=lambda one: (one.due_on, one.arrangement.pk))


def chosen(debtor: Debtor, debt_ids: Collection[uuid.UUID], *, now: datetime) -> list[Payable]:
    """Return the debts that a debtor chose to pay.

    :raises NoSuchDebt: if one of them is not the debtor's
    :raises NothingToPay: if none of them takes a payment
    :raises OneCurrency: if they are in different currencies
    """
    if Debt.objects.filter(debtor=debtor, pk__in=debt_ids).count() < len(set(debt_ids)):
        raise NoSuchDebt
    found = [one for one in of(debtor, now=now) if one.debt.pk in debt_ids]
    if not found:
        raise NothingToPay
    if len({one.debt.currency_code for one in found}) > 1:
        raise OneCurrency
    return found


def most(payables: Sequence[Payable]) -> Decimal:
    return sum((one.payoff for one in payables), Decimal(0))


def check(payables: Sequence[Payable], amount: Decimal) -> Decimal:
    """Return an amount in the debts' currency, if it may be paid on them.

    :raises BadAmount: if it has more decimals than the currency
    :raises NotPayable: if it is less than 1.00 or more than the payoff
    """
    currency = payables[0].debt.currency_code
    amount = money.check(amount, currency, field="amount")
    largest = most(payables)
    least = min(LEAST, largest)
    if not least <= amount <= largest:
        raise NotPayable(least, largest, currency)
    return amount
