"""One-time codes: derived from their session whenever they are needed, and stored nowhere."""

import hmac
import uuid

from django.conf import settings

#: What stands in place of a code wherever a text is kept or shown.
MASK = "••••••"


def is_right(session_id: uuid.UUID, code: str) -> bool:
    """Tell whether it is the session's code, be it derived under the present key or one of before.

    Each key is tried whatever the others say: how long it takes tells nothing.
    """
    keys = (settings.OTP_KEY, *settings.OTP_KEY_FALLBACKS)
    right = [hmac.compare_digest(derive(session_id, key), code) for key in keys]
    return any(right)


def mask(text: str, session_id: uuid.UUID) -> str:
    """Return a text without the session's code."""
    for key in (settings.OTP_KEY, *settings.OTP_KEY_FALLBACKS):
        text = text.replace(derive(session_id, key), MASK)
    return text


def derive(session_id: uuid.UUID, key: str | None = None) -> str:
    """Return the session's code: OTP_LENGTH digits of an HMAC-SHA256 under OTP_KEY.

    256 bits over a million codes: no code is likelier than another by a measure that matters.
    """
    digest = hmac.digest((key or settings.OTP_KEY).encode(), b"one-time code " + session_id.bytes, "sha256")
    return f"{int.from_bytes(digest) % 10**settings.OTP_LENGTH:0{settings.OTP_LENGTH}d}"
