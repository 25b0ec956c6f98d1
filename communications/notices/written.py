"""Messages that an agent writes to a debtor, by a template or in free text, and answers to a debtor's messages.

They are ordinary rows of the outbox: the contact gate decides on them like on any other, when they are written and when they are
sent.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate
from communications.outbox import may_go, outbox, refusals
from communications.texts import placeholders, templates
from contact.engine.decision import Decision, Verdict
from ddc.common.errors import DomainError, Missing
from debtors.channels import Channel
from debtors.models import Debtor

#: An agent writes by these channels. Calls are made or scripted.
CHANNELS = (Channel.EMAIL, Channel.SMS)
TEMPLATE_RIGHT = "communications.send_communicationtemplate"
FREE_TEXT_RIGHT = "communications.write_communicationlog"
MAX_BODY = 20_000
_ANSWER = re.compile(r"\s*(?:re|aw|sv|antw|odp|r)\s?:", re.IGNORECASE)


class TextRequired(Missing):
    field = "body"
    message = "The message is empty. Enter its text."


class SubjectRequired(Missing):
    field = "subject"
    message = "An e-mail needs a subject. Enter one."


class NotAllowed(DomainError):
    """The contact gate does not allow the message, at all or only later."""

    code = "contact"


class NothingToSend(DomainError):
    """The text cannot be sent as it is."""

    status = 422
    field = "body"


@dataclass(frozen=True)
class Draft:
    """A message as an agent has entered it: a template or free text, which may have placeholders.

    ``language`` None: the debtor's. ``asks_for_payment`` is about free text; a template has its own mark. ``reply`` is the
    debtor's message that this one answers. ``key`` becomes the message's id, so a form that is sent twice makes one message.
    """

    channel: Channel
    debt: Debt | None = None
    template: CommunicationTemplate | None = None
    subject: str = ""
    body: str = ""
    language: str | None = None
    asks_for_payment: bool = True
    reply: CommunicationLog | None = None
    key: uuid.UUID | None = None


def message_of(draft: Draft, debtor: Debtor, *, is_complete: bool = True, by: Agent) -> CommunicationLog:
    """Return the message of a draft, not queued yet; ``preview.preview_of`` shows it.

    :param is_complete: False for the preview of one that is still being written
    :raises Forbidden: if the agent may not write to debtors like this
    :raises TextRequired, SubjectRequired, BadPlaceholder, TextTooLong: if the free text is not complete
    """
    require_permission(by, TEMPLATE_RIGHT if draft.template else FREE_TEXT_RIGHT)
    subject, body, kept = None, None, None
    if draft.template is None:
        if is_complete:
            _require_text(draft)
        subject, body = _checked(draft)
        kept = {
            "subject": subject,
            "body": body,
            "language": draft.language or debtor.language_preference,
            "asks_for_payment": draft.asks_for_payment,
        }
    elif draft.language:
        kept = {"language": draft.language}
    key: dict[str, Any] = {"id": draft.key} if draft.key else {}
    return outbox.new(
        debtor=debtor,
        debt=draft.debt,
        channel=draft.channel,
        template=draft.template,
        subject=subject,
        body=body,
        draft=kept,
        written_by=by,
        in_reply_to=draft.reply,
        **key,
    )


@transaction.atomic
def send(message: CommunicationLog, *, when_allowed: bool = False, problem: str = "", now: datetime) -> Decision:
    """Queue a message of ``message_of``, and record the contact gate's decision; a worker asks the gate again.

    :param when_allowed: postpone a message that may go only later; else it is refused
    :param problem: what its preview found wrong with the text
    :raises NotAllowed: if it must not go, or not yet
    :raises NothingToSend: if no text can be made of it
    :raises AlreadyQueued: if it was queued before
    """
    if problem:
        raise NothingToSend(problem)
    may_go.lock([message])
    outbox.put(message, now=now)
    decision = may_go.ask(message, now=now)
    if decision.verdict == Verdict.DENY:
        raise NotAllowed(f"This message must not be sent: {reasons(decision)}")
    if decision.verdict == Verdict.POSTPONE:
        if not when_allowed:
            raise NotAllowed(f"This message may not go now: {reasons(decision)}")
        refusals.apply(message, decision, now=now)
    return decision


def reasons(decision: Decision) -> str:
    """Return the reasons of a decision in words, each once."""
    return " ".join(dict.fromkeys(reason.text for reason in decision.reasons))


def subject_of_answer(reply: CommunicationLog) -> str:
    """Return the subject of an answer to a debtor's mail: theirs with ``Re:`` once."""
    subject = " ".join((reply.subject or "").split())
    return subject if not subject or _ANSWER.match(subject) else f"Re: {subject}"


def _require_text(draft: Draft) -> None:
    if not draft.body.strip():
        raise TextRequired
    if draft.channel == Channel.EMAIL and not draft.subject.strip():
        raise SubjectRequired


def _checked(draft: Draft) -> tuple[str | None, str]:
    is_mail = draft.channel == Channel.EMAIL
    if len(draft.body) > MAX_BODY or draft.body.count("<") > templates.MAX_TAGS:
        raise templates.TextTooLong(f"The text is too long. A message has at most {MAX_BODY:,} characters.")
    placeholders.check(draft.body, field="body")
    if is_mail:
        placeholders.check(draft.subject, field="subject")
    return draft.subject.strip() if is_mail else None, draft.body.strip()
