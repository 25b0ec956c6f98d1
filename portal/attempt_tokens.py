"""Attempt tokens: each request for a code gets one, and tries with it count apart from the tries of strangers."""

import uuid

from django.conf import settings
from django.core.signing import BadSignature, Signer

#: No session has this id.
NO_SESSION = uuid.UUID(int=0)


def issue(session_id: uuid.UUID) -> str:
    """Return the token of a session: its id, signed. The code cannot be derived from it."""
    return _signer().sign(session_id.hex)


def session_of(token: str | None) -> uuid.UUID:
    """Return the id of the token's session; NO_SESSION for no token or one that is not ours."""
    try:
        return uuid.UUID(_signer().unsign(token or ""))
    except (BadSignature, ValueError):
        return NO_SESSION


def _signer() -> Signer:
    return Signer(key=settings.OTP_KEY, fallback_keys=[*settings.OTP_KEY_FALLBACKS], salt="portal.attempt_tokens")
