"""What debtors are told of what was decided on their requests and disputes."""

from datetime import datetime

from collection.models import Debt, DeferralRequest, Dispute
from communications import suppressions
from communications.models import CommunicationLog, Purpose
from communications.outbox import outbox
from communications.texts import templates
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor

_GREETING = "Dear {{debtor_full_name}},\n\n"
_SIGNATURE = "\n\n{{agency_name}}\n{{portal_url}}"
_SUBJECTS = {
    DeferralRequest.Status.APPROVED: "You have more time: {{original_creditor}}",
    DeferralRequest.Status.REJECTED: "Your request for more time: {{original_creditor}}",
}
_TEXTS = {
    DeferralRequest.Status.APPROVED: (
        "We have granted your request for more time on your debt to {{original_creditor}}. "
        "It is now due on {{debt_due_date}}."
    ),
    DeferralRequest.Status.REJECTED: (
        "We could not grant your request for more time on your debt to {{original_creditor}}. "
        "You find the reason when you sign in."
    ),
}


_DISPUTE = "Your dispute: {{original_creditor}}"
_OF_DISPUTES = {
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


def tell_decision(request: DeferralRequest, *, now: datetime) -> CommunicationLog:
    """Queue the answer to a deferral request, by the active template ``deferral_approved`` or ``deferral_rejected``.

    Where there is none, a text of our own does. By mail, or by SMS where mail must not or can't reach them.
    """
    status = DeferralRequest.Status(request.status)
    return _tell(request.debt, f"deferral_{status.value}", _SUBJECTS[status], _TEXTS[status], now=now)


def tell_of_dispute(dispute: Dispute, *, now: datetime) -> CommunicationLog:
    """Queue what came of a dispute, by the active template ``dispute_verified`` and so on, else a text of our own."""
    status = Dispute.Status(dispute.status)
    return _tell(dispute.debt, f"dispute_{status.value}", _DISPUTE, _OF_DISPUTES[status], now=now)


def _tell(debt: Debt, name: str, subject: str, text: str, *, now: datetime) -> CommunicationLog:
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
    """Mail, or SMS where only that is left. Where nothing is, mail: it shows as blocked, and an agent sees it."""
    mail = suppressions.address(debtor, Channel.EMAIL)
    phone = suppressions.address(debtor, Channel.SMS)
    suppressed = contact_points.suppressed({Channel.EMAIL: {mail}, Channel.SMS: {phone}})
    if mail and (Channel.EMAIL, mail) not in suppressed:
        return Channel.EMAIL
    return Channel.SMS if phone and (Channel.SMS, phone) not in suppressed else Channel.EMAIL
