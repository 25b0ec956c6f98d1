"""Remind debtors of instalments a few days before they are due."""

from datetime import datetime, timedelta

from django.db import transaction
from django.dispatch import Signal

from arrangements import assessment
from arrangements.models import Arrangement, Instalment
from ddc.common.days import begun
from debtors import calendars

#: So many days before an instalment is due.
DAYS_BEFORE = 3
#: Sent with ``arrangement`` and ``now`` in the transaction that notes the reminder; a receiver writes to the debtor.
due = Signal()


def remind(*, now: datetime) -> int:
    """Remind of the next instalments of active arrangements, each once for its due day; return how many."""
    today = begun(now)
    soon = Instalment.objects.filter(
        arrangement__status=Arrangement.Status.ACTIVE,
        arrangement__needs_person=False,
        due_on__range=(today - timedelta(days=1), today + timedelta(days=DAYS_BEFORE)),
        reminded_on=None,
    )
    return sum(_remind(instalment, now=now) for instalment in soon.select_related("arrangement__debtor"))


def _remind(instalment: Instalment, *, now: datetime) -> bool:
    arrangement = instalment.arrangement
    today = calendars.today(arrangement.debtor, at=now)
    step = assessment.next_of(assessment.steps([arrangement.pk], day=today)[arrangement.pk])
    if step is None or step.no != instalment.no or not today < instalment.due_on <= today + timedelta(days=DAYS_BEFORE):
        return False
    with transaction.atomic():
        if not Instalment.objects.filter(pk=instalment.pk, reminded_on=None).update(reminded_on=today):
            return False
        due.send(Arrangement, arrangement=arrangement, now=now)
    return True
