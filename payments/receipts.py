"""Record receipts, book them to debts and credits, and undo a booking. The rest waits in suspense with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Required, TypedDict, Unpack

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal

from agents.models import Agent, require_permission
from collection.balances import ledger
from collection.debts import DebtIsClosed
from collection.models import Debt, DebtStatus
from creditors.models import Creditor
from ddc.common import days, money
from ddc.common.errors import DomainError, refusing
from payments import funding, locks, posting, receipts_matching
from payments.funding import Kind
from payments.models import Payment, PaymentMethod, Receipt, ReceiptAllocation, Suspense

Reason = Suspense.Reason
#: Sent with ``receipt`` and ``now`` after a receipt was booked as soon as it came.
booked = Signal()
_METHODS = {
    Receipt.Source.BANK: PaymentMethod.BANK_TRANSFER,
    Receipt.Source.CASH: PaymentMethod.CASH,
    Receipt.Source.CHEQUE: PaymentMethod.CHEQUE,
    Receipt.Source.PROVIDER: PaymentMethod.CARD,
}


class AlreadyRecorded(DomainError):
    """The provider has reported this receipt before."""

    code = "database.unique"
    field = "provider_id"
    message = "A receipt with this id of the provider exists already."


class NothingLeft(DomainError):
    """The receipt is booked; another agent may have been first."""

    @classmethod
    def of(cls, receipt: Receipt) -> "NothingLeft":
        last = ReceiptAllocation.objects.filter(receipt=receipt).select_related("by").first()
        if last is None:
            return cls("Nothing is left of this receipt.")
        return cls(
            f"Nothing is left of this receipt. {last.by or 'The system'} booked it at {last.created_at:%H:%M} UTC."
        )


class AlreadyReversed(DomainError):
    message = "This booking has been undone already."


class NotReversible(DomainError):
    message = "This is not undone here. A refund is rejected instead, and a reversal stays."


class ReceiptFields(TypedDict, total=False):
    """Fields of a receipt; the value date is today if it is left out."""

    source: Required[str]
    amount: Required[Decimal]
    currency_code: Required[str]
    provider: str
    provider_id: str | None
    reference: str
    payer_name: str
    payer_account: str
    creditor: Creditor | None
    value_date: date | None


@dataclass(frozen=True)
class Line:
    """A part of a receipt to book: to a debt, or to the credit of its person with its creditor.

    :ivar allocation: the components of the debt that the debtor wants to pay first
    """

    debt: Debt
    amount: Decimal
    to_credit: bool = False
    allocation: Sequence[str] = ()


@transaction.atomic
def record(
    *,
    by: Agent | None,
    today: date,
    now: datetime,
    debts: Sequence[Debt] | None = None,
    why: str = "Same reference",
    **fields: Unpack[ReceiptFields],
) -> Receipt:
    """Record a receipt, and book it if its reference names debts of one person with one creditor that can take it.

    What exceeds the debts becomes the person's credit with the creditor. Whatever else comes waits in suspense.

    :param debts: those of one person that the payer chose, in the place of those that the reference names
    :raises BadAmount: if the amount has more decimals than the currency
    :raises ImplausibleDate: if the day is likely a typing error
    :raises PaidInFuture: if the day has not begun anywhere
    :raises AlreadyRecorded: if the provider's id was recorded before
    """
    receipt = Receipt(
        **{"recorded_by": by, "created_at": now, **fields, "value_date": fields.get("value_date") or today}
    )
    receipt.amount = money.check(receipt.amount, receipt.currency_code, field="amount")
    days.plausible("payment_date", today=today).check(receipt.value_date, field="value_date")
    if receipt.value_date > days.begun(now):
        raise posting.PaidInFuture(field="value_date")
    # Debts are locked before receipts, and read again under their lock.
    found = receipts_matching.by_reference(receipt.reference, creditor=receipt.creditor) if debts is None else debts
    locked = list(ledger.lock_existing([debt.pk for debt in found]).values())
    with refusing({"receipt_is_recorded_once": AlreadyRecorded()}):
        receipt.save(force_insert=True)
    lines, reason = receipts_matching.decide(receipt, locked, is_chosen=debts is not None, today=today)
    _book(receipt, [Line(*line) for line in lines], by=by, today=today, now=now, why=why, reason=reason)
    if lines:
        booked.send(Receipt, receipt=receipt, now=now)
    return receipt


@transaction.atomic
def book(
    receipt: Receipt, lines: Sequence[Line], *, by: Agent | None, today: date, now: datetime, why: str = ""
) -> list[ReceiptAllocation]:
    """Book parts of a receipt. A part for a debt is a completed payment with the receipt's value date.

    :raises NothingLeft: if all of it is booked
    :raises ExceedsReceipt: if the parts are more than what is left
    :raises DomainError: as ``posting.record`` does
    """
    ledger.lock_debts({line.debt.pk for line in lines})
    receipt = _with_something_left(receipt)
    return _book(receipt, lines, by=by, today=today, now=now, why=why, reason=Reason.REST)


@transaction.atomic
def book_to(
    receipt: Receipt,
    debt: Debt,
    *,
    by: Agent | None,
    today: date,
    now: datetime,
    why: str = "",
    allocation: Sequence[str] = (),
) -> list[ReceiptAllocation]:
    """Book what is left of a receipt to a debt, and what exceeds it to the credit of its person; see ``book``."""
    debt = ledger.lock_debt(debt.pk)
    receipt = _with_something_left(receipt)
    parts = receipts_matching.pay([debt], funding.rest(receipt), on=receipt.value_date)
    lines = [Line(*part, allocation) for part in parts]
    return _book(receipt, lines, by=by, today=today, now=now, why=why, reason=Reason.REST)


@transaction.atomic
def undo(allocation: ReceiptAllocation, *, by: Agent | None, today: date, now: datetime) -> None:
    """Undo a booking by a reversal: its payment is voided or its credit taken back, and the money waits in suspense again.

    :raises Forbidden: if ``by`` may not reverse payments
    :raises AlreadyReversed: if it was undone before
    :raises NotReversible: if it is a refund or a reversal
    :raises ExceedsCredit: if the credit has been used
    :raises DebtIsClosed: if the debt was settled, written off or recalled
    """
    require_permission(by, "payments.reverse_payment")
    if allocation.kind == Kind.REFUND or allocation.reverses_id:
        raise NotReversible
    if allocation.kind == Kind.PAYMENT:
        try:
            posting.void(Payment(pk=allocation.payment_id), by=by, today=today)
        except locks.PaymentNotFound:
            raise AlreadyReversed from None
        return
    pair = [allocation]
    if allocation.kind == Kind.OFFSET:
        same = Q(receipt=allocation.counterpart_id, counterpart=allocation.receipt_id, created_at=allocation.created_at)
        pair += ReceiptAllocation.objects.filter(same, amount=-allocation.amount, reverses=None)[:1]
    receipts = funding.lock_receipts({one.receipt_id for one in pair})
    if ReceiptAllocation.objects.filter(reverses=allocation).exists():
        raise AlreadyReversed
    for one in pair:
        one.receipt = receipts[one.receipt_id]
        if one.kind == Kind.CREDIT:
            entry = one.credit_entry
            entry.credit = funding.lock_credit(entry.credit_id)
            funding.reverse_entry(entry, by=by, now=now)
        funding.reverse_allocation(one, by=by, now=now)
        is_due = one.receipt.amount < 0
        funding.keep_suspense(one.receipt, Reason.DUE_FROM_CREDITOR if is_due else Reason.UNDONE, now=now)


def _with_something_left(receipt: Receipt) -> Receipt:
    """Lock a receipt and return its row, if something of it is left."""
    locked = funding.lock_receipt(receipt.pk)
    if not funding.rest(locked):
        raise NothingLeft.of(locked)
    return locked


def _book(
    receipt: Receipt,
    lines: Sequence[Line],
    *,
    by: Agent | None,
    today: date,
    now: datetime,
    why: str,
    reason: Suspense.Reason,
) -> list[ReceiptAllocation]:
    """Book parts of a locked receipt to debts that are locked."""
    if funding.rest(receipt) < sum(line.amount for line in lines):
        raise funding.ExceedsReceipt
    made = []
    for line in lines:
        if receipt.currency_code != line.debt.currency_code:
            raise posting.CurrencyMismatch(line.debt.currency_code)
        if line.to_credit:
            made.append(_credit(receipt, line, by=by, now=now, why=why))
            continue
        payment = posting.record(
            debt=line.debt,
            amount=line.amount,
            currency_code=receipt.currency_code,
            payment_method=_METHODS.get(Receipt.Source(receipt.source), PaymentMethod.OTHER),
            payment_date=receipt.value_date,
            allocation=list(line.allocation),
            by=by,
            today=today,
            begun=days.begun(now),
            now=now,
        )
        made.append(
            funding.allocate(receipt, Kind.PAYMENT, payment.amount, by=by, now=now, why=why, payment_id=payment.pk)
        )
    funding.keep_suspense(receipt, reason, now=now)
    return made


def _credit(receipt: Receipt, line: Line, *, by: Agent | None, now: datetime, why: str) -> ReceiptAllocation:
    amount = money.check(line.amount, receipt.currency_code, field="amount")
    debt = Debt.objects.get(pk=line.debt.pk)
    if debt.current_status == DebtStatus.RECALLED:
        raise DebtIsClosed("The creditor has recalled this debt, so there is no credit for it.")
    credit = funding.credit_of(debt.debtor_id, debt.creditor_id, debt.currency_code)
    return funding.allocate(receipt, Kind.CREDIT, amount, by=by, now=now, why=why, credit=credit)
