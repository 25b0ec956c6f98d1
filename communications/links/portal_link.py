"""The link of a message to the debtor's account: it opens the second question of the sign-in, and nothing without its answer.

The token is the message's id with a code of 128 bits that only the product can compute. It is in the sent text only: the
stored text has the address of the portal instead.
"""

import base64
import binascii
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from communications.models import CommunicationLog

LIFETIME = timedelta(days=30)
#: Characters of a token: 32 bytes in base64.
LENGTH = 43
_MAC_BYTES = 16


def url(message_id: uuid.UUID) -> str:
    """Return the link of a message."""
    return f"{settings.PUBLIC_URL}/portal/l/{_write(message_id.bytes + _mac(message_id, settings.SECRET_KEY))}"


def message_of(token: str, *, now: datetime) -> CommunicationLog | None:
    """Return the message to which a token belongs; None for a wrong or expired one. Fallback keys are accepted."""
    try:
        found = base64.urlsafe_b64decode(f"{token}=") if len(token) == LENGTH else b""
    except (binascii.Error, ValueError):
        return None
    if len(found) != 16 + _MAC_BYTES or _write(found) != token:
        return None
    message_id = uuid.UUID(bytes=found[:16])
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(found[16:], _mac(message_id, key)) for key in keys):
        return None
    messages = CommunicationLog.objects.filter(pk=message_id, debtor__isnull=False, created_at__gt=now - LIFETIME)
    return messages.select_related("debtor").first()


def _mac(message_id: uuid.UUID, key: str) -> bytes:
    return salted_hmac("communications.portal", message_id.bytes, secret=key, algorithm="sha256").digest()[:_MAC_BYTES]


def _write(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")
