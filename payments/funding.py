"""Where the money of payments, credits and refunds lies: the rows of receipts and credits, which only this module writes.

Locks are taken in one order: debts, payments, receipts, credits. An amount is only added under the lock of its receipt or credit.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from agents.models import Agent
from collection.models import Debt
from ddc.common.errors import DomainError, OutOfRange
from ddc.common.money import money_field
from payments.models import Credit, CreditEntry, Payment, PaymentMethod, Receipt, ReceiptAllocation, Suspense

Kind = ReceiptAllocation.Kind
_ZERO = Decimal(0)
#: The receipt's source of a payment that was recorded with more than was open.
_SOURCES = {
    PaymentMethod.BANK_TRANSFER: Receipt.Source.BANK,
    PaymentMethod.CARD: Receipt.Source.PROVIDER,
    PaymentMethod.DIRECT_DEBIT: Receipt.Source.BANK,
    PaymentMethod.CASH: Receipt.Source.CASH,
    PaymentMethod.CHEQUE: Receipt.Source.CHEQUE,
    PaymentMethod.WALLET: Receipt.Source.PROVIDER,
}


class ExceedsReceipt(OutOfRange):
    field = "amount"
    message = "This is more than what is left of the receipt. Enter a smaller amount."


class ExceedsCredit(OutOfRange):
    field = "amount"
    message = "This is more than the credit. Enter a smaller amount."


class IsFunded(DomainError):
    """The payment takes its money from a receipt or a credit."""

    message = "This payment comes from a receipt or a credit. Undo its booking there, and book the money again."


def lock_receipts(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Receipt]:
    """Lock receipts in the order of their ids until the transaction ends."""
    rows = Receipt.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {receipt.pk: receipt for receipt in rows}


def lock_receipt(receipt_id: uuid.UUID) -> Receipt:
    return lock_receipts([receipt_id])[receipt_id]


def lock_credit(credit_id: uuid.UUID) -> Credit:
    return Credit.objects.select_for_update(no_key=True).get(pk=credit_id)


def credit_of(debtor_id: uuid.UUID, creditor_id: uuid.UUID, currency: str) -> Credit:
    """Return the credit of a person with a creditor, locked; create it if there is none."""
    account = {"debtor_id": debtor_id, "creditor_id": creditor_id, "currency_code": currency}
    Credit.objects.bulk_create([Credit(**account)], ignore_conflicts=True)
    return Credit.objects.select_for_update(no_key=True).get(**account)


def rest(receipt: Receipt) -> Decimal:
    """Return what of a receipt is not booked; negative for a charge-back that is not paid for."""
    booked = ReceiptAllocation.objects.filter(receipt=receipt).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    left: Decimal = receipt.amount - booked
    return left


def with_rest(receipts: "QuerySet[Receipt]") -> "QuerySet[Receipt]":
    """Annotate receipts with ``rest``, as the function computes it."""
    rows = ReceiptAllocation.objects.filter(receipt=OuterRef("pk"))
    return receipts.annotate(rest=F("amount") - _sum_of(rows, "receipt"))


def balance(credit: Credit) -> Decimal:
    """Return what a credit has."""
    found: Decimal = CreditEntry.objects.filter(credit=credit).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    return found


def with_balance(credits: "QuerySet[Credit]") -> "QuerySet[Credit]":
    """Annotate credits with ``balance``, as the function computes it."""
    return credits.annotate(balance=_sum_of(CreditEntry.objects.filter(credit=OuterRef("pk")), "credit"))


def _sum_of(rows: "QuerySet[Any]", key: str) -> Coalesce:
    summed = rows.order_by().values(key).annotate(sum=Sum("amount")).values("sum")
    return Coalesce(Subquery(summed), _ZERO, output_field=money_field())


def allocate(
    receipt: Receipt,
    kind: ReceiptAllocation.Kind,
    amount: Decimal,
    *,
    by: Agent | None,
    now: datetime,
    why: str = "",
    **target: Any,
) -> ReceiptAllocation:
    """Book a part of a locked receipt. ``target`` names the payment, credit, refund or other receipt.

    :raises ExceedsReceipt: if less is left
    """
    left = rest(receipt)
    if abs(amount) > abs(left) or (amount > 0) != (left > 0):
        raise ExceedsReceipt
    made = ReceiptAllocation.objects.create(
        receipt=receipt, kind=kind, amount=amount, by=by, why=why, created_at=now, **target
    )
    if made.credit is not None:
        CreditEntry.objects.create(
            credit=made.credit, kind=CreditEntry.Kind.RECEIPT, amount=amount, allocation=made, by=by, created_at=now
        )
    return made


def reverse_allocation(allocation: ReceiptAllocation, *, by: Agent | None, now: datetime) -> None:
    """Book a part back into its receipt, which is locked. The caller undoes its other side."""
    target = {name: getattr(allocation, name) for name in ("kind", "payment_id", "credit", "refund", "counterpart")}
    ReceiptAllocation.objects.create(
        receipt=allocation.receipt, amount=-allocation.amount, reverses=allocation, by=by, created_at=now, **target
    )


def keep_suspense(receipt: Receipt, reason: Suspense.Reason, *, now: datetime) -> None:
    """Let a locked receipt wait in suspense while something of it is left. One that waits already keeps its reason."""
    if rest(receipt) == 0:
        Suspense.objects.filter(receipt=receipt).delete()
    else:
        Suspense.objects.get_or_create(receipt=receipt, defaults={"reason": reason, "since": now})


def add_entry(
    credit: Credit, kind: CreditEntry.Kind, amount: Decimal, *, by: Agent | None, now: datetime, **cause: Any
) -> CreditEntry:
    """Change a locked credit.

    :raises ExceedsCredit: if it would fall below 0
    """
    if balance(credit) + amount < 0:
        raise ExceedsCredit
    return CreditEntry.objects.create(credit=credit, kind=kind, amount=amount, by=by, created_at=now, **cause)


def reverse_entry(entry: CreditEntry, *, by: Agent | None, now: datetime) -> None:
    """Undo a change of a credit, which is locked.

    :raises ExceedsCredit: if what was added has been used
    """
    same = {"allocation": None, "payment_id": entry.payment_id, "refund": entry.refund}
    add_entry(entry.credit, CreditEntry.Kind.REVERSAL, -entry.amount, by=by, now=now, reverses=entry, **same)


def keep_excess(payment: Payment, debt: Debt, *, whole: Decimal, by: Agent | None, now: datetime) -> Receipt:
    """Record the receipt of a payment that brought more than was open on its debt, and make the rest the person's credit."""
    receipt = Receipt.objects.create(
        source=_SOURCES.get(PaymentMethod(payment.payment_method), Receipt.Source.OTHER),
        provider="payments" if payment.processor_txn_id else "",
        provider_id=payment.processor_txn_id,
        amount=whole,
        currency_code=payment.currency_code,
        reference=debt.external_reference or "",
        value_date=payment.payment_date,
        recorded_by=by,
        created_at=now,
    )
    credit = credit_of(debt.debtor_id, debt.creditor_id, debt.currency_code)
    why = "Recorded as a payment of this debt"
    allocate(receipt, Kind.PAYMENT, payment.amount, by=by, now=now, why=why, payment_id=payment.pk)
    allocate(receipt, Kind.CREDIT, whole - payment.amount, by=by, now=now, why="More than was open", credit=credit)
    return receipt


def sources_of(payment_id: uuid.UUID) -> tuple[list[ReceiptAllocation], list[CreditEntry]]:
    """Return the unreversed allocations and credit entries that a payment takes its money from."""
    allocations = ReceiptAllocation.objects.filter(payment_id=payment_id, reverses=None, reversed_by=None)
    entries = CreditEntry.objects.filter(payment_id=payment_id, reverses=None, reversed_by=None)
    return list(allocations), list(entries)


def release(payment_id: uuid.UUID, *, by: Agent | None, now: datetime) -> None:
    """Give the money of a payment that is voided back to its receipt, which then waits in suspense, or to its credit."""
    allocations, entries = sources_of(payment_id)
    receipts = lock_receipts({one.receipt_id for one in allocations})
    for allocation in allocations:
        allocation.receipt = receipts[allocation.receipt_id]
        reverse_allocation(allocation, by=by, now=now)
        keep_suspense(allocation.receipt, Suspense.Reason.UNDONE, now=now)
    for entry in entries:
        entry.credit = lock_credit(entry.credit_id)
        reverse_entry(entry, by=by, now=now)


def require_unfunded(payment_id: uuid.UUID) -> None:
    """Check that a payment takes its money from no receipt and no credit.

    :raises IsFunded: if it does
    """
    if any(sources_of(payment_id)):
        raise IsFunded
