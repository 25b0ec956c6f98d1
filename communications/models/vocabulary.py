"""The words that messages are told apart by."""

from django.db import models


class MessageStatus(models.TextChoices):
    """Where a message stands. ``received`` is an inbound one's only status."""

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


class Purpose(models.TextChoices):
    """Why something is said. What was solicited by the debtor goes at any hour, never to a suppressed address."""

    COLLECTION = "collection"
    SOLICITED = "solicited"


class CallOutcome(models.TextChoices):
    """How a call went; ``calls.OUTCOMES`` says what each counts as."""

    NO_ANSWER = "no_answer", "no answer"
    BUSY = "busy"
    NOT_IN_SERVICE = "out_service", "number not in service"
    VOICEMAIL = "voicemail"
    ANSWERED = "answered", "somebody answered"
    WRONG_NUMBER = "wrong_number", "wrong number"
    THIRD_PARTY = "third_party", "spoke with somebody else"
    RIGHT_PARTY = "right_party", "spoke with the debtor"
    PROMISE = "promise", "the debtor promised to pay"
    REFUSED = "refused", "the debtor refused to pay"
    CALL_BACK = "call_back", "the debtor wants to be called back"
    NO_CALLS = "no_calls", "the debtor wants no more calls"
    NOT_CALLED = "not_called", "not called"
