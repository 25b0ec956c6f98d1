"""Credits: apply one to a debt, or refund it to the payer; a refund, also of a payment or out of suspense, needs two people."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from agents import limits
from agents.models import Agent, LimitKind, require_permission
from collection.balances import ledger, totals
from collection.models import Debt
from ddc.common import days, money
from ddc.common.errors import DomainError, Forbidden, Invalid, Missing
from payments import funding, posting, returns
from payments.funding import Kind
from payments.models import Credit, CreditEntry, Payment, Receipt, ReceiptAllocation, Refund, Suspense

Decision = Refund.Decision


class OtherCredit(Invalid):
    code = "database.exists"
    field = "debt_id"
    message = (
        "This credit is another person's, or with another creditor. Choose a debt of the same person and creditor."
    )


class NoPayer(Invalid):
    field = "receipt_id"
    message = "This receipt did not bring the money of this credit. Name the one that did: its payer gets the refund."


class ExceedsReceiptOfRefund(funding.ExceedsReceipt):
    message = "This is more than the payer of this receipt can get back. Enter a smaller amount."


class AlreadyDecided(DomainError):
    message = "This refund has been decided already."


class OwnProposal(Forbidden):
    message = "You proposed this refund. Another person approves it."


class NoteRequired(Missing):
    field = "note"
    message = "Say why you reject the refund."


@transaction.atomic
def apply(credit: Credit, *, debt: Debt, amount: Decimal, by: Agent | None, today: date, now: datetime) -> Payment:
    """Pay a debt out of the credit of its person with its creditor.

    :raises OtherCredit: if the debt is another person's or with another creditor
    :raises ExceedsCredit: if the amount is more than the credit
    :raises DomainError: as ``posting.record`` does
    """
    debt = ledger.lock_debt(debt.pk)
    credit = funding.lock_credit(credit.pk)
    if (debt.debtor_id, debt.creditor_id) != (credit.debtor_id, credit.creditor_id):
        raise OtherCredit
    amount = money.check(amount, credit.currency_code, field="amount")
    if amount > funding.balance(credit):
        raise funding.ExceedsCredit
    payment = posting.record(
        debt=debt,
        amount=amount,
        currency_code=credit.currency_code,
        payment_date=today,
        by=by,
        today=today,
        begun=days.begun(now),
        now=now,
    )
    funding.add_entry(credit, CreditEntry.Kind.APPLIED, -amount, by=by, now=now, payment_id=payment.pk)
    return payment


@transaction.atomic
def propose_refund(
    credit: Credit, *, amount: Decimal, reason: str, by: Agent, now: datetime, receipt: Receipt | None = None
) -> Refund:
    """Propose to pay a credit back to the payer of the receipt that brought it, the newest one by default.

    The amount leaves the credit at once, so that nothing else can use it.

    :raises NoPayer: if the receipt did not bring money of this credit
    :raises ExceedsCredit: if the amount is more than the credit
    :raises ExceedsReceiptOfRefund: if it is more than the receipt brought and its payer has not got back
    """
    credit = funding.lock_credit(credit.pk)
    brought = ReceiptAllocation.objects.filter(credit=credit, reverses=None, reversed_by=None)
    if receipt is not None:
        brought = brought.filter(receipt=receipt)
    newest = brought.select_related("receipt").first()
    if newest is None:
        raise NoPayer
    receipt = newest.receipt
    amount = money.check(amount, credit.currency_code, field="amount")
    gone = Refund.objects.filter(receipt=receipt, credit=credit).exclude(decision=Decision.REJECTED)
    most = sum(one.amount for one in brought.filter(receipt=receipt)) - sum(one.amount for one in gone)
    if amount > most:
        raise ExceedsReceiptOfRefund
    refund = _propose(receipt, credit, amount, reason, by=by, now=now)
    funding.add_entry(credit, CreditEntry.Kind.REFUND, -amount, by=by, now=now, refund=refund)
    return refund


@transaction.atomic
def propose_refund_of_receipt(receipt: Receipt, *, amount: Decimal, reason: str, by: Agent, now: datetime) -> Refund:
    """Propose to pay money that waits in suspense back to its payer.

    :raises ExceedsReceipt: if the amount is more than what waits
    """
    receipt = funding.lock_receipt(receipt.pk)
    amount = money.check(amount, receipt.currency_code, field="amount")
    refund = _propose(receipt, None, amount, reason, by=by, now=now)
    funding.allocate(receipt, Kind.REFUND, amount, by=by, now=now, why=reason[:200], refund=refund)
    funding.keep_suspense(receipt, Suspense.Reason.REST, now=now)
    return refund


@transaction.atomic
def approve(refund: Refund, *, by: Agent, now: datetime, note: str = "") -> Refund:
    """Approve a refund that another person proposed: it is then to be paid out. One of a payment is booked on its debt.

    :raises AlreadyDecided: if it was decided before
    :raises OwnProposal: if ``by`` proposed it
    :raises AboveLimit: if the amount is above the limit of the role
    :raises DomainError: of a payment, as ``returns.refund`` does
    """
    require_permission(by, "payments.decide_refund")
    refund = _lock(refund)
    if refund.proposed_by_id == by.pk:
        raise OwnProposal
    amount = totals.in_reporting_currency(refund.amount, refund.currency_code, today=days.agency_today(now))
    limits.require(by, {LimitKind.REFUND_AMOUNT: amount}, permission="payments.decide_refund")
    if refund.payment_id:
        returns.refund(
            Payment(pk=refund.payment_id),
            amount=money.rounded(refund.amount, refund.currency_code),
            value_date=refund.value_date,
            reason=refund.reason,
            by=by,
            today=days.agency_today(now),
        )
    return _decide(refund, Decision.APPROVED, by=by, now=now, note=note)


@transaction.atomic
def reject(refund: Refund, *, by: Agent, now: datetime, note: str) -> Refund:
    """Reject a refund: the money is in its credit or in suspense again, or stays paid. Its proposer may withdraw it so.

    :raises AlreadyDecided: if it was decided before
    """
    if refund.proposed_by_id != by.pk:
        require_permission(by, "payments.decide_refund")
    if not note.strip():
        raise NoteRequired
    refund = _decide(_lock(refund), Decision.REJECTED, by=by, now=now, note=note)
    if refund.payment_id:
        return refund
    if refund.credit_id:
        entry = CreditEntry.objects.get(refund=refund, kind=CreditEntry.Kind.REFUND)
        entry.credit = funding.lock_credit(refund.credit_id)
        funding.reverse_entry(entry, by=by, now=now)
    else:
        allocation = ReceiptAllocation.objects.get(refund=refund, reverses=None)
        allocation.receipt = funding.lock_receipt(allocation.receipt_id)
        funding.reverse_allocation(allocation, by=by, now=now)
        funding.keep_suspense(allocation.receipt, Suspense.Reason.UNDONE, now=now)
    return refund


def _propose(
    receipt: Receipt, credit: Credit | None, amount: Decimal, reason: str, *, by: Agent, now: datetime
) -> Refund:
    return Refund.objects.create(
        receipt=receipt,
        credit=credit,
        amount=amount,
        currency_code=receipt.currency_code,
        reason=reason,
        proposed_by=by,
        created_at=now,
    )


def _lock(refund: Refund) -> Refund:
    locked = Refund.objects.select_for_update(no_key=True).get(pk=refund.pk)
    if locked.decision is not None:
        raise AlreadyDecided
    return locked


def _decide(refund: Refund, decision: Refund.Decision, *, by: Agent, now: datetime, note: str) -> Refund:
    refund.decision, refund.decided_by, refund.decided_at, refund.decision_note = decision, by, now, note
    refund.save(update_fields=["decision", "decided_by", "decided_at", "decision_note", "updated_at"])
    return refund
