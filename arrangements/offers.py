"""Offers that time or a payment decides: they expire, or the debtor accepts by paying."""

from datetime import datetime

from django.db import transaction

from arrangements import assessment, decisions, effects
from arrangements.models import Arrangement, ArrangementEvent, Kind
from ddc.common.days import begun
from ddc.common.errors import DomainError
from debtors import calendars

Status = Arrangement.Status


def accept_by_payment(*, now: datetime) -> int:
    """Accept the settlements that debtors have paid in full by the last day of the offer; return how many."""
    offered = Arrangement.objects.filter(status=Status.OFFERED, kind=Kind.SETTLEMENT).select_related("debtor")
    by_id = {arrangement.pk: arrangement for arrangement in offered}
    accepted = 0
    for state in assessment.states(assessment.one_of(by_id), day=begun(now)):
        arrangement = by_id[state.id]
        is_paid = state.paid >= arrangement.total
        if is_paid and assessment.paid_by(arrangement, arrangement.expires_on or begun(now)) >= arrangement.total:
            accepted += _accept(arrangement, now=now)
    return accepted


def expire(*, now: datetime) -> int:
    """End the offers with a last day that is over on every clock where their debtor may be; return how many."""
    over = Arrangement.objects.filter(status=Status.OFFERED, expires_on__lt=begun(now)).select_related("debtor")
    ended = 0
    for arrangement in over:
        if arrangement.expires_on and arrangement.expires_on < min(calendars.days(arrangement.debtor, at=now)):
            with transaction.atomic():
                if effects.move(arrangement, Status.OFFERED, to=Status.EXPIRED, now=now):
                    effects.record(arrangement, ArrangementEvent.Kind.EXPIRED, by=None, now=now)
                    ended += 1
    return ended


def _accept(arrangement: Arrangement, *, now: datetime) -> bool:
    try:
        decisions.accept(arrangement, by=None, now=now)
    except DomainError:
        return False  # Its debts are closed or disputed: an agent sees the payment and the offer on the person's page.
    return True
