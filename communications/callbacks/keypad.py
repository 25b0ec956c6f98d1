"""Handle the keys that are pressed in an automated call: hear the message, or opt out of calls."""

import uuid
from datetime import datetime

from communications.callbacks.events import KeyPress
from communications.calls import records
from communications.channels.spoken import HEAR, OPT_OUT
from communications.models import CallOutcome, CommunicationLog
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason


def call_of(message_id: uuid.UUID | None) -> CommunicationLog | None:
    """Return the message of a call; None if there is no such call."""
    calls = CommunicationLog.objects.filter(communication_type=Channel.VOICE).select_related("template", "debtor")
    return calls.filter(pk=message_id).first() if message_id else None


def handle(pressed: KeyPress, *, now: datetime) -> None:
    """Record that the debtor heard the message, or opt the number out of calls.

    The rule does not state whether hearing a message is a conversation (12 CFR 1006.14(b)(2)(i)(B)). It counts as one here,
    because the debtor answered and heard about the debt: the cooling-off period starts.
    """
    message = call_of(pressed.message_id)
    if pressed.digit == HEAR and message:
        notes = f"Key {HEAR} pressed: the debtor heard the message."
        records.tell(message.pk, CallOutcome.RIGHT_PARTY, words=notes, now=now)
    address = (message.address if message else None) or pressed.address
    if pressed.digit == OPT_OUT and address:
        source = f"Key {OPT_OUT} pressed in a call"
        contact_points.suppress(
            address, channel=Channel.VOICE, reason=SuppressionReason.OPTED_OUT, source=source, now=now
        )
