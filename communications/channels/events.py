"""What providers report, as plain values: providers and mail readers make them, the inbox stores them, handlers use them."""

import contextlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from communications.models import CallOutcome, ProviderEvent
from communications.outbox.states import Event
from ddc.common import dataclass_json
from ddc.common.errors import DomainError, Forbidden
from debtors.channels import Channel
from debtors.models import SuppressionReason

Kind = ProviderEvent.Kind
#: The longest id of an event that the inbox stores.
EVENT_ID_LENGTH = 255


class NotAuthentic(Forbidden):
    """The callback has no valid signature or secret of a configured provider."""

    message = "This call is not signed by a provider that is configured here."


class Unreadable(DomainError):
    """The callback is authentic and lacks a necessary field."""

    status = 422
    message = "This call cannot be read: a necessary field is missing."


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
    that a mail answers, the nearest first. ``automatic`` if a machine wrote it, such as an out-of-office reply.
    """

    channel: Channel
    provider: str
    provider_message_id: str
    address: str
    body: str
    event_id: str = ""
    subject: str | None = None
    opt_out: str | None = None
    references: tuple[str, ...] = ()
    automatic: bool = False


@dataclass(frozen=True)
class KeyPress:
    """A key that was pressed in a call."""

    provider: str
    event_id: str
    message_id: uuid.UUID | None
    digit: str
    address: str


@dataclass(frozen=True)
class CallAnswered:
    """A call that a person or a machine answered. It is replied to at once, and the inbox stores a voicemail only."""

    provider: str
    call_id: str
    message_id: uuid.UUID | None
    by_machine: bool

    def as_voicemail(self, note: str) -> DeliveryEvent:
        """Return the event that the call reached a voicemail; the note describes what was spoken there."""
        return DeliveryEvent(
            self.provider,
            f"answered:{self.call_id}"[:EVENT_ID_LENGTH],
            message_id=self.message_id,
            provider_message_id=self.call_id,
            event=Event.SENT,
            call_outcome=CallOutcome.VOICEMAIL,
            reason_text=note,
        )


@dataclass(frozen=True)
class UnparsedCallback:
    """A correctly signed callback that could not be parsed, with all that is needed to try again."""

    provider: str
    event_id: str
    kind: str
    body: str
    content_type: str
    headers: dict[str, str]


#: The events that the inbox stores.
CallbackEvent = DeliveryEvent | InboundMessage | KeyPress | UnparsedCallback

_KINDS: dict[type[CallbackEvent], Kind] = {
    DeliveryEvent: Kind.DELIVERY,
    InboundMessage: Kind.INBOUND,
    KeyPress: Kind.KEY,
    UnparsedCallback: Kind.UNPARSED,
}
_TYPES = {kind: type_ for type_, kind in _KINDS.items()}


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
    values = dataclass_json.write(event)
    return {name: value for name, value in values.items() if name not in ("provider", "event_id")}


def from_row(row: ProviderEvent) -> CallbackEvent:
    """Return the event that an inbox row stores."""
    values = {**row.payload, "provider": row.provider, "event_id": row.event_id}
    return dataclass_json.read(_TYPES[Kind(row.kind)], values)


def storable(text: object) -> str | None:
    """Return a provider's text without the characters that PostgreSQL cannot store."""
    return None if text is None else str(text).replace("\x00", "").encode("utf-8", "replace").decode()


def our_id(text: object) -> uuid.UUID | None:
    """Parse the id of our message that a provider returns; None if it is none."""
    with contextlib.suppress(ValueError):
        return uuid.UUID(str(text))
    return None
