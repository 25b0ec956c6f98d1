"""One-time codes: derived from their session whenever they are needed, and stored nowhere."""

import hmac
import uuid

from django.conf import settings

#: What stands in place of a code wherever a text is kept or shown.
MASK = "••••••"


def derive(session_id: uuid.UUID) -> str:
    """Return the session's code: OTP_LENGTH digits of an HMAC-SHA256 under OTP_KEY.

    256 bits over a million codes: no code is likelier than another by a measure that matters.
    """
    digest = hmac.digest(settings.OTP_KEY.encode(), b"one-time code " + session_id.bytes, "sha256")
    return f"{int.from_bytes(digest) % 10**settings.OTP_LENGTH:0{settings.OTP_LENGTH}d}"
