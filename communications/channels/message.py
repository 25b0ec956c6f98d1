"""What a channel gets to send, and the outcome that it reports."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Outgoing:
    """One message, ready to be dispatched."""

    message_id: uuid.UUID
    to: str
    subject: str | None
    body: str
    html: str | None = None
    language: str | None = None
    #: The Message-IDs of the mails that a mail answers, the one that it replies to last.
    answers: tuple[str, ...] = ()


class Result(StrEnum):
    """How a dispatch ended. Only what is certainly not with the provider is sent again.

    ``sent``: the provider accepted the message. ``retry``: it certainly did not, for now. ``failed``: it refused the message
    for good. ``opted_out``: it refused because the recipient opted out. ``uncertain``: it may have the message, or not.
    """

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    OPTED_OUT = "opted_out"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Outcome:
    """The result, the provider with its own id for the message, and its reason if it did not accept the message.

    ``down`` marks an error that concerns the provider and not this message, ``is_dead_number`` a phone that can get no texts.
    """

    result: Result
    provider: str
    provider_message_id: str | None = None
    reason_text: str | None = None
    down: bool = False
    is_dead_number: bool = False
