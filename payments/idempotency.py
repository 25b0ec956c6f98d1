"""Requests that may be repeated: the first answer is kept and given again, without doing the work twice."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from payments.models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
MAX_KEY_LENGTH = 255

Answer = tuple[int, dict[str, Any]]


class KeyTooLong(DomainError):
    """A key has a bound."""

    status = 422
    code = "maxLength"
    field = "Idempotency-Key"
    message = f"An Idempotency-Key has {MAX_KEY_LENGTH} characters at most."


class KeyReused(DomainError):
    """A key belongs to one request."""

    status = 422
    code = "idempotency"
    message = "This Idempotency-Key was used with another body."


class RequestInProgress(DomainError):
    """The first request with this key isn't answered yet."""

    message = "A request with this Idempotency-Key is under way. Try again in a moment."


@transaction.atomic
def once(*, caller: str, key: str, body: str, now: datetime, work: Callable[[], Answer]) -> Answer:
    """Do the work and keep its answer, or give the answer that was kept; keys live 24 hours.

    The lock belongs to the transaction: a crash, or a refusal by ``work``, frees the key and leaves nothing behind.

    :raises KeyReused: if the key came with another body before
    :raises RequestInProgress: if the first request with the key isn't over
    """
    if len(key) > MAX_KEY_LENGTH:
        raise KeyTooLong
    if not advisory_locks.try_lock(AdvisoryLock.IDEMPOTENCY_KEY, f"{caller} {key}"):
        raise RequestInProgress
    digest = hashlib.sha256(body.encode()).hexdigest()
    kept = IdempotencyKey.objects.filter(caller=caller, key=key).first()
    if kept and kept.created_at > now - KEPT_FOR:
        if kept.body_digest != digest:
            raise KeyReused
        return kept.status, kept.answer
    status, answer = work()
    IdempotencyKey.objects.bulk_create(
        [IdempotencyKey(caller=caller, key=key, body_digest=digest, status=status, answer=answer, created_at=now)],
        update_conflicts=True,
        unique_fields=["caller", "key"],
        update_fields=["body_digest", "status", "answer", "created_at"],
    )
    return status, answer


def clear_out(*, now: datetime) -> int:
    """Delete keys that nobody is held to any more; return how many."""
    return IdempotencyKey.objects.filter(created_at__lte=now - KEPT_FOR).delete()[0]
