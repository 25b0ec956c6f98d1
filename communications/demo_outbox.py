"""The demo's messages, as their receivers would read them."""

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
    """Return the newest messages. A code is kept nowhere, and so derived again in place of its mask."""
    logs = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND).select_related("debtor")
    return [_shown(log) for log in logs.defer("html").order_by("-created_at", "-id")[:SHOWN]]


def _shown(log: CommunicationLog) -> Shown:
    body = log.body or ""
    if log.one_time_code_of:
        body = body.replace(one_time_code.MASK, one_time_code.derive(log.one_time_code_of))
    to = log.address or (log.debtor.name if log.debtor else "")
    return Shown(
        log.get_communication_type_display(), log.get_status_display(), to, log.subject or "", body,
        log.sent_at or log.created_at, log.failure_reason or "",
    )  # fmt: skip
