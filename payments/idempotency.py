"""Idempotent requests: the first answer is stored and repeated, and the work is done once."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ddc.common.errors import DomainError, Invalid
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from payments.models import IdempotencyKey

LIFETIME = timedelta(hours=24)
MAX_KEY_LENGTH = 255

Answer = tuple[int, dict[str, Any]]


class KeyTooLong(Invalid):
    code = "maxLength"
    field = "Idempotency-Key"
    message = f"An Idempotency-Key has at most {MAX_KEY_LENGTH} characters. Use a shorter one."


class KeyReused(Invalid):
    code = "idempotency"
    message = "This Idempotency-Key was used with another body. Use a new key."


class RequestInProgress(DomainError):
    message = "A request with this Idempotency-Key is in progress. Try again in a moment."


@transaction.atomic
def once(*, caller: str, key: str, body: str, now: datetime, work: Callable[[], Answer]) -> Answer:
    """Do the work and store its answer, or return the answer that was stored within 24 hours.

    The lock ends with the transaction, so a crash or an exception in ``work`` frees the key.

    :raises KeyReused: if the key was used with another body
    :raises RequestInProgress: if the first request with the key is still in progress
    """
    if len(key) > MAX_KEY_LENGTH:
        raise KeyTooLong
    if not advisory_locks.try_lock(AdvisoryLock.IDEMPOTENCY_KEY, f"{caller} {key}"):
        raise RequestInProgress
    digest = hashlib.sha256(body.encode()).hexdigest()
    stored = IdempotencyKey.objects.filter(caller=caller, key=key).first()
    if stored and stored.created_at > now - LIFETIME:
        if stored.body_digest != digest:
            raise KeyReused
        return stored.status, stored.answer
    status, answer = work()
    IdempotencyKey.objects.bulk_create(
        [IdempotencyKey(caller=caller, key=key, body_digest=digest, status=status, answer=answer, created_at=now)],
        update_conflicts=True,
        unique_fields=["caller", "key"],
        update_fields=["body_digest", "status", "answer", "created_at"],
    )
    return status, answer


def delete_expired(*, now: datetime) -> int:
    """Delete expired keys; return how many."""
    return IdempotencyKey.objects.filter(created_at__lte=now - LIFETIME).delete()[0]
