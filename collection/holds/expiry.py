"""End holds after their last day, by every clock where the debtor may be."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import transaction

from collection.holds import holds
from collection.holds.active import is_active
from collection.models import Debt, DebtStatus, Hold, HoldEvent
from ddc.common.days import begun
from debtors import calendars


@transaction.atomic
def expire(*, now: datetime) -> int:
    """End the holds that are over, and return their number.

    A debt becomes active again with the end of its last deferral. The number of statements does not grow with the holds.
    """
    ended = Hold.objects.not_ended().filter(ends_on__lte=begun(now))
    rows = ended.select_related("debtor", "debt__debtor").select_for_update(of=("self",), no_key=True, skip_locked=True)
    over = [hold for hold in rows if _is_over(hold, now=now)]
    if not over:
        return 0
    Hold.objects.filter(pk__any_of=[hold.pk for hold in over]).update(ended_at=now, updated_at=now)
    holds.record_events(over, HoldEvent.Kind.EXPIRED, by=None, now=now)
    if deferred := [hold.debt_id for hold in over if hold.reason == Hold.Reason.DEFERRAL]:
        _reactivate(deferred, now=now)
    return len(over)


def _is_over(hold: Hold, *, now: datetime) -> bool:
    """Check whether a hold is active on no day from the debtor's earliest possible one on."""
    return not is_active(hold.starts_on, hold.ends_on, min(calendars.days(hold.person, at=now)), date.max)


def _reactivate(debts: Collection[Any], *, now: datetime) -> None:
    """Make debts active again after the end of their last deferral."""
    still = Hold.objects.not_ended().filter(reason=Hold.Reason.DEFERRAL, debt__any_of=debts)
    freed = Debt.objects.filter(pk__any_of=debts).exclude(pk__in=still.values("debt"))
    freed.filter(current_status=DebtStatus.DEFERRED).update(current_status=DebtStatus.ACTIVE, updated_at=now)
    # A debt paid in the meantime would become deferred again if that payment were reversed.
    freed.filter(status_before_closing=DebtStatus.DEFERRED).update(status_before_closing=DebtStatus.ACTIVE)
