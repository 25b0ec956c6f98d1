"""Notify debtors of the decisions on their deferral requests and disputes, and ask them questions about requests."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Q

from collection.models import Debt, DeferralRequest
from communications.models import CommunicationLog, MessageStatus
from communications.outbox import outbox, states
from communications.texts import templates, wording
from contact import addresses
from contact.models import Purpose
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Debtor

_NOTICES: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
_SIGNATURE = "{{agency_name}}\n{{portal_url}}"
QUESTION = "deferral_question"
#: The agency's template of another name that serves too, where it has none of the name.
_ALSO = {"deferral_shortened": "deferral_approved"}

#: The names of the templates that replace the product's own texts.
NAMES = frozenset(_NOTICES["en"]) - {"greeting", "phrases"}


def notify(
    debt: Debt, decision: str, *, note: str = "", not_before: datetime | None = None, now: datetime
) -> CommunicationLog:
    """Queue the message of ``message_for``, to go at the time ``not_before`` or later."""
    return outbox.put(message_for(debt, decision, note=note), not_before=not_before, now=now)


def message_for(debt: Debt, decision: str, *, note: str = "") -> CommunicationLog:
    """Return the notice of a decision such as ``deferral_approved``, not queued yet, by the active template of this name.

    Without such a template the text is the product's own in the debtor's language, else in English; an e-mail has the note too.
    """
    return _message(debt.debtor, debt, decision, note=note)


def _message(debtor: Debtor, debt: Debt | None, decision: str, *, note: str) -> CommunicationLog:
    channel, language = _channel(debtor), debtor.language_preference
    template = None
    for name in (decision, _ALSO.get(decision)) if decision != QUESTION else ():
        template = template or (templates.named(name, channel, language=language) if name else None)
    if template:
        return outbox.new(debtor=debtor, debt=debt, channel=channel, template=template, purpose=Purpose.ANSWER)
    texts, tag = _in_language(language, decision)
    body = texts[decision]["text"]
    note = note.replace("{{", "{").replace("}}", "}").strip()  # A note has no placeholders.
    if channel == Channel.EMAIL:
        body = "\n\n".join(filter(None, (texts["greeting"], body, note, _SIGNATURE)))
    elif decision == QUESTION:
        body = f"{body} {note}"
    subject = texts[decision]["subject"] if channel == Channel.EMAIL else None
    draft = {"subject": subject, "body": body, "language": tag, "asks_for_payment": False}
    return outbox.new(
        debtor=debtor, debt=debt, channel=channel, subject=subject, body=body, draft=draft, purpose=Purpose.ANSWER
    )


def notify_person(debtor: Debtor, decision: str, *, now: datetime) -> CommunicationLog:
    """Queue a notice that is about no debt in particular, such as ``support_answered``."""
    return outbox.put(_message(debtor, None, decision, note=""), now=now)


def decision_on(request: DeferralRequest) -> str:
    """Return the name of the notice of a decided request."""
    is_shorter = request.granted_days is not None and request.granted_days < request.requested_deferral_days
    approved = request.status == DeferralRequest.Status.APPROVED
    return "deferral_shortened" if approved and is_shorter else f"deferral_{request.status}"


def phrases(language: str | None) -> Mapping[str, str]:
    """Return the notes that agents choose, by their key, in a debtor's language."""
    texts: Mapping[str, str] = _in_language(language, "phrases")[0]["phrases"]
    return texts


def take_back(request: DeferralRequest, *, decided_at: datetime, now: datetime) -> bool:
    """Withdraw the notice of a decision; return whether it was withdrawn, or never goes."""
    of_decision = Q(debt=request.debt_id, purpose=Purpose.ANSWER, created_at=decided_at)
    ids = list(CommunicationLog.objects.filter(of_decision).values_list("pk", flat=True))
    states.withdraw(ids, reason_text="withdrawn: The decision was undone.", now=now)
    return not CommunicationLog.objects.filter(pk__in=ids).exclude(status=MessageStatus.BLOCKED).exists()


def _in_language(tag: str | None, part: str) -> tuple[Mapping[str, Any], str]:
    base = (tag or wording.FALLBACK).split("-")[0].lower()
    known = base in _NOTICES and part in _NOTICES[base]
    return (_NOTICES[base], tag or base) if known else (_NOTICES[wording.FALLBACK], wording.FALLBACK)


def _channel(debtor: Debtor) -> Channel:
    """Choose e-mail if its address may be used, else SMS. If neither may, the blocked e-mail shows in the back office."""
    mail = addresses.address(debtor, Channel.EMAIL)
    phone = addresses.address(debtor, Channel.SMS)
    suppressed = contact_points.suppressed({Channel.EMAIL: {mail}, Channel.SMS: {phone}})
    if mail and (Channel.EMAIL, mail) not in suppressed:
        return Channel.EMAIL
    return Channel.SMS if phone and (Channel.SMS, phone) not in suppressed else Channel.EMAIL
