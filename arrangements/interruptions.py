"""Interrupt arrangements: holds that suspend its instalments, events that need a person, and debts that were closed."""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from arrangements import assessment, calendar, decisions, effects, schedules
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent, Instalment
from arrangements.schedules import Frequency
from collection.models import OPEN, Hold
from ddc.common.days import begun
from debtors import calendars

Status, Event, Reason = Arrangement.Status, ArrangementEvent.Kind, Hold.Reason
#: Instalments that fall into one of these move behind it. What is paid meanwhile is taken.
SUSPENDING = (
    Reason.DISPUTE, Reason.MORATORIUM, Reason.MENTAL_HEALTH_MORATORIUM, Reason.SCOTTISH_MORATORIUM,
    Reason.NORTHERN_IRISH_MORATORIUM,
)  # fmt: skip
#: These end the talk with the debtor, so an agent decides how the arrangement goes on.
FOR_A_PERSON = (Reason.DECEASED, Reason.BANKRUPTCY, Reason.ATTORNEY)


def move_suspended(*, now: datetime) -> int:
    """Move the instalments that come due during a suspending hold by whole periods; return the number of arrangements."""
    due = Instalment.objects.filter(arrangement=OuterRef("pk"), due_on__lte=begun(now))
    held = _active().filter(Exists(due), Exists(_holds([*SUSPENDING, *FOR_A_PERSON], now=now)))
    return sum(_move(arrangement.pk, now=now) for arrangement in held)


def hand_over(*, now: datetime) -> int:
    """Mark the active arrangements of debtors who died, are bankrupt or have an attorney for a person; return how many."""
    found = _active().filter(Exists(_holds(FOR_A_PERSON, now=now)), needs_person=False)
    handed = 0
    for arrangement in found:
        with transaction.atomic():
            if effects.move(arrangement, Status.ACTIVE, to=Status.ACTIVE, now=now, needs_person=True):
                effects.record(arrangement, Event.HANDED_OVER, by=None, now=now)
                handed += 1
    return handed


def cancel_closed(*, now: datetime) -> int:
    """Cancel the active arrangements of which every debt was closed by somebody, such as recalled; return how many."""
    still_open = ArrangementDebt.objects.filter(arrangement=OuterRef("pk"), debt__current_status__in=OPEN)
    cancelled = 0
    for arrangement in _active().filter(~Exists(still_open)):
        with transaction.atomic():
            decisions.lock_debts(arrangement)
            if effects.move(arrangement, Status.ACTIVE, to=Status.CANCELLED, now=now):
                effects.deactivate(arrangement, by=None, now=now, why="The debts were closed.")
                effects.record(arrangement, Event.CANCELLED, by=None, now=now, reason="The debts were closed.")
                cancelled += 1
    return cancelled


def _active() -> QuerySet[Arrangement]:
    return Arrangement.objects.filter(status=Status.ACTIVE).select_related("debtor")


def _holds(reasons: Collection[Hold.Reason], *, now: datetime) -> QuerySet[Hold]:
    today = begun(now)
    debts = ArrangementDebt.objects.filter(arrangement=OuterRef(OuterRef("pk"))).values("debt")
    of_it = Q(debtor=OuterRef("debtor")) | Q(debt__in=debts)
    return Hold.objects.active_between(today, today).filter(of_it, reason__in=reasons)


@transaction.atomic
def _move(arrangement_id: uuid.UUID, *, now: datetime) -> bool:
    arrangement = Arrangement.objects.select_for_update(of=("self",)).select_related("debtor").get(pk=arrangement_id)
    today = calendars.today(arrangement.debtor, at=now)
    steps = assessment.steps([arrangement.pk], day=today)[arrangement.pk]
    unpaid = [step for step in steps if step.open > 0]
    # One that was missed before the hold stays missed.
    if arrangement.status != Status.ACTIVE or not unpaid or unpaid[0].is_missed or unpaid[0].due_on > today:
        return False
    arrangement.moved_periods += 1
    Arrangement.objects.filter(pk=arrangement.pk).update(moved_periods=arrangement.moved_periods, updated_at=now)
    for step in unpaid:
        agreed = _agreed(arrangement, step.no)
        due_on = calendar.shifted(agreed, rule=arrangement.business_days, debtor=arrangement.debtor)
        Instalment.objects.filter(pk=step.id).update(agreed_on=agreed, due_on=due_on, reminded_on=None)
    effects.record(arrangement, Event.MOVED, by=None, now=now, instalment=unpaid[0].no)
    return True


def _agreed(arrangement: Arrangement, no: int) -> date:
    """Return the agreed date of an instalment after all moves, from the first date of the schedule: months never drift."""
    place = no - 1 + arrangement.moved_periods
    return next(islice(schedules.dates(arrangement.anchored_on, Frequency(arrangement.frequency)), place, None))
