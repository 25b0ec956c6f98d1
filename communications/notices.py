"""What debtors are told of what was decided on their requests."""

from datetime import datetime

from collection.models import DeferralRequest
from communications import outbox, suppressions, templates
from communications.models import Channel, CommunicationLog, Purpose
from debtors.models import Debtor, Medium

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


def tell_decision(request: DeferralRequest, *, now: datetime) -> CommunicationLog:
    """Queue the answer to a deferral request, by the active template ``deferral_approved`` or ``deferral_rejected``.

    Where there is none, a text of our own does. By mail, or by SMS where mail must not or can't reach them.
    """
    debtor, status = request.debtor, DeferralRequest.Status(request.status)
    channel = _channel(debtor)
    template = templates.named(f"deferral_{status.value}", channel, language=debtor.language_preference)
    long = channel == Channel.EMAIL
    return outbox.queue(
        debtor=debtor,
        debt=request.debt,
        channel=channel,
        template=template,
        subject=_SUBJECTS[status] if long and not template else None,
        body=None if template else (_GREETING + _TEXTS[status] + _SIGNATURE if long else _TEXTS[status]),
        purpose=Purpose.SOLICITED,
        now=now,
    )


def _channel(debtor: Debtor) -> Channel:
    """Mail, or SMS where only that is left. Where nothing is, mail: it shows as blocked, and an agent sees it."""
    mail = suppressions.address(debtor, Channel.EMAIL)
    phone = suppressions.address(debtor, Channel.SMS)
    listed = suppressions.suppressed({Medium.EMAIL: {mail}, Medium.SMS: {phone}})
    if mail and (Medium.EMAIL, mail) not in listed:
        return Channel.EMAIL
    return Channel.SMS if phone and (Medium.SMS, phone) not in listed else Channel.EMAIL
