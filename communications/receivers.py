"""React to signals of lower apps."""

from datetime import datetime

from django.dispatch import receiver

from arrangements import effects, progress, reminders
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent
from collection import deferral_steps, deferral_undo, deferrals, disputes
from collection.models import Debt, DeferralRequest, Dispute
from communications.calls import records
from communications.notices import decisions
from debtors import contact_points, phones
from debtors.channels import Channel
from debtors.models import SuppressionReason
from payments import creditor_references, receipts
from payments.models import Receipt, ReceiptAllocation

#: The events of an arrangement of which its debtor is told.
_ARRANGEMENT_EVENTS = (
    ArrangementEvent.Kind.ACCEPTED,
    ArrangementEvent.Kind.BROKEN,
    ArrangementEvent.Kind.KEPT,
    ArrangementEvent.Kind.CHANGED,
)


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


@receiver(effects.recorded, dispatch_uid="communications.notify_arrangement")
def notify_arrangement(
    sender: object, arrangement: Arrangement, kind: ArrangementEvent.Kind, now: datetime, **_: object
) -> None:
    if kind in _ARRANGEMENT_EVENTS:
        _notify_of(arrangement, f"arrangement_{kind}", now=now)


@receiver(reminders.due, dispatch_uid="communications.remind_of_instalment")
def remind_of_instalment(sender: object, arrangement: Arrangement, now: datetime, **_: object) -> None:
    _notify_of(arrangement, "instalment_due", now=now)


@receiver(progress.paid, dispatch_uid="communications.confirm_instalment")
def confirm_instalment(sender: object, arrangement: Arrangement, now: datetime, **_: object) -> None:
    _notify_of(arrangement, "instalment_received", now=now)


def _notify_of(arrangement: Arrangement, notice: str, *, now: datetime) -> None:
    """Queue a notice about an arrangement; it names the first of the arrangement's debts."""
    part = arrangement.parts.select_related("debt__debtor", "debt__creditor").first()
    if part and not arrangement.needs_person:
        decisions.notify(part.debt, notice, now=now)


@receiver(receipts.booked, dispatch_uid="communications.confirm_payment")
def confirm_payment(sender: object, receipt: Receipt, now: datetime, **_: object) -> None:
    """Confirm a payment at a provider, or a transfer by our reference, unless an arrangement confirms it as an instalment."""
    is_provider = receipt.source == Receipt.Source.PROVIDER
    if not is_provider and not creditor_references.are_in(receipt.reference):
        return
    allocations = ReceiptAllocation.objects.filter(receipt=receipt).values("payment_id")
    debts = Debt.objects.filter(payments__in=allocations).select_related("debtor", "creditor")
    first = debts.order_by("due_date", "created_at").first()
    if first and not ArrangementDebt.objects.filter(debt__in=debts, is_active=True).exists():
        decisions.notify(first, "payment_received", now=now)


@receiver(contact_points.address_suppressed, dispatch_uid="communications.withdraw_calls")
def withdraw_calls(
    sender: object, value: str, channel: Channel, reason: SuppressionReason, now: datetime, **_: object
) -> None:
    if channel.is_call or reason == SuppressionReason.WRONG_NUMBER:
        open_calls = records.open_tasks().filter(address__in=phones.spellings(value))
        records.withdraw(open_calls, "this number must not be called any more.", now=now)
