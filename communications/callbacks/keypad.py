"""What the keys of a phone mean in a call that a machine makes: it is me, so let me hear it; or call me no more."""

from datetime import datetime
from typing import Any

from communications.calls import records
from communications.channels.spoken import HEAR, OPT_OUT
from communications.models import CallOutcome, CommunicationLog
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason


def call_of(log_id: str) -> CommunicationLog | None:
    """Return the call's message; None if it is none of ours."""
    spoken = CommunicationLog.objects.filter(communication_type=Channel.VOICE).select_related("template", "debtor")
    return spoken.filter(pk=log_id).first() if log_id else None


def obey(payload: dict[str, Any], *, now: datetime) -> None:
    """Note that it was the debtor, and that they heard the message; or opt a number out of calls: whatever they pressed.

    Whether hearing a message is a conversation (12 CFR 1006.14(b)(2)(i)(B)), the rule doesn't say. It counts as one here: they
    answered us and heard of the debt, so the days without calls begin.
    """
    log, digit = call_of(payload["log_id"]), payload["digit"]
    if digit == HEAR and log:
        words = f"They pressed {HEAR}: it was them, and they heard the message."
        records.tell(log.pk, CallOutcome.RIGHT_PARTY, words=words, now=now)
    address = (log.address if log else None) or payload["address"]
    if digit == OPT_OUT and address:
        words = f"They pressed {OPT_OUT} in a call."
        contact_points.suppress(
            address, channel=Channel.VOICE, reason=SuppressionReason.OPTED_OUT, source=words, now=now
        )
