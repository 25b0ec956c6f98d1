"""Openings of mail: who may be tracked, the pixel's address, and what an opening counts for."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import Signal

from communications.callbacks import machines
from communications.links import tokens
from communications.models import CommunicationLog, MessageStatus
from ddc.common.reference.countries import EU_EEA_UK
from debtors.channels import Channel
from debtors.models import Debtor

#: A mail was opened; ``log`` and ``now`` come along. Sent within the transaction.
opened = Signal()

#: Overseas, and part of the EU all the same (Treaty on the Functioning of the EU, art. 349 and 355), with codes of their own.
_EU_OVERSEAS = frozenset({"AX", "GF", "GP", "MF", "MQ", "RE", "YT"})
_USE = "tracking.open"


def may_track(debtor: Debtor) -> bool:
    """Tell whether mail to this debtor may tell us of its opening.

    In the EU, EEA and UK, and where the country is unknown, it takes their consent; elsewhere OPEN_TRACKING says so.
    """
    elsewhere = debtor.country_code and debtor.country_code not in EU_EEA_UK | _EU_OVERSEAS
    return bool(debtor.tracking_consent_at or (elsewhere and settings.OPEN_TRACKING))


def pixel_url(log_id: uuid.UUID) -> str:
    """Return the address of a mail's pixel. It names nobody, and nobody can guess another's."""
    return f"{settings.PUBLIC_URL}/track/open/{tokens.make(log_id, use=_USE)}.gif"


def record_open(token: str, *, user_agent: str = "", purpose: str = "", now: datetime) -> bool:
    """Count an opening of the mail that the token belongs to; False if it belongs to none."""
    log_id = tokens.read(token, use=_USE)
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
