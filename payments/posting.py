"""Record, amend and void payments, and post them to the ledger.

A completed payment lowers its debt's balance in the same transaction, and only a completed one does. A change of a posted
payment is a reversal and a new entry.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Required, TypedDict, Unpack

from django.db import models, transaction
from django.utils import timezone

from agents.models import Agent, require_permission
from collection.balances import accounts, ledger, terms
from collection.balances.events import Draft
from collection.claims.allocation import Policy
from collection.debts import DebtIsClosed
from collection.models import Debt, DebtStatus, LedgerEntry
from ddc.common import days, money
from ddc.common.errors import DomainError, Invalid, OutOfRange, refusing, require_unchanged
from payments import funding, locks
from payments.models import Payment, PaymentStatus

Kind = LedgerEntry.Kind
_RETURNS = (Kind.CHARGEBACK, Kind.REFUND)
#: Money that arrived, or an attempt that is over, has a day that has begun. Only a pending payment may lie ahead.
_OVER = (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
#: Debts that take no payments.
_REFUSING = (DebtStatus.SETTLED, DebtStatus.RECALLED)
#: Payments on these debts cannot be reversed: the balance was written off or went back to the creditor.
_FROZEN = (DebtStatus.SETTLED, DebtStatus.WRITTEN_OFF, DebtStatus.RECALLED)


class Overpayment(models.TextChoices):
    """How to treat a payment of more than is open."""

    REFUSE = "refuse"
    CREDIT = "credit"


class CurrencyMismatch(Invalid):
    code = "enum"
    field = "currency_code"

    def __init__(self, currency: str) -> None:
        super().__init__(f"The debt is in {currency}. Enter the payment in that currency.")


class PaidInFuture(OutOfRange):
    field = "payment_date"
    message = "This day has not begun anywhere yet. Enter the day of the payment, or record it as pending."


class DirectionRefused(Invalid):
    """The law lets the creditor refuse the debtor's direction."""

    field = "allocation"

    def __init__(self, policy: Policy) -> None:
        super().__init__(
            f"{policy.code} ({policy.section}) does not let the debtor choose what a payment covers. Leave this empty."
        )


class DuplicateTransaction(DomainError):
    code = "database.unique"
    field = "processor_txn_id"
    message = "A payment with this transaction id exists already."


class PartlyReturned(DomainError):
    message = "A part of this payment went back, so its money is fixed. Delete the payment to undo all of it."


_CONSTRAINTS: dict[str, DomainError] = {"payment_processor_txn_id_is_unique": DuplicateTransaction()}


class PaymentFields(TypedDict, total=False):
    """Fields of a payment. The defaults are the debt's currency, method "other", status "completed" and today.

    ``allocation`` names the components that the debtor wants to pay first.
    """

    amount: Required[Decimal]
    currency_code: str | None
    payment_method: str
    status: str
    processor_txn_id: str | None
    payment_date: date | None
    allocation: list[str]


@transaction.atomic
def record(
    *,
    debt: Debt,
    by: Agent | None,
    today: date,
    begun: date | None = None,
    now: datetime | None = None,
    overpayment: str = Overpayment.REFUSE,
    **fields: Unpack[PaymentFields],
) -> Payment:
    """Record a payment for a debt, in the debt's currency. Only the id of ``debt`` is used.

    :param today: the agency's day, the default of ``payment_date``
    :param begun: the latest day that has begun anywhere on earth; None: the day after ``today``
    :param now: the time of recording; None: the clock's
    :param overpayment: how to treat more than is open on a completed payment: refuse it, or keep it as the person's credit with a
        receipt of the whole; the payment is then what was open
    :raises PaidInFuture: if the payment is completed on a day that has not begun
    :raises ImplausibleDate: if the day is likely a typing error
    :raises BadAmount: if the amount has more decimals than the currency
    :raises NoSuchDebt: if the debt does not exist
    :raises CurrencyMismatch: if the currency differs from the debt's
    :raises DirectionRefused: if the debtor may not choose what the payment covers
    :raises ExceedsBalance: if the payment is completed and exceeds the open balance
    :raises DebtIsClosed: if the payment is completed and the debt is settled or recalled
    :raises DuplicateTransaction: if the processor's transaction was recorded before
    """
    debt = locks.lock_debts({debt.pk})[debt.pk]
    fields["currency_code"] = fields.get("currency_code") or debt.currency_code
    fields["payment_date"] = fields.get("payment_date") or today
    payment = Payment(debt=debt, recorded_by=by, **({"created_at": now} if now else {}), **fields)
    _check(payment, debt)
    payment.amount = money.check(payment.amount, debt.currency_code, field="amount")
    _check_day(payment, today=today, begun=begun)
    whole = payment.amount
    if payment.status == PaymentStatus.REFUNDED:
        payment.refunded_amount = whole
    if overpayment == Overpayment.CREDIT and payment.status == PaymentStatus.COMPLETED and debt.current_balance > 0:
        payment.amount = min(whole, accounts.largest_payment(debt, payment.payment_date)) or whole
    # The insert comes first, so that a repeated transaction is refused as a duplicate and not for the balance.
    with refusing(_CONSTRAINTS, savepoint=False):
        payment.save(force_insert=True)
    if payment.status == PaymentStatus.COMPLETED:
        accounts.book(debt, _draft(payment), by=by, posted_at=now)
    if whole > payment.amount:
        funding.keep_excess(payment, debt, whole=whole, by=by, now=now or payment.created_at)
    return payment


@transaction.atomic
def amend(
    payment: Payment,
    *,
    by: Agent | None,
    today: date,
    begun: date | None = None,
    now: datetime | None = None,
    if_unchanged_since: datetime | None = None,
    **fields: Any,
) -> Payment:
    """Change a payment. Another amount, status, date, debt or transaction reverses the posted entry and posts a new one.

    :raises Forbidden: if a posted entry is to be reversed and ``by`` may not
    :raises Stale: if money is to change and the payment has changed since ``if_unchanged_since``
    :raises PartlyReturned: if money is to change and a part of it went back
    :raises DomainError: as ``record`` does
    """
    target: Debt | None = fields.pop("debt", None)
    payment, debts = locks.lock(payment.pk, target)
    before, transaction_before = _money_of(payment), payment.processor_txn_id
    source = debts[payment.debt_id]
    was_posted = payment.status == PaymentStatus.COMPLETED
    payment.debt = debts[target.pk] if target else source
    if fields.get("payment_date", today) is None:
        fields["payment_date"] = today
    if "currency_code" in fields:
        fields["currency_code"] = fields["currency_code"] or payment.debt.currency_code
    for name, value in fields.items():
        setattr(payment, name, value)
    _check(payment, payment.debt)
    checked = money.check if "amount" in fields else money.recheck
    payment.amount = checked(payment.amount, payment.debt.currency_code, field="amount")
    moves = _money_of(payment) != before
    # The transaction's id guards against recording it twice. Once posted, it is fixed like the money, and changed with a trail.
    moves = moves or (was_posted and payment.processor_txn_id != transaction_before)
    if moves:
        require_unchanged(payment.updated_at, since=if_unchanged_since)
        if payment.refunded_amount and ledger.unreversed(source, *_RETURNS, payment_id=payment.pk):
            raise PartlyReturned
        _check_day(payment, today=today, begun=begun)
    reversals: list[Draft] = []
    if moves and was_posted:
        require_permission(by, "payments.reverse_payment")
        if (before.amount, before.status) != (payment.amount, payment.status):
            funding.require_unfunded(payment.pk)
        reversals = _reversals(payment, source, today=today, cause=cause_of("payment_amended", payment))
    if moves:
        payment.refunded_amount = payment.amount if payment.status == PaymentStatus.REFUNDED else Decimal(0)
    with refusing(_CONSTRAINTS):
        payment.save()
    new = [_draft(payment)] if payment.status == PaymentStatus.COMPLETED and (moves or not was_posted) else []
    if payment.debt == source and (reversals or new):
        accounts.book(source, *reversals, *new, by=by, posted_at=now)
    elif reversals or new:
        accounts.book(source, *reversals, by=by, posted_at=now)
        accounts.book(payment.debt, *new, by=by, posted_at=now)
    return payment


@transaction.atomic
def void(payment: Payment, *, by: Agent | None, today: date) -> None:
    """Delete a payment and reverse its entry. The ledger keeps a copy of its fields.

    Money from a receipt waits in suspense again; money from a credit is in the credit again.

    :raises DebtIsClosed: if it was posted and its debt is settled, written off or recalled
    """
    payment, debts = locks.lock(payment.pk)
    debt = debts[payment.debt_id]
    if payment.status == PaymentStatus.COMPLETED or payment.refunded_amount:
        drafts = _reversals(payment, debt, today=today, cause=cause_of("payment_voided", payment))
        accounts.book(debt, *drafts, by=by)
        funding.release(payment.pk, by=by, now=timezone.now())
    else:
        funding.require_unfunded(payment.pk)
    payment.delete()


def _check(payment: Payment, debt: Debt) -> None:
    if payment.currency_code != debt.currency_code:
        raise CurrencyMismatch(debt.currency_code)
    if payment.allocation and not (policy := terms.policy_of(debt)).direction_wins:
        raise DirectionRefused(policy)


def _check_day(payment: Payment, *, today: date, begun: date | None) -> None:
    days.plausible("payment_date", today=today).check(payment.payment_date, field="payment_date")
    if payment.status in _OVER and payment.payment_date > (begun or days.later(today, days=1)):
        raise PaidInFuture


def _draft(payment: Payment) -> Draft:
    if payment.debt.current_status in _REFUSING:
        raise DebtIsClosed
    cause = cause_of("payment", payment)
    return Draft(Kind.PAYMENT, -payment.amount, payment.payment_date, cause, payment_id=payment.pk)


def _reversals(payment: Payment, debt: Debt, *, today: date, cause: dict[str, Any]) -> list[Draft]:
    """Return the reversals of all that a payment has posted, with what went back of it."""
    if debt.current_status in _FROZEN:
        raise DebtIsClosed("This debt is closed. Reopen it before you reverse a payment.")
    entries = ledger.unreversed(debt, Kind.PAYMENT, *_RETURNS, payment_id=payment.pk)
    return [accounts.reversal(entry, today, cause) for entry in entries]


class _Money(NamedTuple):
    """The fields of a payment that the ledger has."""

    debt_id: uuid.UUID
    amount: Decimal
    currency_code: str
    status: str
    payment_date: date
    allocation: tuple[str, ...]


def _money_of(payment: Payment) -> _Money:
    return _Money(
        payment.debt_id,
        payment.amount,
        payment.currency_code,
        payment.status,
        payment.payment_date,
        tuple(payment.allocation),
    )


def cause_of(kind: str, payment: Payment) -> dict[str, Any]:
    """Return the copy of a payment that the ledger keeps."""
    directed = {"direction": payment.allocation} if payment.allocation else {}
    return {
        "type": kind,
        "paymentId": str(payment.pk),
        "amount": money.text(payment.amount, payment.currency_code),
        "currencyCode": payment.currency_code,
        "paymentMethod": payment.payment_method,
        "status": payment.status,
        "processorTxnId": payment.processor_txn_id,
        "paymentDate": payment.payment_date.isoformat(),
        **directed,
    }
