"""Money of a payment that goes back: charge-backs, which count as if that part had never been paid, and refunds.

A charge-back comes from the bank and is always booked. It takes effect on the day of the payment, so a debt that was settled or
written off is open again. A refund is ours: one person proposes it, a second one approves it, and it takes effect on its own day.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from agents.models import Agent, require_permission
from collection import states
from collection.balances import accounts, ledger
from collection.balances.events import Draft
from collection.debts import DebtIsClosed
from collection.models import Debt, DebtStatus, LedgerEntry
from ddc.common import days, money
from ddc.common.errors import DomainError, OutOfRange
from payments import creditor_dues, locks, posting
from payments.models import Payment, PaymentStatus, Receipt, Refund

Kind = LedgerEntry.Kind


class NotPosted(DomainError):
    message = "This payment is not completed, so nothing of it can go back."


class ExceedsPayment(OutOfRange):
    field = "amount"
    message = "This exceeds what is left of the payment. Enter a smaller amount."


class RefundProposed(DomainError):
    message = "A refund of this payment is proposed already. Decide it first."


class RefundBeforePayment(OutOfRange):
    field = "value_date"
    message = "A refund can't be earlier than its payment, or later than today."


@transaction.atomic
def charge_back(
    payment: Payment,
    *,
    by: Agent | None,
    now: datetime,
    today: date,
    amount: Decimal | None = None,
    reason: str = "",
) -> Payment:
    """Book a charge-back of a payment, effective on its day; a settled or written-off debt is open again.

    The ledger of a recalled debt does not move: the sum is kept in suspense, due from the creditor.

    :param amount: None: all that is left of the payment
    :raises Forbidden: if ``by`` may not reverse payments
    :raises NotPosted: if the payment is not completed, or all of it went back
    :raises ExceedsPayment: if less is left of it
    """
    require_permission(by, "payments.reverse_payment")
    payment, debts = locks.lock(payment.pk)
    debt = debts[payment.debt_id]
    amount = _part(payment, amount)
    if debt.current_status == DebtStatus.RECALLED:
        payment.charged_back_at = now
        payment.save(update_fields=["charged_back_at", "updated_at"])
        creditor_dues.record(payment, amount=amount, value_date=today, by=by, now=now)
        return payment
    cause = posting.cause_of("chargeback", payment) | {"amount": money.text(amount, debt.currency_code)}
    if reason:
        cause["reason"] = reason
    if debt.current_status in states.WRITES_OFF:
        states.reopen(debt, by=by, today=today, cause={"type": "chargeback", "status": debt.current_status})
    _book(payment, debt, Kind.CHARGEBACK, amount, payment.payment_date, cause, by=by, until=today, now=now)
    payment.charged_back_at = now
    return _save(payment, amount)


@transaction.atomic
def propose_refund(
    payment: Payment,
    *,
    by: Agent,
    now: datetime,
    amount: Decimal | None = None,
    value_date: date | None = None,
    reason: str = "",
) -> Refund:
    """Propose to give a payment, or a part of it, back to the payer. ``credits.approve`` or ``credits.reject`` decides.

    :param amount: None: all that is left of the payment
    :param value_date: None: the day of the approval
    :raises RefundProposed: if another proposal waits for its decision
    :raises DomainError: as ``refund`` does
    """
    payment, debts = locks.lock(payment.pk)
    amount = _part(payment, amount)
    _check_refund(payment, debts[payment.debt_id], value_date, today=days.agency_today(now))
    if Refund.objects.filter(payment=payment, decision=None).exists():
        raise RefundProposed
    return Refund.objects.create(
        payment=payment,
        amount=amount,
        currency_code=payment.currency_code,
        value_date=value_date,
        reason=reason,
        proposed_by=by,
        created_at=now,
    )


@transaction.atomic
def refund(
    payment: Payment,
    *,
    by: Agent | None,
    today: date,
    amount: Decimal | None = None,
    value_date: date | None = None,
    reason: str = "",
) -> Payment:
    """Give a payment, or a part of it, back to the payer; the debt owes it again from the day of the refund on.

    :param amount: None: all that is left of the payment
    :param value_date: None: today
    :raises Forbidden: if ``by`` may not decide refunds
    :raises NotPosted: if the payment is not completed, or all of it went back
    :raises ExceedsPayment: if less is left of it
    :raises RefundBeforePayment: if the day is before that of the payment, or in the future
    :raises DebtIsClosed: if the debt is settled, written off or recalled
    """
    require_permission(by, "payments.decide_refund")
    payment, debts = locks.lock(payment.pk)
    debt = debts[payment.debt_id]
    amount, value_date = _part(payment, amount), value_date or max(today, payment.payment_date)
    _check_refund(payment, debt, value_date, today=today)
    cause = posting.cause_of("refund", payment) | {"amount": money.text(amount, debt.currency_code)}
    if reason:
        cause["reason"] = reason
    _book(payment, debt, Kind.REFUND, amount, value_date, cause, by=by, until=None)
    return _save(payment, amount)


def _check_refund(payment: Payment, debt: Debt, value_date: date | None, *, today: date) -> None:
    if value_date and not payment.payment_date <= value_date <= days.later(today, days=1):
        raise RefundBeforePayment
    if not debt.is_open and debt.current_status != DebtStatus.PAID:
        raise DebtIsClosed("This debt is closed. Reopen it before you refund a payment.")


def _part(payment: Payment, amount: Decimal | None) -> Decimal:
    """Return the amount that goes back."""
    due = Receipt.objects.filter(source=Receipt.Source.CHARGEBACK, payment_id=payment.pk).aggregate(sum=Sum("amount"))
    left = payment.amount - payment.refunded_amount + (due["sum"] or 0)
    if payment.status != PaymentStatus.COMPLETED:
        raise NotPosted
    part = left if amount is None else money.check(amount, payment.currency_code, field="amount")
    if not 0 < part <= left:
        raise ExceedsPayment
    return part


def _book(
    payment: Payment,
    debt: Debt,
    kind: LedgerEntry.Kind,
    amount: Decimal,
    value_date: date,
    cause: dict[str, object],
    *,
    by: Agent | None,
    until: date | None,
    now: datetime | None = None,
) -> None:
    (entry,) = ledger.unreversed(debt, Kind.PAYMENT, payment_id=payment.pk)
    draft = Draft(kind, amount, value_date, cause, payment_id=payment.pk, refers_to=entry)
    accounts.book(debt, draft, by=by, until=until, posted_at=now)


def _save(payment: Payment, amount: Decimal) -> Payment:
    payment.refunded_amount += amount
    if payment.refunded_amount == payment.amount:
        payment.status = PaymentStatus.REFUNDED
    payment.save(update_fields=["refunded_amount", "charged_back_at", "status", "updated_at"])
    return payment
