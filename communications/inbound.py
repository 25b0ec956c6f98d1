"""What debtors write to us."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Lower

from communications import suppressions, tracking
from communications.models import Channel, CommunicationLog, MessageStatus
from debtors.models import Debtor, StopReason

#: Words that end all messages when they are all that is said (CTIA Messaging Principles, 5.1.3; 47 CFR 64.1200(a)(10)).
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"})
#: These end them also when more follows: nobody begins another sentence so.
STOP_BEGINNINGS = frozenset({"stop", "stopall", "unsubscribe"})
START_WORDS = frozenset({"start", "unstop"})

_SUBJECT_LENGTH, _ADDRESS_LENGTH, _ID_LENGTH = 998, 254, 255


@dataclass(frozen=True)
class Received:
    """A message to us. ``opt_out`` is what the provider itself made of it: STOP or START."""

    channel: Channel
    provider: str
    message_id: str
    address: str
    body: str
    subject: str | None = None
    opt_out: str | None = None


@transaction.atomic
def receive(received: Received, *, now: datetime) -> CommunicationLog | None:
    """Keep a message with the debtor who wrote it, if one is known, and obey a STOP or START; None if it came before."""
    try:
        with transaction.atomic():
            tracking.note_once(received.provider, f"received:{received.message_id}"[:_ID_LENGTH], now=now)
    except tracking.ToldBefore:
        return None
    log = CommunicationLog.objects.create(
        debtor=_writer(received),
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
    medium = suppressions.MEDIUM[received.channel]
    wish = (received.opt_out or "").lower() or _wish(received)
    if wish == "stop" and received.address:
        words = f"They wrote: {(received.body or received.subject or '').strip()}"
        suppressions.suppress(received.address, medium=medium, reason=StopReason.OPTED_OUT, source=words, now=now)
    elif wish == "start":
        suppressions.lift(received.address, medium=medium, source="They wrote START.", now=now)
    return log


def _writer(received: Received) -> Debtor | None:
    if received.channel == Channel.EMAIL:
        same = Debtor.objects.alias(_email=Lower("email")).filter(_email=received.address.strip().lower())
        return same.first()
    return Debtor.objects.filter(mobile_phone=received.address).first()


def _wish(received: Received) -> str | None:
    """Tell what the words ask for: ``stop``, ``start`` or nothing of the kind."""
    for text in (received.body, received.subject if received.channel == Channel.EMAIL else None):
        words = " ".join(re.findall(r"[^\W_]+", (text or "").lower())[:8])
        if words in STOP_WORDS or words.split(" ")[0] in STOP_BEGINNINGS:
            return "stop"
        if words in START_WORDS:
            return "start"
    return None
