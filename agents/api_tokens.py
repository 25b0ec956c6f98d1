"""API tokens: long-lived tokens for programs, which are revoked singly or together with all tokens of their agent."""

import hashlib
import secrets
import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.models import Q

from agents.models import Agent, ApiToken
from ddc.common.errors import Invalid

PREFIX = "ddc_"
_RANDOM_BYTES = 32
_USE_RECORDED_EVERY = timedelta(minutes=1)


class InvalidExpiry(Invalid):
    """An API token must expire in the future."""

    code = "date"
    field = "expires_at"
    message = "The token would have expired already. Choose a later day."


def create(agent: Agent, *, now: datetime, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Create a token of 256 random bits and return its text, which is not stored. Without ``expires_at`` it does not expire.

    :raises InvalidExpiry: if it would expire before now
    """
    if expires_at is not None and expires_at <= now:
        raise InvalidExpiry
    text = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    token = ApiToken.objects.create(
        agent=agent,
        token_version=agent.token_version,
        digest=digest(text),
        created_at=now,
        expires_at=expires_at,
    )
    return token, text


def find(text: str) -> ApiToken | None:
    """Return the token with this id or this text."""
    tokens = ApiToken.objects.select_related("agent")
    if text.startswith(PREFIX):
        return tokens.filter(digest=digest(text)).first()
    try:
        return tokens.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return None


def revoke(token: ApiToken, *, now: datetime) -> ApiToken:
    """Revoke a token; a revoked one keeps the time of its first revocation."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now, updated_at=now)
    token.refresh_from_db()
    return token


def record_use(text: str, *, now: datetime) -> None:
    """Record that a valid token was used, at most once a minute. A token of another kind is ignored.

    If the row is locked or the disk is full, the request goes on and the time stays as it was.
    """
    if not text.startswith(PREFIX) or not cache.add(
        f"api-token-used:{digest(text)}", True, _USE_RECORDED_EVERY.total_seconds()
    ):
        return
    is_old = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_RECORDED_EVERY)
    unlocked = ApiToken.objects.select_for_update(skip_locked=True, no_key=True).filter(is_old, digest=digest(text))
    with suppress(DatabaseError), transaction.atomic():
        ApiToken.objects.filter(pk__in=unlocked.values("pk")).update(last_used_at=now)


def digest(text: str) -> str:
    """Return the SHA-256 digest by which a token is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
