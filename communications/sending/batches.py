"""Claim due messages, have the contact gate decide on them, and load all that is needed to write them."""

import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import DatabaseError, transaction

from communications.models import (
    CommunicationLog,
    CommunicationTemplate,
    CommunicationTemplateVersion,
    MessageAttempt,
    MessageStatus,
)
from communications.outbox import may_go, outbox, refusals
from communications.outbox.may_go import Unsendable
from communications.outbox.outbox import Queue
from communications.sending import writing
from communications.texts import facts, placeholders, required_lines, templates
from contact.decisions import GateInput
from contact.engine.decision import Decision, Verdict
from debtors.channels import Channel

_Loaded = TypeVar("_Loaded")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Source:
    """What the text of a message is written from."""

    #: The variant of its template and its current text; None for a message with a text of its own.
    variant: CommunicationTemplate | None
    version: CommunicationTemplateVersion | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class ClaimedMessage(Source):
    """A claimed message that the contact gate allows, with all that is needed to write it."""

    message: CommunicationLog
    asked: GateInput
    #: Earlier attempts, oldest first.
    attempts: Sequence[MessageAttempt]


@dataclass
class Batch:
    """The messages of one claim. ``results`` counts the new statuses of those that must not go."""

    claimed_at: datetime
    size: int = 0
    messages: deque[ClaimedMessage] = field(default_factory=deque)
    results: Counter[str] = field(default_factory=Counter)


def claim(*, channel: Channel, now: datetime, limit: int, lease: timedelta, queue: Queue) -> Batch:
    """Claim due messages and decide on them in one transaction, then load the allowed ones.

    The number of queries does not depend on the number of messages.
    """
    batch = Batch(now)
    with transaction.atomic():
        messages = outbox.claim(channel=channel, now=now, limit=limit, lease=lease, queue=queue)
        batch.size = len(messages)
        current = [message for message in messages if not _has_expired(batch, message)]
        decided = _for_all(batch, current, lambda some: _decide(some, now=now))
        refused = [(message, decision) for message, _, decision in decided if decision.verdict != Verdict.ALLOW]
        batch.results += refusals.apply_all(refused, now=now)
    allowed = {message: asked for message, asked, decision in decided if decision.verdict == Verdict.ALLOW}
    batch.messages += _for_all(batch, list(allowed), lambda some: _load(batch, some, allowed))
    return batch


def _decide(messages: list[CommunicationLog], *, now: datetime) -> list[tuple[CommunicationLog, GateInput, Decision]]:
    decided = may_go.decide_claimed(messages, now=now)
    return [(message, *answer) for message, answer in zip(messages, decided, strict=True)]


def _has_expired(batch: Batch, message: CommunicationLog) -> bool:
    """Fail an urgent message that came too late. On any other the gate decides."""
    has_expired = may_go.is_urgent(message) and may_go.has_expired(message, now=batch.claimed_at)
    if has_expired:
        _fail(batch, message, Unsendable.EXPIRED)
    return has_expired


def _for_all(
    batch: Batch, messages: list[CommunicationLog], work: Callable[[list[CommunicationLog]], list[_Loaded]]
) -> list[_Loaded]:
    """Do work for all messages at once; if it breaks, one by one, so that only the faulty message fails."""
    try:
        return work(messages) if messages else []
    except DatabaseError:
        raise
    except Exception:
        log.exception("batch_not_loaded", messages=len(messages))
    loaded = []
    for message in messages:
        try:
            loaded += work([message])
        except DatabaseError:
            raise
        except Exception as error:
            _fail(batch, message, f"{Unsendable.UNWRITABLE}: {type(error).__name__}")
    return loaded


def _fail(batch: Batch, message: CommunicationLog, reason: str) -> None:
    if status := refusals.close(message, MessageStatus.FAILED, reason, now=batch.claimed_at):
        batch.results[status] += 1


def _load(
    batch: Batch, messages: list[CommunicationLog], asked: Mapping[CommunicationLog, GateInput]
) -> list[ClaimedMessage]:
    attempts = _attempts([message for message in messages if message.attempts])
    loaded = []
    for message, source in zip(messages, sources(messages, now=batch.claimed_at), strict=True):
        if source is None:
            _fail(batch, message, Unsendable.TEMPLATE_INACTIVE)
            continue
        its_attempts = attempts.get(message.pk, ())
        loaded.append(
            ClaimedMessage(source.variant, source.version, source.values, message, asked[message], its_attempts)
        )
    return loaded


def sources(messages: Sequence[CommunicationLog], *, now: datetime) -> list[Source | None]:
    """Load what messages are written from at a moment, in their order; None if its template has no active variant.

    The number of queries does not depend on the number of messages.
    """
    variants = templates.variants_of((m.template.name, m.communication_type) for m in messages if m.template)
    versions = templates.current_versions(variant for some in variants.values() for variant in some)
    used = placeholders.used(
        *(text for message in messages if not message.template for text in writing.draft(message)),
        *(text for version in versions.values() for text in (version.subject, version.body)),
    )
    chosen = [_variant(message, variants) for message in messages]
    recipients = [
        facts.Recipient(
            message.debtor, message.debt, writing.language_of(message, versions[variant.pk] if variant else None)
        )
        for message, variant in zip(messages, chosen, strict=True)
    ]
    values = facts.gather(recipients, now=now, names=used | required_lines.PLACEHOLDERS)
    found: list[Source | None] = []
    for message, variant, its_values in zip(messages, chosen, values, strict=True):
        is_missing = message.template is not None and variant is None
        found.append(None if is_missing else Source(variant, versions[variant.pk] if variant else None, its_values))
    return found


def _variant(
    message: CommunicationLog, variants: Mapping[tuple[str, str], list[CommunicationTemplate]]
) -> CommunicationTemplate | None:
    if message.template is None or message.debtor is None:
        return None
    some = variants[(message.template.name, message.communication_type)]
    return templates.choose(some, writing.wanted_language(message))


def _attempts(messages: list[CommunicationLog]) -> Mapping[uuid.UUID, list[MessageAttempt]]:
    found: dict[uuid.UUID, list[MessageAttempt]] = defaultdict(list)
    for attempt in MessageAttempt.objects.filter(message__in=messages) if messages else ():
        found[attempt.message_id].append(attempt)
    return found
