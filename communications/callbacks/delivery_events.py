"""Apply what is reported about a message after it was handed over: by its provider, or by the pixel in it."""

from datetime import datetime

from django.db import models, transaction

from communications.callbacks import opens
from communications.calls import records
from communications.channels import events
from communications.channels.events import DeliveryEvent
from communications.links import open_pixel
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox import states
from communications.outbox.states import Advance, Event
from debtors import contact_points
from debtors.channels import Channel

#: Why an agent has to look at an event.
NEVER_HANDED_OVER = "This message was never handed over to a provider, so its status was left as it is."


class Applied(models.TextChoices):
    """What became of an event."""

    DONE = "done", "Done"
    REPEATED = "repeated", "Known already"
    UNKNOWN_MESSAGE = "unknown_message", "About no message of ours"
    NEVER_HANDED_OVER = "never_handed_over"


@transaction.atomic
def apply(event: DeliveryEvent, *, now: datetime) -> Applied:
    """Apply an event. An address that bounced, complained or opted out is suppressed, whatever message it is about."""
    message = _find(event)
    suppressed = _suppress(event, message, now=now)
    _count_soft_bounces(event, message, now=now)
    if message is None:
        return Applied.DONE if suppressed else Applied.UNKNOWN_MESSAGE
    if event.event:
        advance = states.advance(message, event.event, now=now, reason_text=event.reason_text)
        if advance == Advance.NEVER_HANDED_OVER:
            return Applied.NEVER_HANDED_OVER
    if event.event == Event.OPENED and message.debtor and open_pixel.may_track(message.debtor):
        opens.count(message, by_machine=opens.is_machine(event.user_agent or ""), now=now)
    if event.provider_message_id and not message.provider_message_id:
        CommunicationLog.objects.filter(pk=message.pk, provider_message_id__isnull=True).update(
            provider=event.provider, provider_message_id=event.provider_message_id
        )
    if event.call_outcome:
        records.record_outcome(message.pk, event.call_outcome, notes=event.reason_text, now=now)
    return Applied.DONE


@transaction.atomic
def record_open(token: str, *, user_agent: str = "", purpose: str = "", now: datetime) -> bool:
    """Apply and count an opening by the pixel's token; False if the token is invalid."""
    message = open_pixel.mail_of(token)
    if message is None:
        return False
    if states.advance(message, Event.OPENED, now=now) == Advance.NEVER_HANDED_OVER:
        opened = DeliveryEvent("pixel", f"opened:{message.pk}", message.pk, event=Event.OPENED, user_agent=user_agent)
        row = events.to_row(opened, now=now)
        row.failed_at, row.due_at, row.error = now, None, NEVER_HANDED_OVER
        ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    else:
        opens.count(message, by_machine=opens.is_machine(user_agent, purpose=purpose), now=now)
    return True


def _find(event: DeliveryEvent) -> CommunicationLog | None:
    outbound = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND).select_related("debtor")
    if event.message_id and (message := outbound.filter(pk=event.message_id).first()):
        return message
    if event.provider_message_id:
        return outbound.filter(provider=event.provider, provider_message_id=event.provider_message_id).first()
    return None


def _suppress(event: DeliveryEvent, message: CommunicationLog | None, *, now: datetime) -> bool:
    """Suppress the address of an event that demands it; False if it demands nothing, or names no address."""
    address = (message.address if message else None) or event.address
    if event.suppression is None or not address:
        return False
    channel = Channel(message.communication_type) if message else _channel(address)
    source = event.reason_text or f"{event.provider}: {event.suppression.label}"
    contact_points.suppress(address, channel=channel, reason=event.suppression, source=source, now=now)
    return True


def _count_soft_bounces(event: DeliveryEvent, message: CommunicationLog | None, *, now: datetime) -> None:
    """Count a bounce that suppresses nothing by itself; a delivery ends the count."""
    address = (message.address if message else None) or event.address
    if not address or "@" not in address:
        return
    if event.event == Event.BOUNCED and event.suppression is None:
        contact_points.count_soft_bounce(address, channel=Channel.EMAIL, source=event.reason_text or "", now=now)
    elif event.event == Event.DELIVERED:
        contact_points.forget_soft_bounces(address, channel=Channel.EMAIL, now=now)


def _channel(address: str) -> Channel:
    return Channel.EMAIL if "@" in address else Channel.SMS
