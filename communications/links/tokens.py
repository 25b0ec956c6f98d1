"""Tokens of addresses in a mail: they name the mail alone, nobody can guess another's, and they need no signing in."""

import base64
import binascii
import hashlib
import hmac
import uuid
from functools import lru_cache

from django.conf import settings

_SIGNATURE_BYTES = 16


def make(log_id: uuid.UUID, *, use: str) -> str:
    """Return a mail's token for one use; it is good for no other."""
    return _made(log_id, use, settings.SECRET_KEY)


@lru_cache(maxsize=256)
def _made(log_id: uuid.UUID, use: str, key: str) -> str:
    """A mail's text and its headers have the same one."""
    return base64.urlsafe_b64encode(log_id.bytes + _signature(log_id, use, key)).decode().rstrip("=")


def read(token: str, *, use: str) -> uuid.UUID | None:
    """Return whose token it is; None if it is none of ours. One made under a key of before is good for as long as that is."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _SIGNATURE_BYTES:
        return None
    log_id = uuid.UUID(bytes=raw[:16])
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return log_id if any(hmac.compare_digest(raw[16:], _signature(log_id, use, key)) for key in keys) else None


def _signature(log_id: uuid.UUID, use: str, key: str) -> bytes:
    return hmac.digest(_derived(use, key), log_id.bytes, "sha256")[:_SIGNATURE_BYTES]


@lru_cache(maxsize=16)
def _derived(use: str, key: str) -> bytes:
    """Derive a key for one use alone, as Django's ``salted_hmac`` does for each signature anew."""
    return hashlib.sha256(f"communications.{use}{key}".encode()).digest()
