"""The pixel that reports the opening of a mail: which mail may have one, and its address."""

import uuid

from django.conf import settings

from communications.links import tokens
from communications.models import CommunicationLog
from ddc.common.reference.countries import EU_EEA_UK
from debtors.models import Debtor

#: Territories overseas that belong to the EU (TFEU, art. 349 and 355) and have country codes of their own.
_EU_OVERSEAS = frozenset({"AX", "GF", "GP", "MF", "MQ", "RE", "YT"})
_USE = "tracking.open"


def may_track(debtor: Debtor) -> bool:
    """Return whether openings of mail to this debtor may be recorded.

    In the EU, the EEA and the UK, and where the country is unknown, that needs their consent. Elsewhere OPEN_TRACKING decides.
    """
    elsewhere = debtor.country_code and debtor.country_code not in EU_EEA_UK | _EU_OVERSEAS
    return bool(debtor.tracking_consent_at or (elsewhere and settings.OPEN_TRACKING))


def url(message_id: uuid.UUID) -> str:
    """Return the address of a mail's pixel. It cannot be guessed and does not name the debtor."""
    return f"{settings.PUBLIC_URL}/track/open/{tokens.make(message_id, use=_USE)}.gif"


def mail_of(token: str) -> CommunicationLog | None:
    """Return the mail that a pixel's token belongs to; None for an invalid token."""
    return tokens.mail_of(token, use=_USE)
