"""React to signals of lower apps."""

from datetime import datetime

from django.dispatch import receiver

from collection import deferrals, disputes
from collection.models import DeferralRequest, Dispute
from communications.calls import records
from communications.notices import decisions
from debtors import contact_points, phones
from debtors.channels import Channel
from debtors.models import SuppressionReason


@receiver(deferrals.reviewed, dispatch_uid="communications.notify_deferral")
def notify_deferral(sender: object, request: DeferralRequest, now: datetime, **_: object) -> None:
    decisions.notify(request.debt, f"deferral_{request.status}", now=now)


@receiver(disputes.decided, dispatch_uid="communications.notify_dispute")
def notify_dispute(sender: object, dispute: Dispute, now: datetime, **_: object) -> None:
    decisions.notify(dispute.debt, f"dispute_{dispute.status}", now=now)


@receiver(contact_points.address_suppressed, dispatch_uid="communications.withdraw_calls")
def withdraw_calls(
    sender: object, value: str, channel: Channel, reason: SuppressionReason, now: datetime, **_: object
) -> None:
    if channel.is_call or reason == SuppressionReason.WRONG_NUMBER:
        open_calls = records.open_tasks().filter(address__in=phones.spellings(value))
        records.withdraw(open_calls, "this number must not be called any more.", now=now)
