"""End holds after their last day, by every clock where the debtor may be, and statuses set by hand after theirs."""

from datetime import date, datetime

from django.db import transaction

from collection import statuses
from collection.balances import ledger
from collection.holds import holds
from collection.holds.active import is_active
from collection.models import Hold, HoldEvent, HoldQuerySet
from ddc.common.days import agency_today, begun
from debtors import calendars


@transaction.atomic
def expire(*, now: datetime) -> int:
    """End the holds and the statuses set by hand that are over, and return the number of holds.

    The debts that they concern are locked first, in the order of their ids, as for a payment that moves between two debts and for
    the end of a deferral by hand. The number of statements does not grow with the holds.
    """
    today = agency_today(now)
    over = [hold for hold in _candidates(now).select_related("debtor", "debt__debtor") if _is_over(hold, now=now)]
    debts = {hold.debt_id for hold in over if hold.debt_id and hold.reason == Hold.Reason.DEFERRAL}
    by_hand = statuses.ending_by_time(today)
    locked = list(ledger.lock_existing([*debts, *by_hand])) if debts or by_hand else []
    ended = _end(over, now=now)
    if by_hand:
        statuses.end_by_time(locked, today=today)
    if locked:
        statuses.refresh_all(locked, now=now)
    return ended


def _candidates(now: datetime) -> HoldQuerySet:
    return Hold.objects.not_ended().filter(ends_on__lte=begun(now))


def _end(over: list[Hold], *, now: datetime) -> int:
    """End those of the holds that nobody has ended or moved since they were read."""
    if not over:
        return 0
    mine = _candidates(now).filter(pk__any_of=[hold.pk for hold in over]).select_related("debtor", "debt__debtor")
    rows = mine.select_for_update(of=("self",), no_key=True, skip_locked=True)
    still = [hold for hold in rows if _is_over(hold, now=now)]
    if still:
        Hold.objects.filter(pk__any_of=[hold.pk for hold in still]).update(ended_at=now, updated_at=now)
        holds.record_events(still, HoldEvent.Kind.EXPIRED, by=None, now=now)
    return len(still)


def _is_over(hold: Hold, *, now: datetime) -> bool:
    """Check whether a hold is active on no day from the debtor's earliest possible one on."""
    return not is_active(hold.starts_on, hold.ends_on, min(calendars.days(hold.person, at=now)), date.max)
