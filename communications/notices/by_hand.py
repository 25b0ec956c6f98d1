"""Render templates with a debtor's data, or send them to one debtor, on an agent's request."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate
from communications.outbox import may_go, outbox, refusals
from communications.texts import composition, facts, placeholders, templates
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


def process(
    *,
    name: str | None = None,
    channel: str | None = None,
    debtor: Debtor | None = None,
    debt: Debt | None = None,
    send: bool = False,
    now: datetime,
) -> list[Processed]:
    """Render the matching active templates in the debtor's language, and ``send`` them if asked to.

    Without a debtor or a debt the placeholders get their example values.

    :raises RecipientRequired: if it is to be sent without a debtor and one of their debts
    """
    if send and (debtor is None or debt is None or debt.debtor_id != debtor.pk):
        raise RecipientRequired
    debtor = debtor or (debt.debtor if debt else None)
    chosen = _chosen(name, channel, debtor.language_preference if debtor else _LANGUAGE_OF_EXAMPLES)
    values = placeholders.EXAMPLES
    if debtor:
        used = placeholders.used(*(text for template in chosen for text in (template.subject, template.body)))
        (values,) = facts.gather([(debtor, debt)], now=now, names=used)
    results = []
    for template in chosen:
        is_mail = template.communication_type == Channel.EMAIL
        subject = composition.compose(template.subject, "", values, mail=False).subject
        body = composition.preview(template.body, values, mail=is_mail)
        status, message, reason = "rendered", None, None
        if send and debtor and debt:
            message, status, reason = send_one(template, debtor=debtor, debt=debt, now=now)
        results.append(
            Processed(
                template.pk,
                template.name,
                template.communication_type,
                subject,
                body,
                status,
                message.pk if message else None,
                reason,
            )
        )
    return results


@transaction.atomic
def send_one(
    template: CommunicationTemplate, *, debtor: Debtor, debt: Debt, now: datetime
) -> tuple[CommunicationLog, str, str | None]:
    """Queue a template for a debtor, and ask the contact gate at once, so that the sender sees the decision.

    Return the message, its status (queued, postponed or blocked) and the reason. The gate is asked again at sending.
    """
    message = outbox.queue(debtor=debtor, debt=debt, channel=template.communication_type, template=template, now=now)
    decision = may_go.ask(message, now=now)
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
