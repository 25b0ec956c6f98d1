"""What a channel is given, and what it says became of it."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Outgoing:
    """One message, ready to go."""

    log_id: uuid.UUID
    to: str
    subject: str | None
    body: str
    html: str | None = None
    language: str | None = None


class Result(StrEnum):
    """How a hand-over ended. ``uncertain``: the provider may have taken it, or not."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    OPTED_OUT = "opted_out"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Outcome:
    """The result, the provider with its own id for the message, and its words where it didn't take it.

    ``down``: it is the provider that doesn't work, not this message.
    """

    result: Result
    provider: str
    message_id: str | None = None
    words: str | None = None
    down: bool = False
