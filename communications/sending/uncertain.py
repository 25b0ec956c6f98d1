"""Messages of which nobody knows whether they went: an agent looks, and decides."""

from datetime import datetime

from django.db import transaction

from agents.models import Agent, require_permission
from communications.models import CommunicationLog, Settlement
from communications.outbox import outbox, states
from communications.outbox.states import Advance, Event
from communications.sending import batches
from contact.models import Purpose
from ddc.common.errors import DomainError

_WHY_LENGTH = 500
_REPLACED = "It was uncertain whether it was sent. Another message was sent in its place."
_PERMISSION = "communications.add_settlement"


class NotInDoubt(DomainError):
    """A callback or somebody else has settled it."""

    message = "This message is not in doubt any more."


class WhyMissing(DomainError):
    """The reason is part of the evidence."""

    status = 422
    code = "required"
    field = "why"
    message = "Say how you know, or why it shall go again."


class TooLate(DomainError):
    """A one-time code, or anything else that has expired, is asked for again by whoever needs it."""

    message = "It has expired. Whoever needs it asks for a new one."


@transaction.atomic
def it_went(message: CommunicationLog, *, by: Agent, why: str, now: datetime) -> Settlement:
    """Settle that a message went.

    :raises NotInDoubt: if it was settled first, by whomever
    :raises WhyMissing: if no reason is given
    :raises Forbidden: if ``by`` may not decide on this
    """
    settlement = _settle(message, Event.CONFIRMED, Settlement.Decision.WENT, by=by, why=why, now=now)
    settlement.save(force_insert=True)
    return settlement


@transaction.atomic
def send_again(message: CommunicationLog, *, by: Agent, why: str, now: datetime) -> Settlement:
    """Give a message up, and queue a new one in its place, which the contact gate looks at like any other.

    It is a message of its own, with the facts of then: what went, if it did, stays as it is.

    :raises TooLate: if it had a time after which it is worthless
    :raises NotInDoubt: if it was settled first, by whomever
    :raises WhyMissing: if no reason is given
    :raises Forbidden: if ``by`` may not decide on this
    """
    if message.one_time_code_of or message.expires_at or message.debtor is None:
        raise TooLate
    settlement = _settle(message, Event.REPLACED, Settlement.Decision.SENT_AGAIN, by=by, why=why, now=now)
    subject, body = batches.draft(message)
    again = outbox.queue(
        debtor=message.debtor,
        debt=message.debt,
        channel=message.communication_type,
        template=message.template,
        subject=None if message.template else subject,
        body=None if message.template else body,
        purpose=Purpose(message.purpose),
        now=now,
    )
    settlement.sent_again_as = again
    settlement.save(force_insert=True)
    return settlement


def _settle(
    message: CommunicationLog, event: Event, decision: Settlement.Decision, *, by: Agent, why: str, now: datetime
) -> Settlement:
    """Move the message on, and return the decision, which is yet to be kept."""
    require_permission(by, _PERMISSION)
    if not why.strip():
        raise WhyMissing
    if states.advance(message, event, now=now, reason_text=_REPLACED) != Advance.MOVED:
        raise NotInDoubt
    return Settlement(log=message, decision=decision, by=by, at=now, why=why.strip()[:_WHY_LENGTH])
