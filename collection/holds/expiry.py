"""Holds end by themselves, at the last midnight of the clocks where the debtor may be."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from collection.holds import holds
from collection.models import Debt, DebtStatus, Hold, HoldEvent
from debtors import calendars


@transaction.atomic
def expire(*, now: datetime) -> int:
    """See to the holds whose last day is over by every clock where the debtor may be; return how many there were.

    A debt whose last deferral is over is active again. In a fixed number of statements.
    """
    ended = Hold.objects.standing().filter(ends_on__lte=now.astimezone(calendars.FIRST).date())
    rows = ended.select_related("debtor", "debt__debtor").select_for_update(of=("self",), no_key=True, skip_locked=True)
    over = [hold for hold in rows if hold.ends_on and hold.ends_on <= min(calendars.days(hold.whose, at=now))]
    if not over:
        return 0
    Hold.objects.filter(pk__any_of=[hold.pk for hold in over]).update(lifted_at=now, updated_at=now)
    holds.note(over, HoldEvent.Kind.EXPIRED, by=None, now=now)
    if deferred := [hold.debt_id for hold in over if hold.reason == Hold.Reason.DEFERRAL]:
        _set_free(deferred, now=now)
    return len(over)


def _set_free(debts: Collection[Any], *, now: datetime) -> None:
    """Make the debts active again that were deferred, and are no more."""
    still = Hold.objects.standing().filter(reason=Hold.Reason.DEFERRAL, debt__any_of=debts)
    freed = Debt.objects.filter(pk__any_of=debts).exclude(pk__in=still.values("debt"))
    freed.filter(current_status=DebtStatus.DEFERRED).update(current_status=DebtStatus.ACTIVE, updated_at=now)
    # A debt that was paid meanwhile would come back as deferred if the payment were taken back.
    freed.filter(status_before_closing=DebtStatus.DEFERRED).update(status_before_closing=DebtStatus.ACTIVE)
