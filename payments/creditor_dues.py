"""What creditors owe for charge-backs on debts that they recalled: it waits in suspense, and is set off against their money."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from agents.models import Agent
from ddc.common.errors import Invalid, OutOfRange
from payments import funding, receipts
from payments.funding import Kind
from payments.models import Payment, Receipt, Suspense

Reason = Suspense.Reason


class ExceedsReturn(OutOfRange):
    field = "amount"
    message = "More than this payment would have gone back. Enter a smaller amount."


class WrongCounterpart(Invalid):
    field = "counterpart"
    message = "Set a receipt off against a charge-back of the same creditor and in the same currency."


@transaction.atomic
def record(payment: Payment, *, amount: Decimal, value_date: date, by: Agent | None, now: datetime) -> Receipt:
    """Keep a charge-back on a recalled debt in suspense: the creditor, who has the debt, owes it. The payment is locked.

    :param amount: the sum that went back to the payer, positive, in the payment's currency
    :raises ExceedsReturn: if that is more than what is left of the payment
    """
    debt = payment.debt
    earlier = Receipt.objects.filter(payment_id=payment.pk).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    if amount > payment.amount - payment.refunded_amount + earlier:
        raise ExceedsReturn
    receipt = Receipt.objects.create(
        source=Receipt.Source.CHARGEBACK,
        amount=-amount,
        currency_code=payment.currency_code,
        reference=debt.external_reference or "",
        creditor_id=debt.creditor_id,
        value_date=value_date,
        payment_id=payment.pk,
        recorded_by=by,
        created_at=now,
    )
    funding.keep_suspense(receipt, Reason.DUE_FROM_CREDITOR, now=now)
    return receipt


@transaction.atomic
def set_off(receipt: Receipt, charge_back: Receipt, *, by: Agent | None, now: datetime) -> None:
    """Set a receipt from a creditor off against a charge-back that the creditor owes, as far as both go.

    :raises receipts.NothingLeft: if one of them is booked
    :raises WrongCounterpart: if they do not belong together
    """
    locked = funding.lock_receipts([receipt.pk, charge_back.pk])
    receipt, charge_back = locked[receipt.pk], locked[charge_back.pk]
    if (charge_back.amount > 0) or receipt.currency_code != charge_back.currency_code:
        raise WrongCounterpart
    if receipt.amount < 0 or receipt.creditor_id not in (None, charge_back.creditor_id):
        raise WrongCounterpart
    for each in (receipt, charge_back):
        if not funding.rest(each):
            raise receipts.NothingLeft.of(each)
    amount = min(funding.rest(receipt), -funding.rest(charge_back))
    for each, other, signed in ((receipt, charge_back, amount), (charge_back, receipt, -amount)):
        funding.allocate(each, Kind.OFFSET, signed, by=by, now=now, why="Paid by the creditor", counterpart=other)
        funding.keep_suspense(each, Reason.REST, now=now)
