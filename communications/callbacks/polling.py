"""Ask the provider about uncertain text messages for which no callback came.

A message that the provider has was sent. One that it does not have after ten minutes has failed, and is not sent again. Where the
provider has another message to that number, of which nothing is known here, an agent decides.
"""

from collections import Counter
from datetime import datetime, timedelta

import structlog

from communications.callbacks import delivery_events
from communications.channels.events import DeliveryEvent
from communications.models import CommunicationLog, MessageStatus
from communications.outbox.states import Event
from communications.providers import registry
from communications.providers.base import Provider
from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: How long a callback is waited for, until when the provider is asked, and about how many messages in one run.
WAIT_FOR_CALLBACK, GIVE_UP_AFTER, MESSAGES_PER_RUN = timedelta(minutes=10), timedelta(hours=1), 100
#: A run ends after so many errors in a row: then the provider does not answer.
_MAX_ERRORS = 3
#: The provider's clock may be behind by this much.
_CLOCK_SKEW = timedelta(minutes=1)
_FOUND = "No callback arrived. The provider has the message and reports: {}."
_NOT_FOUND = "No callback arrived. The provider does not have the message."


def poll(*, now: datetime) -> Counter[str]:
    """Ask about each text message that has been uncertain for a while; return how many are in which status now."""
    results: Counter[str] = Counter()
    provider = registry.configured()
    uncertain = CommunicationLog.objects.filter(
        status=MessageStatus.UNCERTAIN,
        communication_type=Channel.SMS,
        provider=provider.name,
        one_time_code_of__isnull=True,  # Its text is stored masked, and its code has expired.
        updated_at__range=(now - GIVE_UP_AFTER, now - WAIT_FOR_CALLBACK),
    )
    errors = 0
    for message in uncertain.order_by("created_at", "id").prefetch_related("attempt_rows")[:MESSAGES_PER_RUN]:
        try:
            event = _ask_about(message, provider)
        except Exception as error:  # The next run asks again.
            log.warning("polling_failed", message=str(message.pk), error=type(error).__name__)
            errors += 1
            if errors == _MAX_ERRORS:
                break
            continue
        errors = 0
        if event:
            delivery_events.apply(event, now=now)
        results[event.event if event and event.event else MessageStatus.UNCERTAIN] += 1
    return results


def _ask_about(message: CommunicationLog, provider: Provider) -> DeliveryEvent | None:
    """Return what the provider's records prove about a message; None if they prove nothing."""
    began_at = max(attempt.began_at for attempt in message.attempt_rows.all())
    accepted = provider.fetch_status(message.address or "", since=began_at - _CLOCK_SKEW)
    if accepted is None:
        return None
    ids = [text.provider_message_id for text in accepted]
    ours = CommunicationLog.objects.filter(provider=provider.name, provider_message_id__in=ids)
    known = set(ours.values_list("provider_message_id", flat=True))
    unknown = [text for text in accepted if text.provider_message_id not in known]
    same = [text for text in unknown if text.body.strip() == (message.body or "").strip()]
    if unknown and not same:
        return None
    return DeliveryEvent(
        provider=provider.name,
        event_id=f"polled:{message.pk}",
        message_id=message.pk,
        provider_message_id=same[0].provider_message_id if same else None,
        event=same[0].event if same else Event.FAILED,
        reason_text=_FOUND.format(same[0].event) if same else _NOT_FOUND,
    )
