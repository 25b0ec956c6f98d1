"""Openings of mail: who may be tracked, the pixel's address, and what an opening counts for."""

import base64
import binascii
import hmac
import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import Signal
from django.utils.crypto import salted_hmac

from communications import machines
from communications.models import Channel, CommunicationLog, MessageStatus
from ddc.common.countries import EU_EEA_UK
from debtors.models import Debtor

#: A mail was opened; ``log`` and ``now`` come along. Sent within the transaction.
opened = Signal()

#: Overseas, and part of the EU all the same (Treaty on the Functioning of the EU, art. 349 and 355), with codes of their own.
_EU_OVERSEAS = frozenset({"AX", "GF", "GP", "MF", "MQ", "RE", "YT"})
_SIGNATURE_BYTES = 16


def may_track(debtor: Debtor) -> bool:
    """Tell whether mail to this debtor may tell us of its opening.

    In the EU, EEA and UK, and where the country is unknown, it takes their consent; elsewhere OPEN_TRACKING says so.
    """
    elsewhere = debtor.country_code and debtor.country_code not in EU_EEA_UK | _EU_OVERSEAS
    return bool(debtor.tracking_consent_at or (elsewhere and settings.OPEN_TRACKING))


def pixel_url(log_id: uuid.UUID) -> str:
    """Return the address of a mail's pixel. It names nobody, and nobody can guess another's."""
    token = base64.urlsafe_b64encode(log_id.bytes + _signature(log_id)).decode().rstrip("=")
    return f"{settings.PUBLIC_URL}/track/open/{token}.gif"


def read_token(token: str) -> uuid.UUID | None:
    """Return whose pixel it is; None if the token is none of ours."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _SIGNATURE_BYTES:
        return None
    log_id = uuid.UUID(bytes=raw[:16])
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return log_id if any(hmac.compare_digest(raw[16:], _signature(log_id, key)) for key in keys) else None


def _signature(log_id: uuid.UUID, key: str | None = None) -> bytes:
    salted = salted_hmac("communications.tracking.open", log_id.bytes, secret=key, algorithm="sha256")
    return salted.digest()[:_SIGNATURE_BYTES]


def record_open(token: str, *, user_agent: str = "", purpose: str = "", now: datetime) -> bool:
    """Count an opening of the mail that the token belongs to; False if it belongs to none."""
    log_id = read_token(token)
    by_machine = machines.is_machine(user_agent, purpose=purpose)
    return log_id is not None and count_opening(log_id, by_machine=by_machine, now=now)


@transaction.atomic
def count_opening(log_id: uuid.UUID, *, by_machine: bool, now: datetime) -> bool:
    """Count an opening, by the debtor or by a machine that fetches pictures for its users; False if there is no such mail."""
    mails = CommunicationLog.objects.filter(pk=log_id, communication_type=Channel.EMAIL)
    name = "machine_open" if by_machine else "open"
    counted = {f"{name}_count": F(f"{name}_count") + 1, f"{name}ed_at": Coalesce(f"{name}ed_at", now)}
    if not mails.update(**counted, updated_at=now):
        return False
    # Whose mail is opened has got it, whatever the connection to the server died of.
    mails.filter(status=MessageStatus.UNCERTAIN).update(
        status=MessageStatus.DELIVERED,
        due_at=None,
        failure_reason=None,
        delivered_at=now,
        sent_at=Coalesce("sent_at", now),
        updated_at=now,
    )
    if not by_machine:
        opened.send(CommunicationLog, log=mails.select_related("debtor", "debt").get(), now=now)
    return True
