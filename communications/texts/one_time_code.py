"""One-time codes: derived from their session when they are needed, and never stored."""

import hmac
import uuid

from django.conf import settings

#: Replaces a code in each text that is stored or shown.
MASK = "••••••"


def is_right(session_id: uuid.UUID, code: str) -> bool:
    """Return whether it is the session's code, under the current key or an earlier one.

    All keys are tried, so the time that it takes reveals nothing.
    """
    keys = (settings.OTP_KEY, *settings.OTP_KEY_FALLBACKS)
    right = [hmac.compare_digest(derive(session_id, key), code) for key in keys]
    return any(right)


def mask(text: str, session_id: uuid.UUID) -> str:
    """Mask the session's code in a text."""
    for key in (settings.OTP_KEY, *settings.OTP_KEY_FALLBACKS):
        text = text.replace(derive(session_id, key), MASK)
    return text


def derive(session_id: uuid.UUID, key: str | None = None) -> str:
    """Return the session's code: OTP_LENGTH digits of an HMAC-SHA256 under OTP_KEY.

    256 bits for a million codes make all codes practically equally likely.
    """
    digest = hmac.digest((key or settings.OTP_KEY).encode(), b"one-time code " + session_id.bytes, "sha256")
    return f"{int.from_bytes(digest) % 10**settings.OTP_LENGTH:0{settings.OTP_LENGTH}d}"
