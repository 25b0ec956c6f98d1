"""Payment requests: what a payment link asks a debtor to pay, until it expires."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from agents.models import Agent, require_permission
from arrangements.models import Arrangement
from collection.models import Debt
from ddc.common.errors import Invalid, OutOfRange
from debtors.models import Debtor
from payments import payable
from payments.models import PaymentRequest

#: How long a link is valid by default, and at most.
LIFETIME, LONGEST = timedelta(days=14), timedelta(days=90)


class ExpiresOutOfRange(OutOfRange):
    field = "expires_at"
    message = "A payment link expires after now and within 90 days."


class OtherArrangement(Invalid):
    code = "database.exists"
    field = "arrangement_id"
    message = "This resource does not exist."


@transaction.atomic
def create(
    debtor: Debtor,
    *,
    debts: Sequence[Debt] = (),
    amount: Decimal | None = None,
    arrangement: Arrangement | None = None,
    expires_at: datetime | None = None,
    by: Agent,
    now: datetime,
) -> PaymentRequest:
    """Record what a debtor is asked to pay.

    :param debts: empty: those of the arrangement, or else all that may be paid
    :param amount: in the debts' currency; None: the debtor chooses, or the next instalment of the arrangement
    :raises Forbidden: if ``by`` may not record payments
    :raises ExpiresOutOfRange: if it would expire before now or in more than 90 days
    :raises OtherArrangement: if the arrangement is another debtor's
    :raises NoSuchDebt: if a debt is another debtor's; other refusals as ``payable.chosen`` and ``payable.check``
    """
    require_permission(by, "payments.add_payment")
    expires_at = expires_at or now + LIFETIME
    if not now < expires_at <= now + LONGEST:
        raise ExpiresOutOfRange
    if arrangement is not None and arrangement.debtor_id != debtor.pk:
        raise OtherArrangement
    ids = [debt.pk for debt in debts] or _default(debtor, arrangement, now=now)
    found = payable.chosen(debtor, ids, now=now)
    made = PaymentRequest.objects.create(
        debtor=debtor,
        arrangement=arrangement,
        amount=None if amount is None else payable.check(found, amount),
        currency_code=found[0].debt.currency_code,
        expires_at=expires_at,
        created_by=by,
        created_at=now,
    )
    made.debts.set([one.debt for one in found])
    return made


def _default(debtor: Debtor, arrangement: Arrangement | None, *, now: datetime) -> list[uuid.UUID]:
    if arrangement is not None:
        return [part.debt_id for part in arrangement.parts.all()]
    return [one.debt.pk for one in payable.of(debtor, now=now)]


def open_ones(*, now: datetime) -> "QuerySet[PaymentRequest]":
    """Return the payment requests that have not expired."""
    return PaymentRequest.objects.filter(expires_at__gt=now).select_related("arrangement")
