"""Signed tokens for links in a mail: they contain only its id, cannot be guessed, and need no sign-in."""

import base64
import binascii
import hashlib
import hmac
import uuid
from functools import lru_cache

from django.conf import settings

_SIGNATURE_BYTES = 16


def make(message_id: uuid.UUID, *, use: str) -> str:
    """Return a mail's token for one use; it is invalid for any other use."""
    return _signed(message_id, use, settings.SECRET_KEY)


@lru_cache(maxsize=256)
def _signed(message_id: uuid.UUID, use: str, key: str) -> str:
    """Sign once: the text and the headers of a mail contain the same token."""
    return base64.urlsafe_b64encode(message_id.bytes + _signature(message_id, use, key)).decode().rstrip("=")


def read(token: str, *, use: str) -> uuid.UUID | None:
    """Return the id of the mail that a token belongs to; None for an invalid token. Fallback keys are accepted."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _SIGNATURE_BYTES:
        return None
    message_id = uuid.UUID(bytes=raw[:16])
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return message_id if any(hmac.compare_digest(raw[16:], _signature(message_id, use, key)) for key in keys) else None


def _signature(message_id: uuid.UUID, use: str, key: str) -> bytes:
    return hmac.digest(_derived(use, key), message_id.bytes, "sha256")[:_SIGNATURE_BYTES]


@lru_cache(maxsize=16)
def _derived(use: str, key: str) -> bytes:
    """Derive a key for one use, as Django's ``salted_hmac`` does."""
    return hashlib.sha256(f"communications.{use}{key}".encode()).digest()
