"""Render templates with a debtor's data, or send them to one debtor, on an agent's request."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate, MessageStatus
from communications.outbox import may_go, outbox, refusals
from communications.sending import writing
from communications.texts import composition, facts, placeholders, required_lines, sms, templates
from communications.texts.composition import Text
from contact.engine.decision import Verdict
from ddc.common.errors import DomainError
from debtors.channels import Channel
from debtors.models import Debtor

_LANGUAGE_OF_EXAMPLES = "en"


class RecipientRequired(DomainError):
    """A message needs a debtor and one of their debts."""

    status = 422
    code = "required"
    field = "debtor_id"
    message = "Sending needs a debtor and one of their debts. Give both."


@dataclass(frozen=True)
class Processed:
    """The result for one template. ``status``: rendered, queued, postponed, blocked or failed."""

    template_id: uuid.UUID
    template_name: str
    communication_type: str
    subject: str | None
    body: str
    status: str
    communication_log_id: uuid.UUID | None = None
    reason: str | None = None
    #: Of a text message, with the lines that the law demands; else None.
    alphabet: str | None = None
    segments: int | None = None


def process(
    *,
    name: str | None = None,
    channel: str | None = None,
    debtor: Debtor | None = None,
    debt: Debt | None = None,
    send: bool = False,
    now: datetime,
    progress: Callable[[int, int], object] = lambda done, of: None,
) -> list[Processed]:
    """Render the matching active templates in the debtor's language, and ``send`` them if asked to.

    Without a debtor or a debt the placeholders get their example values. ``progress`` is called after each template with the
    number of those done and of all.

    :raises RecipientRequired: if it is to be sent without a debtor and one of their debts
    """
    if send and (debtor is None or debt is None or debt.debtor_id != debtor.pk):
        raise RecipientRequired
    debtor = debtor or (debt.debtor if debt else None)
    chosen = _chosen(name, channel, debtor.language_preference if debtor else _LANGUAGE_OF_EXAMPLES)
    results = []
    for template, values in zip(chosen, _values(chosen, debtor, debt, now=now), strict=True):
        subject, text, problem = _written(template, values)
        status, message, reason = "rendered", None, problem
        if send and debtor and debt:
            message, status, reason = send_one(template, debtor=debtor, debt=debt, problem=problem, now=now)
        parts = sms.parts(text.body) if template.communication_type == Channel.SMS else None
        results.append(
            Processed(
                template.pk,
                template.name,
                template.communication_type,
                subject,
                composition.preview(template.body, values, channel=template.communication_type),
                status,
                message.pk if message else None,
                reason,
                parts.alphabet if parts else None,
                parts.segments if parts else None,
            )
        )
        progress(len(results), len(chosen))
    return results


def _values(
    chosen: list[CommunicationTemplate], debtor: Debtor | None, debt: Debt | None, *, now: datetime
) -> Sequence[Mapping[str, str]]:
    """Return the values for each template, in its language; without a debtor the examples."""
    if debtor is None:
        return [placeholders.EXAMPLES] * len(chosen)
    used = placeholders.used(*(text for template in chosen for text in (template.subject, template.body)))
    recipients = [facts.Recipient(debtor, debt, template.language) for template in chosen]
    return facts.gather(recipients, now=now, names=used | required_lines.PLACEHOLDERS)


def _written(template: CommunicationTemplate, values: Mapping[str, str]) -> tuple[str | None, Text, str | None]:
    """Return the subject, the whole text with the lines that the law demands, and why it must not be sent."""
    channel, language = template.communication_type, template.language
    subject = composition.compose(template.subject, "", values, channel=Channel.CALL_SCRIPT).subject
    body = required_lines.add(template.body, channel=channel, language=language)
    text = composition.compose(template.subject, body, values, channel=channel, language=language)
    spoken_of = template.subject if channel == Channel.EMAIL else None
    return subject, text, writing.problem(spoken_of, body, values, text, channel=channel)


@transaction.atomic
def send_one(
    template: CommunicationTemplate, *, debtor: Debtor, debt: Debt, problem: str | None = None, now: datetime
) -> tuple[CommunicationLog, str, str | None]:
    """Queue a template for a debtor, and ask the contact gate at once, so that the sender sees the decision.

    Return the message, its status (queued, postponed, blocked or failed) and the reason. A message that the gate does not deny
    fails for the ``problem`` of its text. The gate is asked again at sending.
    """
    message = outbox.queue(debtor=debtor, debt=debt, channel=template.communication_type, template=template, now=now)
    decision = may_go.ask(message, now=now)
    if problem and decision.verdict != Verdict.DENY:
        refusals.close(message, MessageStatus.FAILED, problem, now=now)
        return message, "failed", problem
    if decision.verdict == Verdict.ALLOW:
        return message, "queued", None
    refusals.apply(message, decision, now=now)
    return message, "postponed" if decision.verdict == Verdict.POSTPONE else "blocked", decision.reason


def _chosen(name: str | None, channel: str | None, language: str | None) -> list[CommunicationTemplate]:
    active = CommunicationTemplate.objects.filter(is_active=True)
    if name:
        active = active.filter(name=name)
    if channel:
        active = active.filter(communication_type=channel)
    groups: dict[tuple[str, str], list[CommunicationTemplate]] = {}
    for template in active.order_by("name", "communication_type", "created_at"):
        groups.setdefault((template.name, template.communication_type), []).append(template)
    chosen = (templates.choose(variants, language) for variants in groups.values())
    return [template for template in chosen if template]
