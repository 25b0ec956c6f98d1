"""React to signals of lower apps."""

from functools import partial

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from arrangements import progress
from arrangements.models import ArrangementDebt
from collection.balances import ledger
from collection.models import Debt, LedgerEntry

_PAYMENTS = (
    LedgerEntry.Kind.PAYMENT,
    LedgerEntry.Kind.REVERSAL,
    LedgerEntry.Kind.CHARGEBACK,
    LedgerEntry.Kind.REFUND,
)


@receiver(ledger.posted, dispatch_uid="arrangements.follow_payment")
def follow_payment(sender: object, debt: Debt, kind: LedgerEntry.Kind, **_: object) -> None:
    """Assess the arrangements of a debt after a payment.

    After COMMIT, because an arrangement can have several debts, which are locked in the order of their ids. If the process dies
    in between, the next tick does it.
    """
    if kind in _PAYMENTS:
        transaction.on_commit(partial(_follow, debt))


def _follow(debt: Debt) -> None:
    parts = ArrangementDebt.objects.filter(debt=debt, arrangement__status__in=progress.FOLLOWED)
    if found := set(parts.values_list("arrangement", flat=True)):
        progress.follow(found, now=timezone.now())
