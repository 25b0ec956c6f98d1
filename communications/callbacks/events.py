"""What providers report, as plain values: readers make them, the inbox stores them, handlers work on them."""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from communications.models import ProviderEvent
from communications.outbox.states import Event
from debtors.channels import Channel
from debtors.models import SuppressionReason

Kind = ProviderEvent.Kind


@dataclass(frozen=True)
class DeliveryEvent:
    """What a provider reports about one message to a debtor. A repeated report has the same ``event_id``."""

    provider: str
    event_id: str
    message_id: uuid.UUID | None = None
    provider_message_id: str | None = None
    address: str | None = None
    event: Event | None = None
    suppression: SuppressionReason | None = None
    reason_text: str | None = None
    user_agent: str | None = None
    call_outcome: str | None = None


@dataclass(frozen=True)
class InboundMessage:
    """A message from a debtor.

    ``opt_out`` is STOP or START where the provider recognised the word and answered it. ``references`` are the Message-IDs
    that a mail answers, the nearest first.
    """

    channel: Channel
    provider: str
    message_id: str
    address: str
    body: str
    event_id: str = ""
    subject: str | None = None
    opt_out: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyPress:
    """A key that was pressed in a call."""

    provider: str
    event_id: str
    message_id: uuid.UUID | None
    digit: str
    address: str


@dataclass(frozen=True)
class UnparsedCallback:
    """A correctly signed callback that could not be parsed, with all that is needed to try again."""

    provider: str
    event_id: str
    kind: str
    body: str
    content_type: str
    headers: dict[str, str]


CallbackEvent = DeliveryEvent | InboundMessage | KeyPress | UnparsedCallback

_KINDS: dict[type, Kind] = {
    DeliveryEvent: Kind.NEWS,
    InboundMessage: Kind.RECEIVED,
    KeyPress: Kind.KEY,
    UnparsedCallback: Kind.UNREAD,
}
_TYPES = {kind: type_ for type_, kind in _KINDS.items()}
#: Fields that JSON keeps as text or as a list.
_CONVERTERS: dict[str, dict[type, Callable[[Any], Any]]] = {
    "message_id": {DeliveryEvent: uuid.UUID, KeyPress: uuid.UUID},
    "event": {DeliveryEvent: Event},
    "suppression": {DeliveryEvent: SuppressionReason},
    "channel": {InboundMessage: Channel},
    "references": {InboundMessage: tuple},
}


def to_row(event: CallbackEvent, *, now: datetime) -> ProviderEvent:
    """Return the unsaved inbox row of an event, due at once."""
    return ProviderEvent(
        provider=event.provider,
        event_id=event.event_id,
        kind=_KINDS[type(event)],
        payload=to_payload(event),
        received_at=now,
        due_at=now,
    )


def to_payload(event: CallbackEvent) -> dict[str, Any]:
    """Return what the inbox stores of an event beside its provider and id, as JSON takes it."""
    values = {name: value for name, value in asdict(event).items() if name not in ("provider", "event_id")}
    return {
        name: str(value) if isinstance(value, uuid.UUID) else value
        for name, value in values.items()
        if value is not None
    }


def from_row(row: ProviderEvent) -> CallbackEvent:
    """Return the event that an inbox row stores."""
    type_: Any = _TYPES[Kind(row.kind)]
    values = dict(row.payload)
    for name, converters in _CONVERTERS.items():
        if name in values and (convert := converters.get(type_)):
            values[name] = convert(values[name])
    event: CallbackEvent = type_(provider=row.provider, event_id=row.event_id, **values)
    return event
