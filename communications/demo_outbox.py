"""The newest messages of the demo, as their recipients would read them."""

from dataclasses import dataclass
from datetime import datetime

from communications.models import CommunicationLog
from communications.texts import one_time_code

SHOWN = 100


@dataclass(frozen=True)
class Shown:
    channel: str
    status: str
    to: str
    subject: str
    body: str
    at: datetime
    reason: str


def newest() -> list[Shown]:
    """Return the newest messages. Codes are not stored, so each is derived again in place of its mask."""
    messages = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND).select_related("debtor")
    return [_shown(message) for message in messages.defer("html").order_by("-created_at", "-id")[:SHOWN]]


def _shown(message: CommunicationLog) -> Shown:
    body = message.body or ""
    if message.one_time_code_of:
        body = body.replace(one_time_code.MASK, one_time_code.derive(message.one_time_code_of))
    to = message.address or (message.debtor.name if message.debtor else "")
    return Shown(
        message.get_communication_type_display(), message.get_status_display(), to, message.subject or "", body,
        message.sent_at or message.created_at, message.failure_reason or "",
    )  # fmt: skip
