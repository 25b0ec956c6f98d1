"""Payments of debtors at a provider: created, sent to the provider's page, and moved by what the provider reports.

An intent never goes back: events come twice, late and in any order. A sum that came is booked as a receipt by the rules for all
receipts, for the debts that the debtor chose; the state of an intent moves no money.
"""

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db import transaction

from arrangements.models import Arrangement
from collection.models import Debt
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import DomainError, Invalid, refusing
from ddc.common.reference.currencies import DECIMALS
from debtors import calendars
from debtors.models import Debtor
from payments import disclosures, payable, provider_returns, receipts
from payments.models import PaymentIntent, ProviderReturn, Receipt
from payments.providers.base import Kind, Order, ProviderDown, Reported
from payments.providers.registry import PROVIDERS, configured

Status = PaymentIntent.Status
#: So long the same sum for the same debts is blocked, unless its first payment has come to an end.
BLOCKED_FOR = timedelta(minutes=10)
#: How long the provider's page is open. Stripe accepts 30 minutes to 24 hours.
OPEN_FOR = timedelta(hours=1)

_REFUSED = "The same payment was started a moment ago. Go on with it, or wait for ten minutes."


class NoProvider(DomainError):
    message = "Card payments are not set up. Pay by bank transfer."


class UnderWay(DomainError):
    """The same sum for the same debts is pending; ``intent`` is the earlier payment."""

    code = "underWay"
    message = _REFUSED

    def __init__(self, intent: PaymentIntent | None = None) -> None:
        super().__init__()
        self.intent = intent


class CreatedBefore(DomainError):
    """The same request came before."""


class UnknownPayment(Exception):
    """Money went back of a payment that has not been reported yet: its event waits."""


class Applied(StrEnum):
    """The effect of an event."""

    CAPTURED = "captured"
    MOVED = "moved"
    RETURNED = "returned"
    NOTHING = "nothing new"
    UNKNOWN = "unknown: in suspense"


def create(
    debtor: Debtor,
    debt_ids: Collection[uuid.UUID],
    *,
    amount: Decimal,
    key: str,
    arrangement: Arrangement | None = None,
    language: str = "en",
    now: datetime,
) -> PaymentIntent:
    """Create an intent and open the provider's page for it. The same request again answers the same intent.

    :param key: any text that is the same for a repeated request
    :raises NoProvider: if none is configured
    :raises UnderWay: if the same sum for the same debts is pending since less than 10 minutes
    :raises NotPayable: if the sum is not from 1.00 to the payoff; other refusals as ``payable.chosen``
    :raises ProviderDown: if the provider does not answer; the same request may be tried again
    """
    if configured() is None:
        raise NoProvider
    content = "|".join([*sorted(map(str, set(debt_ids))), f"{amount.normalize():f}"])
    repeated = _digest(debtor.pk, content, key)
    intent = PaymentIntent.objects.filter(debtor=debtor, idempotency_key=repeated).first()
    if intent is None:
        try:
            intent = _insert(
                debtor,
                debt_ids,
                amount,
                idempotency_key=repeated,
                pending_key=_digest(debtor.pk, content),
                arrangement=arrangement,
                language=language,
                now=now,
            )
        except CreatedBefore:
            intent = PaymentIntent.objects.get(debtor=debtor, idempotency_key=repeated)
        except UnderWay:
            pending = PaymentIntent.objects.filter(pending_key=_digest(debtor.pk, content)).first()
            raise UnderWay(pending) from None
    return _open_page(intent, language) if intent.status == Status.CREATED else intent


def _digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


@transaction.atomic
def _insert(
    debtor: Debtor,
    debt_ids: Collection[uuid.UUID],
    amount: Decimal,
    *,
    idempotency_key: str,
    pending_key: str,
    arrangement: Arrangement | None,
    language: str,
    now: datetime,
) -> PaymentIntent:
    found = payable.chosen(debtor, debt_ids, now=now)
    amount = payable.check(found, amount)
    debts = [one.debt for one in found]
    PaymentIntent.objects.filter(pending_key=pending_key, created_at__lte=now - BLOCKED_FOR).update(pending_key=None)
    intent = PaymentIntent(
        debtor=debtor,
        arrangement=arrangement,
        provider=settings.PAYMENT_PROVIDER,
        amount=amount,
        currency_code=debts[0].currency_code,
        idempotency_key=idempotency_key,
        pending_key=pending_key,
        expires_at=now + OPEN_FOR,
        disclosure={"language": language, **disclosures.of(debts)},
        disclosure_version=disclosures.VERSION,
        created_at=now,
    )
    constraints: dict[str, DomainError] = {
        "payment_intent_is_created_once": CreatedBefore(),
        "payment_intent_is_pending_once": UnderWay(),
    }
    with refusing(constraints):
        intent.save(force_insert=True)
    intent.debts.set(debts)
    return intent


def _open_page(intent: PaymentIntent, language: str) -> PaymentIntent:
    """Ask the provider for its page, outside of any transaction; an event may come before its answer."""
    named = ", ".join(debt["reference"] for debt in intent.disclosure["debts"])
    here = f"{settings.PUBLIC_URL}/portal/payments/{intent.pk}"
    order = Order(
        intent_id=intent.pk,
        amount=intent.amount,
        currency=intent.currency_code,
        description=named[:200],
        return_url=f"{here}?returned=1",
        cancel_url=here,
        language=language,
        expires_at=intent.expires_at,
    )
    try:
        page = PROVIDERS[intent.provider].create(order)
    except ProviderDown:
        PaymentIntent.objects.filter(pk=intent.pk, status=Status.CREATED).update(pending_key=None)
        raise
    rows = PaymentIntent.objects.filter(pk=intent.pk)
    rows.filter(provider_id=None).update(provider_id=page.provider_id)
    rows.update(url=page.url)
    rows.filter(status=Status.CREATED).update(status=Status.REDIRECTED)
    intent.refresh_from_db()
    return intent


@transaction.atomic
def apply(provider: str, reported: Reported, *, now: datetime) -> Applied:
    """Apply an event of a provider, once; later events of the same payment change nothing that is done.

    :raises UnknownPayment: if money went back of a payment that has not been reported yet
    """
    intent = _lock(provider, reported)
    match reported.kind:
        case Kind.CAPTURED:
            return _capture(provider, intent, reported, now=now)
        case Kind.FAILED | Kind.EXPIRED:
            status = Status.FAILED if reported.kind == Kind.FAILED else Status.EXPIRED
            return _end(intent, status, reported.text)
        case Kind.REFUNDED | Kind.CHARGED_BACK:
            return _take_back(provider, intent, reported, now=now)
    return Applied.NOTHING


def _lock(provider: str, reported: Reported) -> PaymentIntent | None:
    rows = PaymentIntent.objects.select_for_update(no_key=True).filter(provider=provider)
    if reported.intent_id:
        return rows.filter(pk=reported.intent_id).first()
    for name, value in (("payment_id", reported.payment_id), ("provider_id", reported.provider_id)):
        if value and (found := rows.filter(**{name: value}).first()):
            return found
    return None


def _move(intent: PaymentIntent, status: "PaymentIntent.Status") -> bool:
    """Move an intent forward, and end the blocking of its sum."""
    if status.rank <= Status(intent.status).rank:
        return False
    intent.status, intent.pending_key = status, None
    intent.save(update_fields=["status", "pending_key", "updated_at"])
    return True


def _end(intent: PaymentIntent | None, status: "PaymentIntent.Status", text: str) -> Applied:
    if intent is None or not _move(intent, status):
        return Applied.NOTHING
    intent.failure = text[:200]
    intent.save(update_fields=["failure", "updated_at"])
    return Applied.MOVED


def _capture(provider: str, intent: PaymentIntent | None, reported: Reported, *, now: datetime) -> Applied:
    """Book what came: for the debts of the intent, or in suspense if the payment is none of ours."""
    if _receipt(provider, reported.payment_id):
        return Applied.NOTHING
    receipt = _record(provider, intent, reported, now=now)
    if intent is None:
        return Applied.UNKNOWN
    intent.receipt = intent.receipt or receipt
    intent.payment_id = intent.payment_id or reported.payment_id
    intent.provider_id = intent.provider_id or reported.provider_id or None
    intent.save(update_fields=["receipt", "payment_id", "provider_id", "updated_at"])
    _move(intent, Status.CAPTURED)
    return Applied.CAPTURED


def _receipt(provider: str, payment_id: str) -> Receipt | None:
    if not payment_id:
        raise Invalid("The event names no payment.")
    return Receipt.objects.filter(provider=provider, provider_id=payment_id).first()


def _record(provider: str, intent: PaymentIntent | None, reported: Reported, *, now: datetime) -> Receipt:
    if reported.amount is None or reported.currency not in DECIMALS:
        raise Invalid("The event names no amount, or no currency.")
    debts = list(Debt.objects.filter(payment_intents=intent)) if intent else None
    at = min(reported.occurred_at, now)
    day = calendars.today(intent.debtor, at=at) if intent else agency_today(at)
    return receipts.record(
        source=Receipt.Source.PROVIDER,
        provider=provider,
        provider_id=reported.payment_id,
        amount=money.rounded(reported.amount, reported.currency),
        currency_code=reported.currency,
        reference=", ".join(map(str, debts)) if debts else reported.text[:500],
        payer_name=intent.debtor.name[:255] if intent else "",
        value_date=day,
        debts=debts or None,
        why="Paid for this debt" if debts else "Same reference",
        by=None,
        today=agency_today(now),
        now=now,
    )


def _take_back(provider: str, intent: PaymentIntent | None, reported: Reported, *, now: datetime) -> Applied:
    receipt = _receipt(provider, reported.payment_id)
    if receipt is None:
        raise UnknownPayment
    is_refund = reported.kind == Kind.REFUNDED
    kind = ProviderReturn.Kind.REFUND if is_refund else ProviderReturn.Kind.CHARGEBACK
    total = money.rounded(reported.amount or Decimal(0), receipt.currency_code)
    name = reported.object_id or f"{reported.payment_id} refunded {money.text(total, receipt.currency_code)}"
    amount = provider_returns.take_back(receipt, kind, total=total, provider_id=name, now=now)
    is_all = not is_refund or total == receipt.amount
    moved = intent is not None and is_all and _move(intent, Status.REFUNDED if is_refund else Status.DISPUTED)
    return Applied.RETURNED if amount or moved else Applied.NOTHING
