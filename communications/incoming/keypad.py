"""What the keys of a phone mean in a call that a machine makes: it is me, so let me hear it; or call me no more."""

from datetime import datetime
from typing import Any

from communications import suppressions
from communications.models import Channel, CommunicationLog
from debtors.models import Medium, StopReason

HEAR, OPT_OUT = "1", "9"


def call_of(log_id: str) -> CommunicationLog | None:
    """Return the call's message; None if it is none of ours."""
    calls = CommunicationLog.objects.filter(communication_type=Channel.VOICE).select_related("template", "debtor")
    return calls.filter(pk=log_id).first() if log_id else None


def obey(payload: dict[str, Any], *, now: datetime) -> None:
    """Opt a number out of calls, if that is what they pressed."""
    if payload["digit"] != OPT_OUT:
        return
    log = call_of(payload["log_id"])
    address = (log.address if log else None) or payload["address"]
    if address:
        words = f"They pressed {OPT_OUT} in a call."
        suppressions.suppress(address, medium=Medium.VOICE, reason=StopReason.OPTED_OUT, source=words, now=now)
