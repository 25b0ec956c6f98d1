"""What debtors write to us: kept with who wrote it and what it answers, and unread until an agent has read it."""

import re
import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from agents.models import Agent
from communications.callbacks import stop_words
from communications.callbacks.events import InboundMessage
from communications.models import CommunicationLog, CommunicationLogQuerySet, MessageStatus
from communications.notices import confirmations
from ddc.common.errors import DomainError
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason

_SUBJECT_LENGTH, _ADDRESS_LENGTH, _ID_LENGTH = 998, 254, 255
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_REFERENCES = 20


class NotUnread(DomainError):
    """A message to us is read once."""

    message = "This message has been read already, or is none that came in."


@transaction.atomic
def receive(received: InboundMessage, *, now: datetime) -> CommunicationLog | None:
    """Keep a message with the debtor who wrote it, if one is known, and obey a STOP or START; None if it came before."""
    known = CommunicationLog.objects.filter(
        provider=received.provider,
        provider_message_id=received.message_id[:_ID_LENGTH],
        direction=CommunicationLog.Direction.INBOUND,
    )
    if known.exists():
        return None
    answered = _answered(received)
    debtor = _writer(received) or (answered.debtor if answered else None)
    log = CommunicationLog.objects.create(
        debtor=debtor,
        debt=answered.debt if answered and answered.debtor == debtor else None,
        in_reply_to=answered,
        communication_type=received.channel,
        direction=CommunicationLog.Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        address=received.address[:_ADDRESS_LENGTH],
        subject=received.subject[:_SUBJECT_LENGTH] if received.subject else None,
        body=received.body,
        provider=received.provider,
        provider_message_id=received.message_id[:_ID_LENGTH],
        created_at=now,
    )
    _obey(received, log, now=now)
    return log


@transaction.atomic
def mark_read(log: CommunicationLog, *, by: Agent, now: datetime) -> None:
    """Note that an agent has read a message to us.

    :raises NotUnread: if one had before
    """
    unread = CommunicationLog.objects.filter(
        pk=log.pk, direction=CommunicationLog.Direction.INBOUND, read_at__isnull=True
    )
    if not unread.update(read_at=now, read_by=by, updated_at=now):
        raise NotUnread


def thread(message: CommunicationLog) -> CommunicationLogQuerySet:
    """Return the message that one answers with all that answers it too; of one that answers nothing, itself and its answers."""
    root = message.in_reply_to_id or message.pk
    return CommunicationLog.objects.filter(Q(pk=root) | Q(in_reply_to=root))


def _obey(received: InboundMessage, log: CommunicationLog, *, now: datetime) -> None:
    wish = (received.opt_out or "").lower() or _wish(received)
    channel = Channel(received.channel)
    said = (received.body or received.subject or "").strip()
    if wish == "stop" and received.address:
        is_news = contact_points.suppress(
            received.address, channel=channel, reason=SuppressionReason.OPTED_OUT, source=f"Reply: {said}", now=now
        )
        if is_news and received.channel == Channel.SMS and not received.opt_out:
            confirmations.confirm_stop(log, now=now)
    elif wish == "start":
        contact_points.opt_in(received.address, channel=channel, source=f"Reply: {said}", now=now)
        contact_points.record_consent_by_reply(received.address, channel=channel, now=now)


def _writer(received: InboundMessage) -> Debtor | None:
    kind = Channel(received.channel).address_kind
    return contact_points.owner(received.address, kind) if received.address else None


def _answered(received: InboundMessage) -> CommunicationLog | None:
    """Find the message that this one answers: a mail says which; of text messages it is the newest to that number."""
    sent = CommunicationLog.objects.filter(
        direction=CommunicationLog.Direction.OUTBOUND, communication_type=received.channel
    ).select_related("debtor", "debt")
    if received.channel != Channel.EMAIL:
        return sent.filter(address=received.address, sent_at__isnull=False).order_by("-sent_at").first()
    for reference in received.references[:_MOST_REFERENCES]:
        found = _UUID.search(reference)
        if found and (log := sent.filter(pk=uuid.UUID(found[0])).first()):
            return log
        bare = reference.strip("<> ")
        ids = [bare, f"<{bare}>"]
        if log := sent.filter(provider=received.provider, provider_message_id__in=ids).first():
            return log
    return None


def _wish(received: InboundMessage) -> str | None:
    for text in (received.body, received.subject if received.channel == Channel.EMAIL else None):
        if text and (found := stop_words.wish(text)):
            return found
    return None
