"""Notify debtors of the decisions on their deferral requests and disputes."""

from datetime import datetime

from collection.models import Debt, DeferralRequest, Dispute
from communications.models import CommunicationLog
from communications.outbox import outbox
from communications.texts import templates
from contact import addresses
from contact.models import Purpose
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor

_GREETING = "Dear {{debtor_full_name}},\n\n"
_SIGNATURE = "\n\n{{agency_name}}\n{{portal_url}}"
_DEFERRAL_SUBJECTS = {
    DeferralRequest.Status.APPROVED: "You have more time: {{original_creditor}}",
    DeferralRequest.Status.REJECTED: "Your request for more time: {{original_creditor}}",
}
_DEFERRAL_TEXTS = {
    DeferralRequest.Status.APPROVED: (
        "We have granted your request for more time on your debt to {{original_creditor}}. "
        "It is now due on {{debt_due_date}}."
    ),
    DeferralRequest.Status.REJECTED: (
        "We could not grant your request for more time on your debt to {{original_creditor}}. "
        "You find the reason when you sign in."
    ),
}


_DISPUTE_SUBJECT = "Your dispute: {{original_creditor}}"
_DISPUTE_TEXTS = {
    Dispute.Status.VERIFIED: (
        "We asked {{original_creditor}} about the debt that you disputed, and they have shown that it is owed. "
        "You find their answer when you sign in."
    ),
    Dispute.Status.ADJUSTED: (
        "We asked {{original_creditor}} about the debt that you disputed, and it was corrected. You now owe {{debt_amount}}. "
        "You find more about it when you sign in."
    ),
    Dispute.Status.WITHDRAWN: "We have noted that you no longer dispute your debt to {{original_creditor}}.",
    Dispute.Status.RECALLED: (
        "{{original_creditor}} has taken back the debt that you disputed. There is nothing to be paid to us."
    ),
}


def notify_deferral(request: DeferralRequest, *, now: datetime) -> CommunicationLog:
    """Queue the decision on a deferral request, by the active template ``deferral_approved`` or ``deferral_rejected``.

    Without such a template the text is the product's own.
    """
    status = DeferralRequest.Status(request.status)
    return _queue(
        request.debt, f"deferral_{status.value}", _DEFERRAL_SUBJECTS[status], _DEFERRAL_TEXTS[status], now=now
    )


def notify_dispute(dispute: Dispute, *, now: datetime) -> CommunicationLog:
    """Queue the decision on a dispute, by the active template ``dispute_verified`` and so on, else the product's own text."""
    status = Dispute.Status(dispute.status)
    return _queue(dispute.debt, f"dispute_{status.value}", _DISPUTE_SUBJECT, _DISPUTE_TEXTS[status], now=now)


def _queue(debt: Debt, name: str, subject: str, text: str, *, now: datetime) -> CommunicationLog:
    debtor = debt.debtor
    channel = _channel(debtor)
    template = templates.named(name, channel, language=debtor.language_preference)
    long = channel == Channel.EMAIL
    return outbox.queue(
        debtor=debtor,
        debt=debt,
        channel=channel,
        template=template,
        subject=subject if long and not template else None,
        body=None if template else (_GREETING + text + _SIGNATURE if long else text),
        purpose=Purpose.SOLICITED,
        now=now,
    )


def _channel(debtor: Debtor) -> Channel:
    """Choose e-mail if its address may be used, else SMS. If neither may, the blocked e-mail shows in the back office."""
    mail = addresses.address(debtor, Channel.EMAIL)
    phone = addresses.address(debtor, Channel.SMS)
    suppressed = contact_points.suppressed({Channel.EMAIL: {mail}, Channel.SMS: {phone}})
    if mail and (Channel.EMAIL, mail) not in suppressed:
        return Channel.EMAIL
    return Channel.SMS if phone and (Channel.SMS, phone) not in suppressed else Channel.EMAIL
