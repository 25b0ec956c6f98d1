"""Lock payments with their debts, always the debts first and in the order of their ids."""

import uuid
from collections.abc import Collection

from django.db import transaction

from collection.balances import ledger
from collection.models import Debt
from ddc.common.errors import DomainError, Invalid
from payments.models import Payment


class NoSuchDebt(Invalid):
    code = "database.exists"
    field = "debt_id"
    message = "This resource does not exist."


class PaymentNotFound(DomainError):
    status = 404
    message = "This resource does not exist."


def lock(payment_id: uuid.UUID, target: Debt | None = None) -> tuple[Payment, dict[uuid.UUID, Debt]]:
    """Lock a payment's debt and the debt that it moves to; then lock the payment and return its current row.

    The debt's id is read without a lock, the debt locked, and the id read again. If the payment has moved in between, all locks
    are released before the next try, so that debts are always locked in the order of their ids.

    :raises PaymentNotFound: if it has been deleted
    :raises NoSuchDebt: if ``target`` has been deleted
    """
    while True:
        start = transaction.savepoint()
        debt_id = _debt_of(payment_id)
        debts = lock_debts({debt_id, target.pk} if target else {debt_id})
        if _debt_of(payment_id) == debt_id:
            return Payment.objects.select_for_update(no_key=True).get(pk=payment_id), debts
        transaction.savepoint_rollback(start)


def lock_debts(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    """Lock debts in the order of their ids, and return their current rows.

    :raises NoSuchDebt: if one does not exist
    """
    try:
        return ledger.lock_debts(debt_ids)
    except ledger.NoSuchDebt:
        raise NoSuchDebt from None


def _debt_of(payment_id: uuid.UUID) -> uuid.UUID:
    debt_id = Payment.objects.filter(pk=payment_id).values_list("debt_id", flat=True).first()
    if debt_id is None:
        raise PaymentNotFound
    return debt_id
