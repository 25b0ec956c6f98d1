"""What providers tell of a message after it went."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from communications.callbacks import machines, opens
from communications.calls import records
from communications.models import CommunicationLog, MessageStatus
from communications.outbox import states
from communications.outbox.states import Cause, Event
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason

_REASON_LENGTH = 500


@dataclass(frozen=True)
class News:
    """What a provider tells of one message. ``event_id`` is the same whenever the same is told again.

    ``status`` is what it says of the state, ``fact`` what stands beside it: opened, clicked or complained.
    """

    provider: str
    event_id: str
    log_id: uuid.UUID | None = None
    message_id: str | None = None
    address: str | None = None
    status: MessageStatus | None = None
    suppression: SuppressionReason | None = None
    words: str | None = None
    fact: Event | None = None
    user_agent: str | None = None
    outcome: str | None = None


def as_payload(news: News) -> dict[str, Any]:
    """Return what has to be kept of it."""
    kept = {"log_id": str(news.log_id) if news.log_id else None}
    names = ("message_id", "address", "status", "suppression", "words", "fact", "user_agent", "outcome")
    return {name: value for name, value in (kept | {name: getattr(news, name) for name in names}).items() if value}


def from_payload(provider: str, event_id: str, payload: dict[str, Any]) -> News:
    """Read what was kept."""
    values = dict(payload)
    read = {"log_id": uuid.UUID, "status": MessageStatus, "suppression": SuppressionReason, "fact": Event}
    for name, kind in read.items():
        if name in values:
            values[name] = kind(values[name])
    return News(provider, event_id, **values)


@transaction.atomic
def take_in(news: News, *, now: datetime) -> bool:
    """Take in what a provider tells, as of ``now``; False if it is about no message of ours.

    Whatever order news come in, a state never moves back. An address that bounced, complained or opted out is written to no
    more, whether or not we know the message.
    """
    log = _find(news)
    if log:
        _note(log, news, now=now)
    address = (log.address if log else None) or news.address
    if news.suppression and address:
        channel = Channel(log.communication_type) if log else _channel(address)
        source = news.words or f"{news.provider}: {news.suppression.label}"
        contact_points.suppress(address, channel=channel, reason=news.suppression, source=source, now=now)
        return True
    return log is not None


def _note(log: CommunicationLog, news: News, *, now: datetime) -> None:
    row = CommunicationLog.objects.filter(pk=log.pk)
    if news.status:
        _advance(row, news.status, now=now, words=news.words)
    if news.message_id and not log.provider_message_id:
        row.filter(provider_message_id__isnull=True).update(provider=news.provider, provider_message_id=news.message_id)
    if news.fact == Event.OPENED:
        if log.debtor and opens.may_track(log.debtor):
            by_machine = machines.is_machine(news.user_agent or "")
            opens.count_opening(log.pk, by_machine=by_machine, now=now)
    elif news.fact in (Event.CLICKED, Event.COMPLAINED):
        name = f"{news.fact}_at"
        row.filter(**{f"{name}__isnull": True}).update(**{name: now, "updated_at": now})
    if news.outcome:
        records.tell(log.pk, news.outcome, words=news.words, now=now)


def _find(news: News) -> CommunicationLog | None:
    outbound = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND).select_related("debtor")
    if news.log_id and (log := outbound.filter(pk=news.log_id).first()):
        return log
    if news.message_id:
        return outbound.filter(provider=news.provider, provider_message_id=news.message_id).first()
    return None


def _channel(address: str) -> Channel:
    return Channel.EMAIL if "@" in address else Channel.SMS


def _advance(
    row: "models.QuerySet[CommunicationLog]", status: MessageStatus, *, now: datetime, words: str | None
) -> None:
    bad = status in (MessageStatus.FAILED, MessageStatus.BOUNCED)
    changes: dict[str, Any] = {
        "status": status,
        "due_at": None,
        "failure_reason": (words or "")[:_REASON_LENGTH] or None if bad else None,
    }
    if status == MessageStatus.DELIVERED:
        changes["delivered_at"] = now
    row.filter(status__in=states.before(status, Cause.PROVIDER)).update(
        **changes, sent_at=Coalesce("sent_at", now) if not bad else F("sent_at"), updated_at=now
    )
