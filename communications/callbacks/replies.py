"""Inbound messages: stored with their debtor and the message that they answer, until an agent marks them as read."""

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from agents.models import Agent
from communications.callbacks import quotes, stop_words
from communications.callbacks.stop_words import Wish
from communications.channels.events import InboundMessage
from communications.models import AsksFor, CommunicationLog, MessageStatus
from communications.notices import written
from communications.outbox import outbox
from communications.sending import writing
from communications.texts import templates, wording
from contact.engine.decision import Decision
from contact.models import Purpose
from ddc.common.days import agency_zone
from ddc.common.errors import DomainError
from debtors import consents, contact_points, phones
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason

_SUBJECT_LENGTH, _ADDRESS_LENGTH, _ID_LENGTH = 998, 254, 255
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAX_REFERENCES = 20
_SHOWN = 120
#: The subject of an answer is ours.
_ANSWER = re.compile(r"\s*(?:re|aw|sv|antw|odp|r|tr|fwd?|wg)\s?:", re.IGNORECASE)
#: A late confirmation of an opt-out is not sent.
_CONFIRMATION_LIFETIME = timedelta(minutes=5)


class NotUnread(DomainError):
    """An inbound message is marked as read once."""

    message = "This message is not an unread inbound message. It may have been marked as read already."


class HandledBefore(DomainError):
    """Another agent answered the message, or marked it as read, since this one opened it."""


@transaction.atomic
def receive(received: InboundMessage, *, now: datetime) -> CommunicationLog | None:
    """Store a message with its debtor, if known, and apply STOP or START; None if it was stored before."""
    stored = CommunicationLog.objects.filter(
        provider=received.provider,
        provider_message_id=received.provider_message_id[:_ID_LENGTH],
        direction=CommunicationLog.Direction.INBOUND,
    )
    if stored.exists():
        return None
    answered = _answered_message(received)
    debtor = _sender(received) or (answered.debtor if answered else None)
    message = CommunicationLog.objects.create(
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
        provider_message_id=received.provider_message_id[:_ID_LENGTH],
        created_at=now,
    )
    _apply(received, message, now=now)
    return message


@transaction.atomic
def mark_read(message: CommunicationLog, *, by: Agent, now: datetime) -> None:
    """Mark an inbound message as read.

    :raises NotUnread: if it is read already
    """
    unread = CommunicationLog.objects.filter(
        pk=message.pk, direction=CommunicationLog.Direction.INBOUND, read_at__isnull=True
    )
    if not unread.update(read_at=now, read_by=by, updated_at=now):
        raise NotUnread


@transaction.atomic
def answer(
    reply: CommunicationLog,
    answering: CommunicationLog,
    *,
    seen: datetime | None,
    by: Agent,
    now: datetime,
    **options: Any,
) -> Decision:
    """Send an answer to a debtor's message as ``written.send`` does with its ``options``, and mark the message as read.

    :param seen: ``read_at`` as the agent's page showed it; of two agents at once, the second one is refused
    :raises HandledBefore: if it has changed since
    """
    if not CommunicationLog.objects.filter(as_seen(seen), pk=reply.pk).update(read_at=now, read_by=by, updated_at=now):
        raise HandledBefore(how_handled(reply))
    return written.send(answering, now=now, **options)


def as_seen(seen: datetime | None) -> Q:
    """Return the condition of a message that nobody has handled since ``seen``, for the statement that handles it."""
    return Q(read_at=seen) if seen else Q(read_at__isnull=True)


def how_handled(reply: CommunicationLog) -> str:
    """Say who answered a message, when and how, or who marked it as read."""
    answers = CommunicationLog.objects.filter(in_reply_to=reply, written_by__isnull=False).select_related("written_by")
    if last := answers.order_by("-created_at").first():
        made = last.created_at.astimezone(agency_zone())
        text, _, _ = (writing.draft(last)[1] or last.body or "").strip().partition("\n")
        return f"{last.written_by} answered this message on {made:%-d %b at %H:%M}: “{text[:_SHOWN]}”. Read it first."
    reply.refresh_from_db(fields=["read_at", "read_by"])
    return f"{reply.read_by or 'The system'} marked this message as read. Check whether it still needs an answer."


# Up to the first message of the thread, then down to all answers. A thread is as long as the debtor and we write.
_THREAD = """
WITH RECURSIVE up (id, parent) AS (
    SELECT id, in_reply_to_id FROM communication_log WHERE id = %s
    UNION
    SELECT log.id, log.in_reply_to_id FROM communication_log AS log JOIN up ON log.id = up.parent
), down (id) AS (
    SELECT id FROM up WHERE parent IS NULL
    UNION
    SELECT log.id FROM communication_log AS log JOIN down ON log.in_reply_to_id = down.id
)
SELECT id FROM down
"""


def thread(message: CommunicationLog) -> QuerySet[CommunicationLog]:
    """Return the message that began a thread, with all answers and their answers."""
    return CommunicationLog.objects.filter(pk__in=RawSQL(_THREAD, [message.pk]))  # noqa: S611 - the id is a parameter


def _apply(received: InboundMessage, message: CommunicationLog, *, now: datetime) -> None:
    """Obey what a message asks for, and mark it. A message by a machine is read already, and nothing in it is obeyed."""
    if received.automatic:
        _mark(message, AsksFor.NOTHING, read_at=now)
        return
    wish = _wish(received)
    channel = Channel(received.channel)
    source = f"Reply: {(received.body or received.subject or '').strip()}"
    # Anybody can write any sender into a mail, so only a text shows that the debtor has the address.
    if message.debtor and channel == Channel.SMS and not wish.wrong_person:
        consents.record_use(message.debtor, phone=received.address, now=now)
    if wish.wrong_person:
        _mark(message, AsksFor.WRONG_PERSON)
        _suppress(message, channel, SuppressionReason.WRONG_NUMBER, source=source, now=now)
    elif wish.help:
        _mark(message, AsksFor.HELP)
    if wish.stop:
        if not wish.wrong_person:
            _mark(message, AsksFor.DOUBTFUL if wish.doubtful else AsksFor.STOP)
        is_new = _suppress(message, channel, SuppressionReason.OPTED_OUT, source=source, now=now)
        if is_new and channel == Channel.SMS and not received.opt_out:
            _confirm_opt_out(message, now=now)
    elif wish.start:
        _mark(message, AsksFor.START)
        # Anybody can write any sender into a mail, so an agent opts an address in again.
        if channel != Channel.EMAIL:
            contact_points.opt_in(received.address, channel=channel, source=source, now=now)
            if message.debtor:
                consents.record_reply(
                    message.debtor,
                    phone=received.address,
                    channel=channel,
                    text=received.body or "",
                    source=f"Message {message.pk}",
                    now=now,
                )


def _mark(message: CommunicationLog, asks_for: AsksFor, **changes: datetime) -> None:
    CommunicationLog.objects.filter(pk=message.pk).update(asks_for=asks_for, **changes)


def _suppress(
    message: CommunicationLog, channel: Channel, reason: SuppressionReason, *, source: str, now: datetime
) -> bool:
    """Suppress the sender, and the address to which the answered mail went: mail is forwarded, and answered from elsewhere."""
    answered = message.in_reply_to if channel == Channel.EMAIL else None
    addresses = {message.address, answered.address if answered else None} - {None, ""}
    are_new = [
        contact_points.suppress(address or "", channel=channel, reason=reason, source=source, now=now)
        for address in sorted(addresses, key=str)
    ]
    return any(are_new)


def _confirm_opt_out(request: CommunicationLog, *, now: datetime) -> None:
    """Queue the one message that is sent to a number after its STOP (47 CFR 64.1200(a)(12)), in the debtor's language.

    Without an active template ``opt_out_confirmed``, or a known debtor, the text is the product's own.
    """
    preferred = request.debtor.language_preference if request.debtor else None
    template = templates.named("opt_out_confirmed", Channel.SMS, language=preferred) if request.debtor else None
    outbox.queue(
        debtor=request.debtor,
        channel=Channel.SMS,
        template=template,
        body=None if template else wording.in_language(preferred)[0].opted_out,
        purpose=Purpose.CONFIRMATION,
        now=now,
        expires_at=now + _CONFIRMATION_LIFETIME,
        confirms_opt_out_of=request.address,
    )


def _wish(received: InboundMessage) -> Wish:
    """Return what a message asks for: as the provider recognised it, by its own text, or by a mail's subject."""
    known = (received.opt_out or "").lower()
    if known in ("stop", "start"):
        return Wish(stop=known == "stop", start=known == "start")
    if received.channel != Channel.EMAIL:
        return stop_words.read(received.body or "")
    wish = stop_words.read(quotes.new_text(received.body or ""))
    if wish == Wish() and received.subject and not _ANSWER.match(received.subject):
        wish = stop_words.read(received.subject)
    return wish


def _sender(received: InboundMessage) -> Debtor | None:
    kind = Channel(received.channel).address_kind
    return contact_points.owner(received.address, kind) if received.address else None


def _answered_message(received: InboundMessage) -> CommunicationLog | None:
    """Find the message that this one answers: by the references of a mail, else the newest to the sender's number."""
    sent = CommunicationLog.objects.filter(
        direction=CommunicationLog.Direction.OUTBOUND, communication_type=received.channel
    ).select_related("debtor", "debt")
    if received.channel != Channel.EMAIL:
        dialled = phones.spellings(phones.normal_form(received.address))
        return sent.filter(address__in=dialled, sent_at__isnull=False).order_by("-sent_at").first()
    for reference in received.references[:_MAX_REFERENCES]:
        our_id = _UUID.search(reference)
        if our_id and (message := sent.filter(pk=uuid.UUID(our_id[0])).first()):
            return message
        bare = reference.strip("<> ")
        ids = [bare, f"<{bare}>"]
        if message := sent.filter(provider=received.provider, provider_message_id__in=ids).first():
            return message
    return None
