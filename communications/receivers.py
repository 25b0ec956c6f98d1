"""React to signals of lower apps."""

from datetime import datetime

from django.dispatch import receiver

from collection import deferral_steps, deferral_undo, deferrals, disputes
from collection.models import DeferralRequest, Dispute
from communications.calls import records
from communications.notices import decisions
from debtors import contact_points, phones
from debtors.channels import Channel
from debtors.models import SuppressionReason


@receiver(deferrals.reviewed, dispatch_uid="communications.notify_deferral")
def notify_deferral(
    sender: object, request: DeferralRequest, now: datetime, not_before: datetime | None, **_: object
) -> None:
    decision, note = decisions.decision_on(request), request.review_notes or ""
    decisions.notify(request.debt, decision, note=note, not_before=not_before, now=now)


@receiver(deferral_steps.questioned, dispatch_uid="communications.ask_about_deferral")
def ask_about_deferral(
    sender: object, request: DeferralRequest, now: datetime, not_before: datetime | None, **_: object
) -> None:
    decisions.notify(request.debt, decisions.QUESTION, note=request.question, not_before=not_before, now=now)


@receiver(deferral_undo.undone, dispatch_uid="communications.take_back_deferral")
def take_back_deferral(
    sender: object, request: DeferralRequest, decided_at: datetime, now: datetime, **_: object
) -> None:
    if not decisions.take_back(request, decided_at=decided_at, now=now):
        raise deferral_undo.TooLate


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
