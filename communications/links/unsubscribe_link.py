"""The unsubscribe link of a mail: it works without signing in, for the one address that got the mail (RFC 8058)."""

import uuid

from django.conf import settings

from communications.links import tokens
from communications.models import CommunicationLog

_USE = "unsubscribing"


def url(message_id: uuid.UUID) -> str:
    """Return the unsubscribe link of a mail. It contains no personal data, and another mail's cannot be guessed."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{tokens.make(message_id, use=_USE)}"


def mail_of(token: str) -> CommunicationLog | None:
    """Return the mail that a link's token belongs to; None for an invalid token."""
    return tokens.mail_of(token, use=_USE)


def headers(message_id: uuid.UUID) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url(message_id)}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
