"""The seal: a keyed digest over what was said, to whom, and what the provider answered, so that a later change shows.

Whoever can write to the database but has not the key can't make a seal that fits. Keys change: each seal names its own, new ones
are made with the first key of EVIDENCE_KEYS, and the others are kept to check what they sealed.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models import Q

from communications.models import CommunicationLog, CommunicationLogQuerySet, MessageAttempt

#: Of the message; who it was for and why belongs to it as much as the words.
_FIELDS = (
    "id", "created_at", "debtor_id", "debt_id", "communication_type", "direction", "purpose", "one_time_code_of",
    "template_id", "template_version_id", "address", "subject", "body", "html", "attempts",
)  # fmt: skip
_OF_ATTEMPT = ("number", "began_at", "ended_at", "provider", "result", "provider_message_id", "answer")
_AT_ONCE = 500


@dataclass(frozen=True)
class Difference:
    """A message that is not as it was sealed, and in what way."""

    log_id: UUID
    finding: str


def seal(log: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str:
    """Return the seal of a message with its attempts, oldest first."""
    name = next(iter(_keys()))
    return f"{name}:{_digest(_keys()[name], log, attempts)}"


def finding(log: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str | None:
    """Tell what is wrong with a message's seal; None if it fits."""
    if not log.seal:
        return "it has no seal"
    name, _, digest = log.seal.partition(":")
    key = _keys().get(name)
    if key is None:
        return f"it was sealed with the key {name}, which is not among EVIDENCE_KEYS"
    if not hmac.compare_digest(digest, _digest(key, log, attempts)):
        return "it is not as it was sealed"
    return None


def differences(*, progress: Callable[[int], object] = lambda checked: None) -> Iterator[Difference]:
    """Check all messages that were ever handed over, or bear a seal; ``progress`` hears after each batch of how many."""
    last = None
    while True:
        rows = sealed().prefetch_related("attempt_rows").order_by("pk")
        batch = list((rows.filter(pk__gt=last) if last else rows)[:_AT_ONCE])
        if not batch:
            return
        for log in batch:
            if found := finding(log, log.attempt_rows.all()):
                yield Difference(log.pk, found)
        last = batch[-1].pk
        progress(len(batch))


def sealed() -> CommunicationLogQuerySet:
    """Return the messages that must bear a seal, or do."""
    outbound = Q(direction=CommunicationLog.Direction.OUTBOUND, attempts__gt=0)
    return CommunicationLog.objects.filter(outbound | Q(seal__isnull=False))


def _digest(key: bytes, log: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str:
    said = [_plain(getattr(log, name)) for name in _FIELDS]
    answered = [[_plain(getattr(attempt, name)) for name in _OF_ATTEMPT] for attempt in attempts]
    return hmac.digest(key, orjson.dumps([said, answered]), "sha256").hex()


def _plain(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _keys() -> dict[str, bytes]:
    """The keys by their names, the one that seals first."""
    secrets = settings.EVIDENCE_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _derived(tuple(secrets))


@lru_cache(maxsize=4)
def _derived(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """Derive from each secret a key for this use alone, and a name that doesn't tell it."""
    found = {}
    for secret in secrets:
        key = hmac.digest(secret.encode(), b"communications.evidence.seal", "sha256")
        found[hashlib.sha256(b"name of " + key).hexdigest()[:8]] = key
    return found
