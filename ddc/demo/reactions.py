"""Report on the demo's messages as providers and debtors would: deliveries, opens, replies, stops."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from communications.callbacks import delivery_events, replies
from communications.channels import events
from communications.channels.events import DeliveryEvent, InboundMessage
from communications.links import open_pixel
from communications.models import CallOutcome, CommunicationLog, MessageStatus, ProviderEvent
from communications.outbox.states import Event
from ddc.demo.sample import SAMPLE
from debtors.channels import Channel
from debtors.models import SuppressionReason

_PROVIDER = "demo"
_READER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
_CALLS = {
    CallOutcome.ANSWERED: 45, CallOutcome.VOICEMAIL: 30, CallOutcome.NO_ANSWER: 18, CallOutcome.BUSY: 5,
    CallOutcome.NOT_IN_SERVICE: 2,
}  # fmt: skip
_UNANSWERED = (CallOutcome.NO_ANSWER, CallOutcome.BUSY, CallOutcome.NOT_IN_SERVICE)

Happening = tuple[datetime, DeliveryEvent | InboundMessage]


def happen(rng: random.Random, *, since: datetime, until: datetime, by_inbox: bool) -> None:
    """Report on the messages that were sent since then, until the next are sent.

    :param by_inbox: put the reports into the inbox of callbacks, as those that come over HTTP; else they are handled at once
    """
    sent = CommunicationLog.objects.filter(
        status=MessageStatus.SENT, direction=CommunicationLog.Direction.OUTBOUND, sent_at__gte=since
    ).exclude(communication_type=Channel.CALL_SCRIPT)
    found: list[Happening] = []
    # Messages that were due at once are sent in any order; by their debts they always have the same one.
    for message in sent.select_related("debtor").order_by("debt__external_reference", "created_at", "address"):
        found += _of(message, rng)
    reports = sorted((one for one in found if one[0] <= until), key=lambda one: one[0])
    if by_inbox:
        ProviderEvent.objects.bulk_create([events.to_row(event, now=at) for at, event in reports], batch_size=500)
        return
    for at, event in reports:
        if isinstance(event, InboundMessage):
            replies.receive(event, now=at)
        else:
            delivery_events.apply(event, now=at)


def _of(message: CommunicationLog, rng: random.Random) -> Iterator[Happening]:
    assert message.sent_at is not None
    arrived = message.sent_at + timedelta(seconds=rng.randint(1, 40))
    match message.communication_type:
        case Channel.EMAIL:
            yield from _mail(message, rng, arrived)
        case Channel.SMS:
            yield from _text(message, rng, arrived)
        case Channel.VOICE:
            outcome = rng.choices(tuple(_CALLS), tuple(_CALLS.values()))[0]
            what = Event.FAILED if outcome in _UNANSWERED else Event.DELIVERED
            yield arrived, _event(message, what, call_outcome=outcome.value)


def _mail(message: CommunicationLog, rng: random.Random, arrived: datetime) -> Iterator[Happening]:
    if rng.random() < 0.02:
        reason = "550 5.1.1 There is no such mailbox here."
        yield arrived, _event(message, Event.BOUNCED, suppression=SuppressionReason.BOUNCED, reason_text=reason)
        return
    yield arrived, _event(message, Event.DELIVERED)
    if message.debtor and open_pixel.may_track(message.debtor) and rng.random() < 0.45:
        opened = arrived + timedelta(minutes=rng.randint(2, 200))
        yield opened, _event(message, Event.OPENED, user_agent=_READER)
    if rng.random() < 0.03:
        yield _reply(message, rng, arrived)


def _text(message: CommunicationLog, rng: random.Random, arrived: datetime) -> Iterator[Happening]:
    if rng.random() < 0.03:
        yield arrived, _event(message, Event.FAILED, reason_text="30003: The handset is unreachable.")
        return
    yield arrived, _event(message, Event.DELIVERED)
    if not message.confirms_opt_out and rng.random() < 0.15:
        yield _reply(message, rng, arrived)


def _reply(message: CommunicationLog, rng: random.Random, arrived: datetime) -> Happening:
    channel = Channel(message.communication_type)
    stops = channel == Channel.SMS and rng.random() < 0.12
    reply = InboundMessage(
        channel=channel,
        provider=_PROVIDER,
        provider_message_id=f"reply-{message.pk}",
        event_id=f"received:{message.pk}",
        address=message.address or "",
        body=rng.choice(SAMPLE["stops"] if stops else SAMPLE["replies"]),
        subject=f"Re: {message.subject}" if message.subject else None,
        references=(str(message.pk),) if channel == Channel.EMAIL else (),
    )
    return arrived + timedelta(minutes=rng.randint(2, 200)), reply


def _event(message: CommunicationLog, event: Event, **more: object) -> DeliveryEvent:
    return DeliveryEvent(_PROVIDER, f"{event}:{message.pk}", message_id=message.pk, event=event, **more)  # type: ignore[arg-type]
