"""Money that goes back through a provider: charge-backs and refunds that it reports, and refunds of ours that it pays out.

The books are compared with all that the provider reports for a receipt, and only the difference is booked. So what an agent
has booked before the event came is not booked twice.
"""

from datetime import datetime
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Q, Sum

from collection.balances import ledger
from collection.debts import DebtIsClosed
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from payments import funding, returns
from payments.funding import Kind
from payments.models import Payment, ProviderReturn, Receipt, ReceiptAllocation, Refund, Suspense
from payments.providers.registry import PROVIDERS

log = structlog.get_logger(__name__)
_ZERO = Decimal(0)
_BATCH = 50


@transaction.atomic
def take_back(
    receipt: Receipt, kind: ProviderReturn.Kind, *, total: Decimal, provider_id: str, now: datetime
) -> Decimal:
    """Book what went back of a receipt, and return that amount; 0 if the provider reported it before.

    It is taken from suspense first, then from credit, then from the payments, the last one first. Money that is used already
    waits as a charge-back in suspense.

    :param total: of a refund, all that was refunded so far; of a charge-back, its own sum
    :param provider_id: of the charge-back, or of this state of the refunds
    """
    _lock_debts(receipt)
    funding.lock_receipt(receipt.pk)
    earlier = ProviderReturn.objects.filter(receipt=receipt)
    if earlier.filter(provider_id=provider_id).exists():
        return _ZERO
    known = earlier.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    amount = total - known if kind == ProviderReturn.Kind.REFUND else total
    if amount <= 0:
        return _ZERO
    made = ProviderReturn.objects.create(
        receipt=receipt, kind=kind, amount=amount, provider_id=provider_id, sent_at=now, created_at=now
    )
    reported = earlier.aggregate(sum=Sum("amount"))["sum"]
    _book(receipt, made, max(reported - gone_back(receipt), _ZERO), now=now)
    return amount


def gone_back(receipt: Receipt) -> Decimal:
    """Return what of a receipt has gone back by the books."""
    payments = _payments(receipt)
    parts = [
        Payment.objects.filter(pk__in=payments).aggregate(sum=Sum("refunded_amount"))["sum"],
        -(Receipt.objects.filter(_due_of(payments)).aggregate(sum=Sum("amount"))["sum"] or _ZERO),
        Refund.objects.filter(receipt=receipt, decision=Refund.Decision.APPROVED).aggregate(sum=Sum("amount"))["sum"],
        -(ProviderReturn.objects.filter(receipt=receipt).aggregate(sum=Sum("charge_back__amount"))["sum"] or _ZERO),
    ]
    return sum((part or _ZERO for part in parts), _ZERO)


def _due_of(payments: list[object]) -> Q:
    return Q(source=Receipt.Source.CHARGEBACK, payment_id__in=payments)


def _payments(receipt: Receipt) -> list[object]:
    rows = ReceiptAllocation.objects.filter(receipt=receipt, kind=Kind.PAYMENT, reverses=None, reversed_by=None)
    return list(rows.order_by("-created_at", "-id").values_list("payment_id", flat=True))


def _lock_debts(receipt: Receipt) -> None:
    ledger.lock_existing(set(Payment.objects.filter(pk__in=_payments(receipt)).values_list("debt_id", flat=True)))


def _book(receipt: Receipt, made: ProviderReturn, amount: Decimal, *, now: datetime) -> None:
    """Book an amount that went back: first what no debt has, then from the payments."""
    loose = min(amount, funding.rest(receipt))
    loose += _free_credit(receipt, amount - loose, now=now)
    left = amount - loose
    for payment in Payment.objects.filter(pk__in=_payments(receipt)).order_by("-created_at", "-id"):
        left -= _of_payment(payment, made.kind, left, now=now) if left else _ZERO
    if loose + left:
        made.charge_back = _charge_back(receipt, loose + left, made, now=now)
        made.save(update_fields=["charge_back", "updated_at"])
        if loose:
            _set_off(receipt, made.charge_back, loose, now=now)
        funding.keep_suspense(made.charge_back, Suspense.Reason.CHARGED_BACK, now=now)


def _free_credit(receipt: Receipt, wanted: Decimal, *, now: datetime) -> Decimal:
    """Take credit that the receipt brought back into suspense, as far as it is wanted and unused; return how much."""
    freed = _ZERO
    rows = ReceiptAllocation.objects.filter(receipt=receipt, kind=Kind.CREDIT, reverses=None, reversed_by=None)
    for allocation in rows.select_related("credit_entry"):
        if freed >= wanted or allocation.credit_id is None:
            break
        credit = funding.lock_credit(allocation.credit_id)
        if funding.balance(credit) < allocation.amount:
            continue  # It has been used, at least in part.
        allocation.receipt = receipt
        allocation.credit_entry.credit = credit
        funding.reverse_entry(allocation.credit_entry, by=None, now=now)
        funding.reverse_allocation(allocation, by=None, now=now)
        if keep := max(allocation.amount - (wanted - freed), _ZERO):
            funding.allocate(receipt, Kind.CREDIT, keep, by=None, now=now, why=allocation.why, credit=credit)
        freed += allocation.amount - keep
    return freed


def _of_payment(payment: Payment, kind: str, wanted: Decimal, *, now: datetime) -> Decimal:
    """Let a payment give back what is wanted, as far as it can; return how much."""
    due = Receipt.objects.filter(_due_of([payment.pk])).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    amount = money.rounded(min(wanted, payment.amount - payment.refunded_amount + due), payment.currency_code)
    if amount <= 0:
        return _ZERO
    today = agency_today(now)
    if kind == ProviderReturn.Kind.CHARGEBACK:
        returns.charge_back(
            payment, by=None, now=now, today=today, amount=amount, reason="Charged back by the card holder"
        )
        return amount
    try:
        with transaction.atomic():
            returns.refund(payment, by=None, today=today, amount=amount, reason="Refunded at the provider")
    except DebtIsClosed:
        return _ZERO  # A person decides: it waits in suspense.
    return amount


def _charge_back(receipt: Receipt, amount: Decimal, made: ProviderReturn, *, now: datetime) -> Receipt:
    return Receipt.objects.create(
        source=Receipt.Source.CHARGEBACK,
        provider=receipt.provider,
        provider_id=f"{made.kind} {made.pk}",
        amount=-amount,
        currency_code=receipt.currency_code,
        reference=receipt.reference,
        creditor=receipt.creditor,
        value_date=agency_today(now),
        created_at=now,
    )


def _set_off(receipt: Receipt, charge_back: Receipt, amount: Decimal, *, now: datetime) -> None:
    why = "It went back to the payer"
    funding.allocate(receipt, Kind.OFFSET, amount, by=None, now=now, why=why, counterpart=charge_back)
    funding.allocate(charge_back, Kind.OFFSET, -amount, by=None, now=now, why=why, counterpart=receipt)
    funding.keep_suspense(receipt, Suspense.Reason.REST, now=now)


# --- Refunds of ours


def send_refunds(*, now: datetime) -> int:
    """Pay out the approved refunds of money that came through a provider, and return how many.

    The provider pays each out once, whatever happens to this process: the refund's id is its key.
    """
    of_provider = Q(receipt__source=Receipt.Source.PROVIDER, receipt__provider__in=PROVIDERS)
    parts = ReceiptAllocation.objects.filter(of_provider, kind=Kind.PAYMENT, reverses=None, reversed_by=None)
    waiting = Refund.objects.filter(of_provider | Q(payment__in=parts.values("payment_id")))
    waiting = waiting.filter(decision=Refund.Decision.APPROVED, provider_return__sent_at=None)
    return sum(_send(refund, now=now) for refund in waiting.select_related("receipt").order_by("created_at")[:_BATCH])


def _send(refund: Refund, *, now: datetime) -> bool:
    receipt = refund.receipt or ReceiptAllocation.objects.filter(payment_id=refund.payment_id)[:1].get().receipt
    made, _ = ProviderReturn.objects.get_or_create(
        refund=refund, defaults={"receipt": receipt, "kind": ProviderReturn.Kind.REFUND, "amount": refund.amount}
    )
    try:
        made.provider_id = PROVIDERS[receipt.provider].refund(
            payment_id=receipt.provider_id or "",
            amount=refund.amount,
            currency=refund.currency_code,
            key=str(refund.pk),
        )
        made.sent_at, made.error = now, ""
    except DomainError as error:
        log.warning("refund_not_sent", refund=str(refund.pk), error=str(error.__cause__ or error))
        made.error = str(error.__cause__ or error)[:500]
    made.save(update_fields=["provider_id", "sent_at", "error", "updated_at"])
    return made.sent_at is not None
