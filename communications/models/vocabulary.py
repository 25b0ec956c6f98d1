"""Statuses of messages, and outcomes of calls."""

from typing import NamedTuple

from django.db import models


class MessageStatus(models.TextChoices):
    """The status of a message; an inbound message is always ``received``."""

    QUEUED = "queued"
    POSTPONED = "postponed"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNCERTAIN = "uncertain"
    RECEIVED = "received"


class CallOutcome(models.TextChoices):
    """How a call went; ``OUTCOMES`` gives how each is counted."""

    NO_ANSWER = "no_answer", "no answer"
    BUSY = "busy"
    NOT_IN_SERVICE = "out_service", "number not in service"
    VOICEMAIL = "voicemail"
    ANSWERED = "answered", "answered"
    WRONG_NUMBER = "wrong_number", "wrong number"
    THIRD_PARTY = "third_party", "spoke with another person"
    RIGHT_PARTY = "right_party", "spoke with the debtor"
    PROMISE = "promise", "the debtor promised to pay"
    REFUSED = "refused", "the debtor refused to pay"
    CALL_BACK = "call_back", "the debtor wants to be called back"
    NO_CALLS = "no_calls", "the debtor wants no more calls"
    NOT_CALLED = "not_called", "not called"


class OutcomeMeaning(NamedTuple):
    """How the contact rules count an outcome.

    ``connected``: the line reached its number, if only to ring there (12 CFR 1006.14(b)(3)(ii) and its comment 1).
    ``conversation``: a person spoke with us. ``with_debtor``: it was the debtor.
    """

    connected: bool
    conversation: bool
    with_debtor: bool


OUTCOMES: dict[str, OutcomeMeaning] = {
    CallOutcome.NO_ANSWER: OutcomeMeaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.BUSY: OutcomeMeaning(connected=False, conversation=False, with_debtor=False),
    CallOutcome.NOT_IN_SERVICE: OutcomeMeaning(connected=False, conversation=False, with_debtor=False),
    CallOutcome.VOICEMAIL: OutcomeMeaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.ANSWERED: OutcomeMeaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.WRONG_NUMBER: OutcomeMeaning(connected=True, conversation=True, with_debtor=False),
    CallOutcome.THIRD_PARTY: OutcomeMeaning(connected=True, conversation=True, with_debtor=False),
    CallOutcome.RIGHT_PARTY: OutcomeMeaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.PROMISE: OutcomeMeaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.REFUSED: OutcomeMeaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.CALL_BACK: OutcomeMeaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.NO_CALLS: OutcomeMeaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.NOT_CALLED: OutcomeMeaning(connected=False, conversation=False, with_debtor=False),
}
