"""The states of a message: which leads to which, by whom, and when.

Whoever changes a status does so by one UPDATE whose condition comes from ``before``; so the table in ``docs/messages.md``, which
is written from the same steps, is what happens. Whatever order news come in, a message moves on and never back.
"""

from dataclasses import dataclass
from enum import StrEnum

from communications.models import MessageStatus

_S = MessageStatus


class Cause(StrEnum):
    """Who moves a message."""

    WORKER = "worker"
    CLOCK = "clock"
    PROVIDER = "provider"
    PERSON = "person"


class Event(StrEnum):
    """What is heard of a message that went. The last four are facts beside its state."""

    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True)
class Step:
    before: MessageStatus
    after: MessageStatus
    cause: Cause
    when: str


STEPS = (
    Step(_S.QUEUED, _S.CLAIMED, Cause.WORKER, "It is due: a worker takes it, for the time of a lease."),
    Step(_S.POSTPONED, _S.CLAIMED, Cause.WORKER, "The moment to which it was put off has come, so it is queued again."),
    Step(
        _S.CLAIMED, _S.CLAIMED, Cause.WORKER, "The lease is over, so it is queued again, and another worker takes it."
    ),
    Step(_S.CLAIMED, _S.QUEUED, Cause.WORKER, "Given back untouched: the turn is over, or its provider is down."),
    Step(_S.QUEUED, _S.POSTPONED, Cause.WORKER, "The contact gate says at queueing: not before a certain moment."),
    Step(_S.CLAIMED, _S.POSTPONED, Cause.WORKER, "The contact gate says at sending: not before a certain moment."),
    Step(_S.QUEUED, _S.BLOCKED, Cause.WORKER, "The contact gate says at queueing: not at all."),
    Step(_S.CLAIMED, _S.BLOCKED, Cause.WORKER, "The contact gate says at sending: not at all."),
    Step(_S.CLAIMED, _S.FAILED, Cause.WORKER, "It has expired, or nothing can be made of its template."),
    Step(
        _S.CLAIMED,
        _S.SENDING,
        Cause.WORKER,
        "Committed, for a few at a time, before the first of their hand-overs begins.",
    ),
    Step(_S.SENDING, _S.SENT, Cause.WORKER, "The provider took it."),
    Step(_S.SENDING, _S.QUEUED, Cause.WORKER, "The provider did not take it for now, or its turn did not come."),
    Step(_S.SENDING, _S.FAILED, Cause.WORKER, "The provider refused it for good, or for now too often."),
    Step(_S.SENDING, _S.UNCERTAIN, Cause.WORKER, "The connection broke when the provider may have had it."),
    Step(_S.SENDING, _S.QUEUED, Cause.CLOCK, "Its worker died, and its turn had provably not come."),
    Step(_S.SENDING, _S.UNCERTAIN, Cause.CLOCK, "The hand-over outlived its lease: whoever was at it is dead."),
    Step(_S.UNCERTAIN, _S.SENT, Cause.WORKER, "The hand-over that outlived its lease ended well after all."),
    Step(_S.UNCERTAIN, _S.FAILED, Cause.WORKER, "The hand-over that outlived its lease ended in a refusal for good."),
    Step(_S.UNCERTAIN, _S.QUEUED, Cause.WORKER, "The hand-over that outlived its lease ended: not taken for now."),
    Step(_S.UNCERTAIN, _S.SENT, Cause.PERSON, "An agent found that it went."),
    Step(_S.UNCERTAIN, _S.FAILED, Cause.PERSON, "An agent has a new message sent in its place."),
    *(
        Step(waiting, after, Cause.PROVIDER, "News of an attempt that seemed to have failed for now.")
        for waiting in (_S.QUEUED, _S.CLAIMED)
        for after in (_S.SENT, _S.DELIVERED, _S.BOUNCED)
    ),
    *(
        Step(undecided, after, Cause.PROVIDER, "A callback was quicker than the answer, or came in its place.")
        for undecided in (_S.SENDING, _S.UNCERTAIN)
        for after in (_S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED)
    ),
    Step(_S.SENT, _S.DELIVERED, Cause.PROVIDER, "It arrived; or whoever opened it has it."),
    Step(_S.SENT, _S.BOUNCED, Cause.PROVIDER, "There is nobody at that address."),
    Step(_S.SENT, _S.FAILED, Cause.PROVIDER, "The provider could not deliver it."),
    Step(_S.DELIVERED, _S.BOUNCED, Cause.PROVIDER, "The next server took it at first, and bounced it later."),
)

#: No step of a provider or a person leads to a lower one.
PROGRESS = {
    _S.QUEUED: 0, _S.POSTPONED: 0, _S.CLAIMED: 0, _S.SENDING: 1, _S.UNCERTAIN: 2, _S.SENT: 3, _S.DELIVERED: 4,
    _S.FAILED: 5, _S.BOUNCED: 5, _S.BLOCKED: 5, _S.RECEIVED: 5,
}  # fmt: skip

#: Where a message ends that no news comes of.
FINAL = frozenset({_S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED, _S.BLOCKED, _S.RECEIVED})

#: What an event says of the state. Who opens, clicks or complains has the message.
STATE_OF = {
    Event.SENT: _S.SENT,
    Event.DELIVERED: _S.DELIVERED,
    Event.BOUNCED: _S.BOUNCED,
    Event.FAILED: _S.FAILED,
    Event.OPENED: _S.DELIVERED,
    Event.CLICKED: _S.DELIVERED,
    Event.COMPLAINED: _S.DELIVERED,
    Event.UNSUBSCRIBED: _S.DELIVERED,
}


def before(after: MessageStatus, cause: Cause) -> tuple[MessageStatus, ...]:
    """Return the states from which this cause may lead to ``after``: the condition of its UPDATE."""
    found = tuple(dict.fromkeys(step.before for step in STEPS if step.after == after and step.cause == cause))
    if not found:
        raise ValueError(f"nothing becomes {after} by the {cause}")
    return found


def may(before: str, after: str, cause: Cause) -> bool:
    """Tell whether there is such a step."""
    return any((step.before, step.after, step.cause) == (before, after, cause) for step in STEPS)


def table() -> str:
    """Write the steps as a table in Markdown."""
    lines = ["| from | to | by | when |", "| --- | --- | --- | --- |"]
    lines += [f"| `{step.before}` | `{step.after}` | {step.cause} | {step.when} |" for step in STEPS]
    ends = ", ".join(f"`{status}`" for status in MessageStatus if status in FINAL)
    return "\n".join([*lines, "", f"A message ends in one of {ends}; `received` is an inbound one's only state."])
