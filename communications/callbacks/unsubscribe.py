"""Unsubscribe the address that got a mail, by the link in that mail."""

from datetime import datetime

from communications.links import unsubscribe_link
from communications.models import CommunicationLog
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason


def mail_of(token: str) -> CommunicationLog | None:
    """Return the mail that a link's token belongs to; None for an invalid token."""
    message_id = unsubscribe_link.message_id(token)
    if message_id is None:
        return None
    mails = CommunicationLog.objects.filter(communication_type=Channel.EMAIL, address__isnull=False)
    return mails.filter(pk=message_id).first()


def unsubscribe(mail: CommunicationLog, *, now: datetime) -> bool:
    """Opt the address of a mail out of mail; return False if it was opted out before."""
    return contact_points.suppress(
        mail.address or "",
        channel=Channel.EMAIL,
        reason=SuppressionReason.OPTED_OUT,
        source="Unsubscribe link in a mail",
        now=now,
    )
