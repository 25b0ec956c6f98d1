"""Follow the payments: an arrangement is kept, broken or reinstated as the ledger says.

A payment on a debt with an arrangement is followed in its own transaction; a tick follows the passing of days. Both ask
``assessment``.
"""

import uuid
from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.dispatch import Signal

from arrangements import assessment, decisions, effects, settlements
from arrangements.assessment import State
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent
from collection.balances import ledger
from collection.models import Debt
from ddc.common.days import begun
from debtors import calendars

Status, Event = Arrangement.Status, ArrangementEvent.Kind
#: The statuses that payments can change.
FOLLOWED = (Status.ACTIVE, Status.BROKEN, Status.KEPT)
#: Sent with ``arrangement`` and ``now`` after a payment that pays an instalment of an arrangement that goes on.
paid = Signal()
#: Debts are locked while their arrangements change, so not too many at a time.
_BATCH = 200


def follow_days(*, now: datetime) -> int:
    """Assess all arrangements that the passing of days can change, and return how many changed."""
    due = [state.id for state in assessment.changed(assessment.RUNNING, day=begun(now))]
    return sum(follow(due[start : start + _BATCH], now=now) for start in range(0, len(due), _BATCH))


def follow_payment(debt: Debt, *, now: datetime) -> None:
    """Assess the arrangements of a debt on which a payment was posted, and tell that it pays an active one."""
    if not follow_debt(debt, now=now):
        for arrangement in Arrangement.objects.filter(parts__debt=debt, parts__is_active=True).select_related("debtor"):
            paid.send(Arrangement, arrangement=arrangement, now=now)


def follow_debt(debt: Debt, *, now: datetime) -> int:
    """Assess the arrangements of a debt, and return how many changed."""
    parts = ArrangementDebt.objects.filter(debt=debt, arrangement__status__in=FOLLOWED)
    found = set(parts.values_list("arrangement", flat=True))
    return follow(found, now=now) if found else 0


@transaction.atomic
def follow(arrangement_ids: Collection[uuid.UUID], *, now: datetime) -> int:
    """Give arrangements the status that their payments give them; return how many changed.

    An instalment is missed once its last day of grace is over on every clock where the debtor may be.
    """
    parts = ArrangementDebt.objects.filter(arrangement__any_of=arrangement_ids)
    ledger.lock_existing(set(parts.values_list("debt", flat=True)))
    # Read after the lock: a payment or a decision may have come in between.
    by_day: dict[date, dict[uuid.UUID, Arrangement]] = {}
    for row in Arrangement.objects.filter(pk__any_of=arrangement_ids).select_related("debtor", "creditor"):
        by_day.setdefault(min(calendars.days(row.debtor, at=now)), {})[row.pk] = row
    return sum(
        _apply(arrangements[state.id], state, now=now)
        for day, arrangements in by_day.items()
        for state in assessment.states(assessment.one_of(arrangements), day=day)
    )


def _apply(arrangement: Arrangement, state: State, *, now: datetime) -> bool:
    """Change the status of an arrangement whose debts are locked, if its state asks for it."""
    missed, needed = state.missed_on, arrangement.missed_to_break
    broken_on = missed[needed - 1] if len(missed) >= needed else None
    match arrangement.status:
        case Status.ACTIVE if state.is_kept:
            return _keep(arrangement, now=now)
        case Status.ACTIVE if broken_on:
            return _break(arrangement, broken_on, now=now)
        case Status.BROKEN if not broken_on and _may_reinstate(arrangement, now=now):
            return _reinstate(arrangement, is_kept=state.is_kept, now=now)
        case Status.KEPT if not state.is_kept:
            return _reopen(arrangement, broken_on, now=now)
    return False


def _may_reinstate(arrangement: Arrangement, *, now: datetime) -> bool:
    since = arrangement.broken_on
    return (
        since is not None
        and (calendars.today(arrangement.debtor, at=now) - since).days <= arrangement.self_reinstate_days
    )


def _keep(arrangement: Arrangement, *, now: datetime) -> bool:
    if not effects.move(arrangement, Status.ACTIVE, Status.BROKEN, to=Status.KEPT, now=now, broken_on=None):
        return False
    effects.deactivate(arrangement, by=None, now=now, why="The arrangement was kept.")
    effects.record(arrangement, Event.KEPT, by=None, now=now)
    settlements.complete(arrangement, now=now)
    return True


def _break(arrangement: Arrangement, day: date, *, now: datetime) -> bool:
    if not effects.move(arrangement, Status.ACTIVE, to=Status.BROKEN, now=now, broken_on=day):
        return False
    why = "The arrangement was broken."
    effects.deactivate(arrangement, by=None, now=now, why=why, owes_frozen_interest=True)
    effects.record(arrangement, Event.BROKEN, by=None, now=now, on=day.isoformat())
    return True


def _reinstate(arrangement: Arrangement, *, is_kept: bool, now: datetime) -> bool:
    """Put a broken arrangement in force again, or end it as kept if the late news is that all was paid in time."""
    debts = decisions.lock_debts(arrangement)
    others = ArrangementDebt.objects.filter(debt__in=debts, is_active=True)
    if not is_kept and (others.exists() or not all(debt.is_open for debt in debts.values())):
        return False
    effects.record(arrangement, Event.REINSTATED, by=None, now=now)
    if is_kept:
        return _keep(arrangement, now=now)
    if effects.move(arrangement, Status.BROKEN, to=Status.ACTIVE, now=now, broken_on=None):
        effects.activate(arrangement, debts, interest=arrangement.interest, by=None, now=now)
    return True


def _reopen(arrangement: Arrangement, broken_on: date | None, *, now: datetime) -> bool:
    """A payment of a kept arrangement went back, so it is not kept after all: it is broken, or goes on if there is time."""
    settlements.undo(arrangement, now=now)
    to = Status.BROKEN if broken_on else Status.ACTIVE
    if not effects.move(arrangement, Status.KEPT, to=to, now=now, broken_on=broken_on):
        return False
    if to == Status.ACTIVE:
        debts = decisions.lock_debts(arrangement)
        effects.activate(arrangement, debts, interest=arrangement.interest, by=None, now=now)
    effects.record(arrangement, Event.REOPENED, by=None, now=now)
    return True
