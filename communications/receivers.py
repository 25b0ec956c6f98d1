"""News from below: what this app does when something was decided there."""

from datetime import datetime

from django.dispatch import receiver

from collection import deferrals, disputes
from collection.models import DeferralRequest, Dispute
from communications.calls import records
from communications.notices import decisions
from debtors import contact_points
from debtors.models import Medium, StopReason


@receiver(deferrals.reviewed, dispatch_uid="communications.tell_decision")
def tell_decision(sender: object, request: DeferralRequest, now: datetime, **_: object) -> None:
    decisions.tell_decision(request, now=now)


@receiver(disputes.decided, dispatch_uid="communications.tell_of_dispute")
def tell_of_dispute(sender: object, dispute: Dispute, now: datetime, **_: object) -> None:
    decisions.tell_of_dispute(dispute, now=now)


@receiver(contact_points.stopped, dispatch_uid="communications.withdraw_calls")
def withdraw_calls(sender: object, value: str, medium: Medium, reason: StopReason, now: datetime, **_: object) -> None:
    if medium == Medium.VOICE or reason == StopReason.WRONG_NUMBER:
        records.withdraw(value, now=now)
