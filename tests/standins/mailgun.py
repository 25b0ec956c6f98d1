"""Mailgun's callbacks about a mail that it got by SMTP: it knows the mail by its Message-ID, and signs a time and a token."""

import hashlib
import hmac
import time
import uuid
from typing import Any

KEY = "a-signing-key"


def signed(
    event: dict[str, Any], key: str = KEY, *, token: str | None = None, at: float | None = None
) -> dict[str, Any]:
    """Put an event under Mailgun's signature."""
    stamp, token = str(int(at or time.time())), token or uuid.uuid4().hex
    digest = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": stamp, "token": token, "signature": digest}, "event-data": event}


def delivered(message_id: str, recipient: str) -> dict[str, Any]:
    """Return the event that a mail has arrived; ``message_id`` is without its angle brackets."""
    return {
        "event": "delivered",
        "id": uuid.uuid4().hex,
        "timestamp": time.time(),
        "recipient": recipient,
        "message": {"headers": {"message-id": message_id}},
        "user-variables": {},
        "delivery-status": {"code": 250, "message": "OK"},
    }
