"""The seal of a message: a keyed digest of its text, its recipient and its attempts, by which a later change is detected.

A person who can write to the database but lacks the key cannot make a valid seal. A seal names its key: the first of
EVIDENCE_KEYS makes new seals, the others verify theirs.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet

from communications.models import CommunicationLog, MessageAttempt

#: The sealed fields of a message.
SEALED_FIELDS = (
    "id", "created_at", "debtor_id", "debt_id", "communication_type", "direction", "purpose", "one_time_code_of",
    "template_id", "template_version_id", "written_by_id", "address", "subject", "body", "html", "attempts",
)  # fmt: skip
#: The sealed fields of each attempt.
SEALED_ATTEMPT_FIELDS = (
    "number", "began_at", "ended_at", "provider", "result", "provider_message_id", "answer",
)  # fmt: skip
_BATCH = 500


def seal(message: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str:
    """Return the seal of a message with its attempts, oldest first."""
    name = next(iter(_keys()))
    return f"{name}:{_digest(_keys()[name], message, attempts)}"


def problem(message: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str | None:
    """Return why a message's seal is not valid; None if it is valid."""
    if not message.seal:
        return "it has no seal"
    name, _, digest = message.seal.partition(":")
    key = _keys().get(name)
    if key is None:
        return f"its key {name} is not among EVIDENCE_KEYS"
    if not hmac.compare_digest(digest, _digest(key, message, attempts)):
        return "it was changed after it was sealed"
    return None


def differences(*, progress: Callable[[int], object] = lambda checked: None) -> Iterator[tuple[UUID, str]]:
    """Yield the id and the problem of each message with an invalid seal, of those that were handed over or have one.

    ``progress`` is called with the size of each batch.
    """
    last = None
    while True:
        rows = sealed().prefetch_related("attempt_rows").order_by("pk")
        batch = list((rows.filter(pk__gt=last) if last else rows)[:_BATCH])
        if not batch:
            return
        for message in batch:
            if found := problem(message, message.attempt_rows.all()):
                yield message.pk, found
        last = batch[-1].pk
        progress(len(batch))


def sealed() -> QuerySet[CommunicationLog]:
    """Return the messages that must have a seal, or have one."""
    outbound = Q(direction=CommunicationLog.Direction.OUTBOUND, attempts__gt=0)
    return CommunicationLog.objects.filter(outbound | Q(seal__isnull=False))


def _digest(key: bytes, message: CommunicationLog, attempts: Iterable[MessageAttempt]) -> str:
    of_message = [_in_utc(getattr(message, name)) for name in SEALED_FIELDS]
    of_attempts = [[_in_utc(getattr(attempt, name)) for name in SEALED_ATTEMPT_FIELDS] for attempt in attempts]
    return hmac.digest(key, orjson.dumps([of_message, of_attempts]), "sha256").hex()


def _in_utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _keys() -> dict[str, bytes]:
    """Return the keys by name; the first one makes new seals."""
    secrets = settings.EVIDENCE_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _derived(tuple(secrets))


@lru_cache(maxsize=4)
def _derived(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """Derive from each secret a key for seals, and a name that does not reveal it."""
    found = {}
    for secret in secrets:
        key = hmac.digest(secret.encode(), b"communications.evidence.seal", "sha256")
        found[hashlib.sha256(b"name of " + key).hexdigest()[:8]] = key
    return found
