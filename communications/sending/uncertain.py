"""Resolve uncertain messages: an agent finds out whether a message was sent, and decides."""

from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from communications.models import CommunicationLog, UncertainResolution
from communications.outbox import may_go, outbox, states
from communications.outbox.states import Advance, Event
from communications.sending import writing
from contact.models import Purpose
from ddc.common.errors import DomainError

_REASON_LENGTH = 500
_PERMISSION = "communications.add_uncertainresolution"
_REPLACED = "It was uncertain whether it was sent. Another message was sent in its place."


class NotUncertain(DomainError):
    """An event or another agent has resolved the message."""

    message = "This message is not uncertain any more. Reload the page to see its status."


class ReasonRequired(DomainError):
    """The reason is part of the evidence."""

    status = 422
    code = "required"
    field = "reason"
    message = "A reason is required. Describe how you know, or why the message is sent again."


class Expired(DomainError):
    """A message that has expired, or that was wanted at once, is not sent again."""

    message = "This message has expired and cannot be sent again. Its recipient can request a new one."


@transaction.atomic
def confirm(message: CommunicationLog, *, by: Agent, reason: str, now: datetime) -> UncertainResolution:
    """Resolve that a message was sent.

    :raises NotUncertain: if it was resolved before
    :raises ReasonRequired: if no reason is given
    :raises Forbidden: if the agent lacks the permission
    """
    resolution = _resolve(message, Event.CONFIRMED, by=by, reason=reason, now=now)
    resolution.save(force_insert=True)
    return resolution


@transaction.atomic
def send_again(message: CommunicationLog, *, by: Agent, reason: str, now: datetime) -> UncertainResolution:
    """Give a message up, and queue a new one in its place, on which the contact gate decides like on any other.

    :raises Expired: if the message expires
    :raises NotUncertain: if it was resolved before
    :raises ReasonRequired: if no reason is given
    :raises Forbidden: if the agent lacks the permission
    """
    is_late = may_go.is_urgent(message) or may_go.has_expired(message, now=now)
    if message.one_time_code_of or is_late or message.debtor is None:
        raise Expired
    resolution = _resolve(message, Event.REPLACED, by=by, reason=reason, now=now)
    subject, body = writing.draft(message)
    # What an agent wrote stays theirs, in its language and thread.
    by_agent: dict[str, Any] = {
        "written_by": message.written_by,
        "in_reply_to": message.in_reply_to,
        "draft": message.draft,
    }
    resolution.replacement = outbox.queue(
        debtor=message.debtor,
        debt=message.debt,
        channel=message.communication_type,
        template=message.template,
        subject=None if message.template else subject,
        body=None if message.template else body,
        purpose=Purpose(message.purpose),
        now=now,
        expires_at=message.expires_at,
        **(by_agent if message.written_by else {}),
    )
    resolution.save(force_insert=True)
    return resolution


def _resolve(message: CommunicationLog, event: Event, *, by: Agent, reason: str, now: datetime) -> UncertainResolution:
    """Apply the decision to the message, and return its unsaved record."""
    require_permission(by, _PERMISSION)
    if not reason.strip():
        raise ReasonRequired
    if states.advance(message, event, now=now, reason_text=_REPLACED) != Advance.MOVED:
        raise NotUncertain
    decision = {
        Event.CONFIRMED: UncertainResolution.Decision.SENT,
        Event.REPLACED: UncertainResolution.Decision.SENT_AGAIN,
    }[event]
    return UncertainResolution(
        message=message, decision=decision, by=by, at=now, reason=reason.strip()[:_REASON_LENGTH]
    )
