"""Asking the provider about text messages in doubt, of which no callback came: whether it has them.

What it has went. What it has not by then it never took: that failed, and is not sent again by itself. Where it has another
message to that number, of which we know nothing, only a person can tell.
"""

from collections import Counter
from datetime import datetime, timedelta

import structlog

from communications.callbacks import delivery_events
from communications.callbacks.delivery_events import News
from communications.models import CommunicationLog, MessageStatus
from communications.providers import registry
from communications.providers.base import Provider
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: How long a callback is waited for, and for how long a message is asked about; how many are, in one turn.
PATIENCE, UNTIL, AT_ONCE = timedelta(minutes=10), timedelta(hours=1), 100
#: After how many errors in a row a turn ends: by then it is the provider, and not something about a message.
_ERRORS = 3
#: The provider's clock may be behind ours by this much.
_BEHIND = timedelta(minutes=1)
_WENT = "No callback came; the provider was asked, and has it."
_NEVER = "No callback came; the provider was asked, and has no such message."


def ask(*, now: datetime) -> Counter[str]:
    """Ask about each message that has been in doubt for a while; return how many went, failed, or are in doubt still."""
    found: Counter[str] = Counter()
    provider = registry.configured()
    doubted = CommunicationLog.objects.filter(
        status=MessageStatus.UNCERTAIN,
        communication_type=Channel.SMS,
        provider=provider.name,
        one_time_code_of__isnull=True,  # Its text is kept masked, and it is worthless by now.
        updated_at__range=(now - UNTIL, now - PATIENCE),
    )
    errors = 0
    for message in doubted.order_by("created_at", "id").prefetch_related("attempt_rows")[:AT_ONCE]:
        try:
            told = _told(message, provider)
        except Exception as error:  # The next turn asks again.
            log.warning("provider_not_asked", message=str(message.pk), error=type(error).__name__)
            errors += 1
            if errors == _ERRORS:
                break
            continue
        errors = 0
        if told:
            delivery_events.take_in(told, now=now)
        found[told.status if told and told.status else MessageStatus.UNCERTAIN] += 1
    return found


def _told(message: CommunicationLog, provider: Provider) -> News | None:
    """Return what the provider knows of a message; None if that settles nothing."""
    began_at = max(attempt.began_at for attempt in message.attempt_rows.all())
    theirs = provider.fetch_status(message.address or "", since=began_at - _BEHIND)
    if theirs is None:
        return None
    ids = [one.message_id for one in theirs]
    ours = CommunicationLog.objects.filter(provider=provider.name, provider_message_id__in=ids)
    known = set(ours.values_list("provider_message_id", flat=True))
    unknown = [one for one in theirs if one.message_id not in known]
    same = [one for one in unknown if one.body.strip() == (message.body or "").strip()]
    if unknown and not same:
        return None
    return News(
        provider=provider.name,
        event_id=f"asked:{message.pk}",
        log_id=message.pk,
        message_id=same[0].message_id if same else None,
        status=MessageStatus.SENT if same else MessageStatus.FAILED,
        words=_WENT if same else _NEVER,
    )
