"""React to signals of lower apps."""

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from arrangements import progress
from collection.balances import ledger
from collection.models import Debt, LedgerEntry

#: Money that goes back.
_BACK = (
    LedgerEntry.Kind.REVERSAL,
    LedgerEntry.Kind.CHARGEBACK,
    LedgerEntry.Kind.REFUND,
)


@receiver(ledger.posted, dispatch_uid="arrangements.follow_payment")
def follow_payment(sender: object, debt: Debt, kind: LedgerEntry.Kind, **_: object) -> None:
    """Assess the arrangements of a debt after a payment.

    After COMMIT, because an arrangement can have several debts, which are locked in the order of their ids. If the process dies
    in between, the next tick does it. Most debts have no arrangement, and a payment of theirs takes no query for this.
    """

    def follow() -> None:
        if not debt.is_arranged:
            return
        if kind == LedgerEntry.Kind.PAYMENT:
            progress.follow_payment(debt, now=timezone.now())
        else:
            progress.follow_debt(debt, now=timezone.now())

    if kind == LedgerEntry.Kind.PAYMENT or kind in _BACK:
        transaction.on_commit(follow)
