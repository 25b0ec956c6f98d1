"""What the keys of a phone mean in a call that a machine makes: it is me, so let me hear it; or call me no more."""

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


def obey(pressed: KeyPress, *, now: datetime) -> None:
    """Note that it was the debtor, and that they heard the message; or opt a number out of calls: whatever they pressed.

    Whether hearing a message is a conversation (12 CFR 1006.14(b)(2)(i)(B)), the rule doesn't say. It counts as one here: they
    answered us and heard of the debt, so the days without calls begin.
    """
    message = call_of(pressed.message_id)
    if pressed.digit == HEAR and message:
        words = f"They pressed {HEAR}: it was them, and they heard the message."
        records.tell(message.pk, CallOutcome.RIGHT_PARTY, words=words, now=now)
    address = (message.address if message else None) or pressed.address
    if pressed.digit == OPT_OUT and address:
        words = f"They pressed {OPT_OUT} in a call."
        contact_points.suppress(
            address, channel=Channel.VOICE, reason=SuppressionReason.OPTED_OUT, source=words, now=now
        )
