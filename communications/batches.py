"""What a worker has claimed, with all that it takes to decide on it and to write it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError

from communications import (
    composition,
    contact_decisions,
    facts,
    one_time_code,
    outbox,
    outcomes,
    placeholders,
    templates,
    tracking,
    unsubscribing,
)
from communications.composition import Text
from communications.models import (
    Channel,
    CommunicationLog,
    CommunicationTemplate,
    CommunicationTemplateVersion,
    MessageStatus,
    Purpose,
)

log = structlog.get_logger(__name__)


@dataclass
class Batch:
    """Claimed messages and what was known of them at ``loaded_at``."""

    messages: list[CommunicationLog]
    variants: Mapping[tuple[str, str], list[CommunicationTemplate]]
    versions: Mapping[uuid.UUID, CommunicationTemplateVersion]
    gate: Mapping[uuid.UUID, contact_decisions.Asked]
    values: Mapping[uuid.UUID, Mapping[str, str]]
    loaded_at: datetime

    def version(self, message: CommunicationLog) -> CommunicationTemplateVersion | None:
        """Return the text, as it is now, of the variant that fits the debtor; None if no variant is active."""
        if message.template is None or message.debtor is None:
            return None
        variants = self.variants[(message.template.name, message.communication_type)]
        variant = templates.choose(variants, message.debtor.language_preference)
        return self.versions[variant.pk] if variant else None


def load(messages: list[CommunicationLog], *, now: datetime) -> Batch:
    """Fetch what a batch needs, in a number of queries that doesn't depend on its size.

    A message of which nothing can be made fails alone: it must not hold up the others for good.
    """
    try:
        return _load(messages, now=now)
    except DatabaseError:
        raise
    except Exception:
        log.exception("batch_not_loaded", messages=len(messages))
    return _load([message for message in messages if _can_be_loaded(message, now=now)], now=now)


def again(messages: list[CommunicationLog], *, now: datetime) -> Batch:
    """Load claimed messages anew, with their debtors and debts as they are now, leaving out what another has claimed."""
    fresh = {row.pk: row for row in outbox.load([message.pk for message in messages])}
    ours = (
        fresh[message.pk] for message in messages if message.pk in fresh and fresh[message.pk].due_at == message.due_at
    )
    return load(list(ours), now=now)


def write(
    message: CommunicationLog, version: CommunicationTemplateVersion | None, values: Mapping[str, str]
) -> tuple[Text, Text]:
    """Write the text that goes and the one that is kept; they differ by the one-time code alone."""
    subject, body = (version.subject, version.body) if version else draft(message)
    mail = message.communication_type == Channel.EMAIL
    if mail and message.purpose == Purpose.COLLECTION and "unsubscribe_url" not in placeholders.used(body):
        body = unsubscribing.with_way_out(body, language=version.language if version else None)
    values = {**values, "unsubscribe_url": unsubscribing.url(message.pk)} if mail else values
    kept = composition.compose(subject, body, values, mail=mail)
    code = {"otp_code": one_time_code.derive(message.one_time_code_of)} if message.one_time_code_of else {}
    goes = composition.compose(subject, body, {**values, **code}, mail=mail) if code else kept
    if mail and message.debtor and tracking.may_track(message.debtor):
        url = tracking.pixel_url(message.pk)
        return composition.with_pixel(goes, url), composition.with_pixel(kept, url)
    return goes, kept


def draft(message: CommunicationLog) -> tuple[str | None, str]:
    """Return the subject and body of a message without a template, before anything was filled in."""
    if message.draft:
        return message.draft["subject"], message.draft["body"]
    return message.subject, message.body or ""


def _load(messages: list[CommunicationLog], *, now: datetime) -> Batch:
    today = now.date()
    variants = templates.variants_of((m.template.name, m.communication_type) for m in messages if m.template)
    versions = templates.current_versions(variant for some in variants.values() for variant in some)
    used = placeholders.used(
        *(text for message in messages if not message.template for text in draft(message)),
        *(text for version in versions.values() for text in (version.subject, version.body)),
    )
    pairs = [(message.debtor, message.debt) for message in messages]
    values = facts.gather(pairs, today=today, names=used)
    gate = contact_decisions.ask(messages, now=now)
    return Batch(
        messages=messages,
        variants=variants,
        versions=versions,
        gate={message.pk: found for message, found in zip(messages, gate, strict=True)},
        values={message.pk: found for message, found in zip(messages, values, strict=True)},
        loaded_at=now,
    )


def _can_be_loaded(message: CommunicationLog, *, now: datetime) -> bool:
    try:
        _load([message], now=now)
    except DatabaseError:
        raise
    except Exception as error:
        reason = f"unwritable: {type(error).__name__}"
        outcomes.close(message, MessageStatus.FAILED, reason, now=now)
        return False
    return True
