"""What a worker has claimed, with all that it takes to decide on it and to write it."""

import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import DatabaseError, transaction

from communications.links import open_pixel, unsubscribe_link
from communications.models import (
    CommunicationLog,
    CommunicationTemplate,
    CommunicationTemplateVersion,
    MessageAttempt,
    MessageStatus,
)
from communications.outbox import may_go, outbox
from communications.outbox.may_go import Unsendable
from communications.outbox.outbox import Lane
from communications.sending import outcomes
from communications.texts import composition, facts, one_time_code, placeholders, templates
from communications.texts.composition import Text
from contact.decisions import GateInput
from contact.engine.decision import Decision, Verdict
from contact.models import Purpose
from debtors.channels import Channel

_Found = TypeVar("_Found")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A claimed message that the contact gate lets go, with all that it takes to write it."""

    message: CommunicationLog
    asked: GateInput
    #: The variant that fits the debtor, and its text as it is now; None where the message has a text of its own.
    variant: CommunicationTemplate | None
    version: CommunicationTemplateVersion | None
    values: Mapping[str, str]
    #: The hand-overs before this one, oldest first.
    earlier: Sequence[MessageAttempt]


@dataclass
class Batch:
    """What one claim took at ``claimed_at``: ``ended`` counts what became of those that may not go."""

    claimed_at: datetime
    taken: int = 0
    messages: deque[Claimed] = field(default_factory=deque)
    ended: Counter[str] = field(default_factory=Counter)


def claim(*, channel: Channel, now: datetime, limit: int, lease: timedelta, lane: Lane) -> Batch:
    """Claim what is due, ask the contact gate about it, and fetch what it takes to write what may go.

    The number of queries doesn't depend on that of the messages. What the gate says is committed together with the claim.
    """
    batch = Batch(now)
    with transaction.atomic():
        messages = outbox.claim(channel=channel, now=now, limit=limit, lease=lease, lane=lane)
        batch.taken = len(messages)
        current = [message for message in messages if not _has_expired(batch, message)]
        decided = _for_all(batch, current, lambda some: _decided(some, now=now))
        batch.ended += outcomes.put_off_all([(m, d) for m, _, d in decided if d.verdict != Verdict.ALLOW], now=now)
    let_go = {message: asked for message, asked, decision in decided if decision.verdict == Verdict.ALLOW}
    batch.messages += _for_all(batch, list(let_go), lambda some: _load(batch, some, let_go))
    return batch


def _decided(messages: list[CommunicationLog], *, now: datetime) -> list[tuple[CommunicationLog, GateInput, Decision]]:
    decided = may_go.decide_claimed(messages, now=now)
    return [(message, *found) for message, found in zip(messages, decided, strict=True)]


def _has_expired(batch: Batch, message: CommunicationLog) -> bool:
    is_late = may_go.has_expired(message, now=batch.claimed_at)
    if is_late:
        _close(batch, message, Unsendable.EXPIRED)
    return is_late


def _for_all(
    batch: Batch, messages: list[CommunicationLog], work: Callable[[list[CommunicationLog]], list[_Found]]
) -> list[_Found]:
    """Do something for all messages at once. One of which nothing can be made fails alone: it must not hold up the others."""
    try:
        return work(messages) if messages else []
    except DatabaseError:
        raise
    except Exception:
        log.exception("batch_not_loaded", messages=len(messages))
    found = []
    for message in messages:
        try:
            found += work([message])
        except DatabaseError:
            raise
        except Exception as error:
            _close(batch, message, f"{Unsendable.UNWRITABLE}: {type(error).__name__}")
    return found


def _close(batch: Batch, message: CommunicationLog, reason: str) -> None:
    if status := outcomes.close(message, MessageStatus.FAILED, reason, now=batch.claimed_at):
        batch.ended[status] += 1


def write(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, values: Mapping[str, str]
) -> tuple[Text, Text]:
    """Write the text that goes and the one that is kept; they differ by the one-time code alone."""
    subject, body = (version.subject, version.body) if version else draft(message)
    mail = message.communication_type == Channel.EMAIL
    if mail and message.purpose == Purpose.COLLECTION and "unsubscribe_url" not in placeholders.used(body):
        body = unsubscribe_link.with_line(body, language=version.language if version else None)
    values = {**values, "unsubscribe_url": unsubscribe_link.url(message.pk)} if mail else values
    kept = composition.compose(subject, body, values, mail=mail)
    code = {"otp_code": one_time_code.derive(message.one_time_code_of)} if message.one_time_code_of else {}
    goes = composition.compose(subject, body, {**values, **code}, mail=mail) if code else kept
    if mail and message.debtor and open_pixel.may_track(message.debtor):
        url = open_pixel.url(message.pk)
        return composition.with_pixel(goes, url), composition.with_pixel(kept, url)
    return goes, kept


def draft(message: CommunicationLog) -> tuple[str | None, str]:
    """Return the subject and body of a message without a template, before anything was filled in."""
    if message.draft:
        return message.draft["subject"], message.draft["body"]
    return message.subject, message.body or ""


def _load(batch: Batch, messages: list[CommunicationLog], asked: Mapping[CommunicationLog, GateInput]) -> list[Claimed]:
    variants = templates.variants_of((m.template.name, m.communication_type) for m in messages if m.template)
    versions = templates.current_versions(variant for some in variants.values() for variant in some)
    used = placeholders.used(
        *(text for message in messages if not message.template for text in draft(message)),
        *(text for version in versions.values() for text in (version.subject, version.body)),
    )
    pairs = [(message.debtor, message.debt) for message in messages]
    values = facts.gather(pairs, today=batch.claimed_at.date(), names=used)
    earlier = _attempts([message for message in messages if message.attempts])
    found = []
    for message, its_values in zip(messages, values, strict=True):
        variant = _variant(message, variants)
        if message.template and variant is None:
            _close(batch, message, Unsendable.TEMPLATE_INACTIVE)
            continue
        version = versions[variant.pk] if variant else None
        found.append(Claimed(message, asked[message], variant, version, its_values, earlier.get(message.pk, ())))
    return found


def _variant(
    message: CommunicationLog, variants: Mapping[tuple[str, str], list[CommunicationTemplate]]
) -> CommunicationTemplate | None:
    if message.template is None or message.debtor is None:
        return None
    some = variants[(message.template.name, message.communication_type)]
    return templates.choose(some, message.debtor.language_preference)


def _attempts(messages: list[CommunicationLog]) -> dict[uuid.UUID, list[MessageAttempt]]:
    found: dict[uuid.UUID, list[MessageAttempt]] = {}
    if messages:
        for attempt in MessageAttempt.objects.filter(log__in=messages):
            found.setdefault(attempt.log_id, []).append(attempt)
    return found
