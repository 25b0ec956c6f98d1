"""Statuses of messages, and outcomes of calls."""

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
    """How a call went; the sets below give how the contact rules count an outcome."""

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


_DID_NOT_CONNECT = {CallOutcome.BUSY, CallOutcome.NOT_IN_SERVICE, CallOutcome.NOT_CALLED}
#: The line reached its number, if only to ring there (12 CFR 1006.14(b)(3)(ii) and its comment 1).
CONNECTED = frozenset(CallOutcome) - _DID_NOT_CONNECT
#: Nobody heard us, and no message was left.
UNREACHED = _DID_NOT_CONNECT | {CallOutcome.NO_ANSWER}
#: The debtor spoke with us.
CONVERSATIONS = frozenset({
    CallOutcome.RIGHT_PARTY, CallOutcome.PROMISE, CallOutcome.REFUSED, CallOutcome.CALL_BACK, CallOutcome.NO_CALLS,
})  # fmt: skip
#: A person spoke with us.
ANSWERED_BY_PERSON = CONVERSATIONS | {CallOutcome.WRONG_NUMBER, CallOutcome.THIRD_PARTY}


class AsksFor(models.TextChoices):
    """What an inbound message asks for, as far as its words show."""

    STOP = "stop", "no more messages"
    DOUBTFUL = "doubtful", "no more messages? Please check"
    WRONG_PERSON = "wrong_person", "wrong person: contact is held"
    START = "start", "messages again"
    HELP = "help", "help"
    NOTHING = "automatic", "nothing: automatic reply"
