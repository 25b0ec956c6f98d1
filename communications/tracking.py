"""Opens and deliveries: what we hear of a message after it went."""

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import Signal
from django.utils.crypto import salted_hmac

from communications import suppressions
from communications.models import Channel, CommunicationLog, MessageStatus, ProviderEvent
from ddc.common.countries import EU_EEA_UK
from ddc.common.errors import DomainError, refusing
from debtors.models import Debtor, StopReason

#: A mail was opened; ``log`` and ``now`` come along. Sent within the transaction.
opened = Signal()

#: Overseas, and part of the EU all the same (Treaty on the Functioning of the EU, art. 349 and 355), with codes of their own.
_EU_OVERSEAS = frozenset({"AX", "GF", "GP", "MF", "MQ", "RE", "YT"})
_SIGNATURE_BYTES = 16

#: From which states a message may move to which; nothing ever moves back.
_BEFORE = {
    MessageStatus.SENT: (MessageStatus.SENDING, MessageStatus.UNCERTAIN),
    MessageStatus.DELIVERED: (MessageStatus.SENDING, MessageStatus.UNCERTAIN, MessageStatus.SENT),
    MessageStatus.FAILED: (MessageStatus.SENDING, MessageStatus.UNCERTAIN, MessageStatus.SENT),
    MessageStatus.BOUNCED: (
        MessageStatus.SENDING,
        MessageStatus.UNCERTAIN,
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
    ),
}


@dataclass(frozen=True)
class News:
    """What a provider tells of one message. ``event_id`` is the same whenever the same is told again."""

    provider: str
    event_id: str
    log_id: uuid.UUID | None = None
    message_id: str | None = None
    address: str | None = None
    status: MessageStatus | None = None
    suppression: StopReason | None = None
    words: str | None = None


class ToldBefore(DomainError):
    """A provider's event counts once."""

    message = "This event was dealt with."


class _AboutNothing(DomainError):
    message = "This is about no message of ours."


def may_track(debtor: Debtor) -> bool:
    """Tell whether mail to this debtor may have the pixel.

    In the EU, EEA and UK, and where the country is unknown, it takes their consent.
    """
    elsewhere = debtor.country_code and debtor.country_code not in EU_EEA_UK | _EU_OVERSEAS
    return bool(elsewhere or debtor.tracking_consent_at)


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


@transaction.atomic
def record_open(token: str, *, now: datetime) -> bool:
    """Count an opening of the mail that the token belongs to; False if it belongs to none."""
    log_id = read_token(token)
    if log_id is None:
        return False
    mails = CommunicationLog.objects.filter(pk=log_id, communication_type=Channel.EMAIL)
    if not mails.update(open_count=F("open_count") + 1, opened_at=Coalesce("opened_at", now), updated_at=now):
        return False
    # Who reads a mail has got it, whatever the connection to the server died of.
    _advance(mails, MessageStatus.DELIVERED, now=now, only_from=(MessageStatus.UNCERTAIN,))
    opened.send(CommunicationLog, log=mails.select_related("debtor", "debt").get(), now=now)
    return True


def record(news: News, *, now: datetime) -> bool:
    """Take in what a provider tells; False if it was told before, or is about no message of ours.

    A state never moves back, and an address that bounced, complained or opted out is written to no more.
    """
    try:
        with transaction.atomic():
            note_once(news.provider, news.event_id, now=now)
            _take_in(news, now=now)
    except (ToldBefore, _AboutNothing):
        return False
    return True


def note_once(provider: str, event_id: str, *, now: datetime) -> None:
    """Note that an event is dealt with in this transaction.

    :raises ToldBefore: if it was before
    """
    with refusing({"provider_event_is_unique": ToldBefore()}):
        ProviderEvent.objects.create(provider=provider, event_id=event_id, received_at=now)


def _take_in(news: News, *, now: datetime) -> None:
    log = _find(news)
    if log:
        row = CommunicationLog.objects.filter(pk=log.pk)
        if news.status:
            _advance(row, news.status, now=now, words=news.words)
        if news.message_id and not log.provider_message_id:
            row.filter(provider_message_id__isnull=True).update(
                provider=news.provider, provider_message_id=news.message_id
            )
    address = (log.address if log else None) or news.address
    if log is None and not (news.suppression and address):
        raise _AboutNothing
    if news.suppression and address:
        channel = Channel(log.communication_type) if log else Channel.EMAIL
        source = news.words or f"{news.provider}: {news.suppression.label}"
        suppressions.suppress(
            address, medium=suppressions.MEDIUM[channel], reason=news.suppression, source=source, now=now
        )


def _find(news: News) -> CommunicationLog | None:
    outbound = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND)
    if news.log_id and (log := outbound.filter(pk=news.log_id).first()):
        return log
    if news.message_id:
        return outbound.filter(provider=news.provider, provider_message_id=news.message_id).first()
    return None


def _advance(
    row: "models.QuerySet[CommunicationLog]",
    status: MessageStatus,
    *,
    now: datetime,
    words: str | None = None,
    only_from: tuple[MessageStatus, ...] | None = None,
) -> None:
    bad = status in (MessageStatus.FAILED, MessageStatus.BOUNCED)
    changes: dict[str, Any] = {
        "status": status,
        "due_at": None,
        "failure_reason": (words or "")[:500] or None if bad else None,
    }
    if status == MessageStatus.DELIVERED:
        changes["delivered_at"] = now
    row.filter(status__in=only_from or _BEFORE[status]).update(
        **changes, sent_at=Coalesce("sent_at", now) if not bad else F("sent_at"), updated_at=now
    )
