"""Handle automated calls: what is spoken next, and the keys that are pressed to hear the message or to opt out."""

import uuid
from datetime import datetime

from communications.calls import records
from communications.channels import spoken
from communications.channels.events import CallAnswered, CallbackEvent, KeyPress
from communications.channels.spoken import HEAR, OPT_OUT, Prompt
from communications.models import CallOutcome, CommunicationLog
from communications.providers.base import ProviderCallback
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason


def call_of(message_id: uuid.UUID | None) -> CommunicationLog | None:
    """Return the message of a call; None if there is no such call."""
    calls = CommunicationLog.objects.filter(communication_type=Channel.VOICE).select_related("template", "debtor")
    return calls.filter(pk=message_id).first() if message_id else None


def react(event: ProviderCallback) -> tuple[list[CallbackEvent], Prompt | None]:
    """Return what the inbox stores of a callback, and for one from a call what is spoken next."""
    match event:
        case CallAnswered():
            stored: list[CallbackEvent] = [event.as_voicemail(spoken.machine_note())] if event.by_machine else []
            return stored, spoken.on_answer(call_of(event.message_id), by_machine=event.by_machine)
        case KeyPress():
            prompt = spoken.on_key(call_of(event.message_id), event.digit)
            return [event] if event.digit in (HEAR, OPT_OUT) else [], prompt
        case _:
            return [event], None


def handle(pressed: KeyPress, *, now: datetime) -> None:
    """Record that the debtor heard the message, or opt the number out of calls.

    The rule does not state whether hearing a message is a conversation (12 CFR 1006.14(b)(2)(i)(B)). It counts as one here,
    because the debtor answered and heard about the debt: the cooling-off period starts.
    """
    message = call_of(pressed.message_id)
    if pressed.digit == HEAR and message:
        notes = f"Key {HEAR} pressed: the debtor heard the message."
        records.record_outcome(message.pk, CallOutcome.RIGHT_PARTY, notes=notes, now=now)
    address = (message.address if message else None) or pressed.address
    if pressed.digit == OPT_OUT and address:
        source = f"Key {OPT_OUT} pressed in a call"
        contact_points.suppress(
            address, channel=Channel.VOICE, reason=SuppressionReason.OPTED_OUT, source=source, now=now
        )
