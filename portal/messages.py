"""The messages that a debtor may read again in the portal: what went to them, and what they wrote."""

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from communications.models import CommunicationLog, MessageStatus
from debtors.channels import Channel
from debtors.models import Debtor

_ARRIVED = (MessageStatus.SENT, MessageStatus.DELIVERED)


def of(debtor: Debtor) -> "QuerySet[CommunicationLog]":
    """Return a debtor's messages, newest first, with the time at which each went as ``made_at``.

    Scripts of agents' calls are left out: the call may have gone another way.
    """
    rows = CommunicationLog.objects.filter(debtor=debtor).exclude(communication_type=Channel.CALL_SCRIPT)
    readable = Q(direction="inbound") | Q(status__in=_ARRIVED)
    return rows.filter(readable).annotate(made_at=Coalesce(F("sent_at"), F("created_at")))
