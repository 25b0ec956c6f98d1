"""Templates: how they are kept, and which variant a debtor gets."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from communications.models import CommunicationLog, CommunicationTemplate, CommunicationTemplateVersion
from communications.texts import placeholders
from ddc.common.errors import DomainError, Duplicate, deleting, refusing
from debtors.channels import Channel

_FALLBACK = "en"
_FIELDS = frozenset(
    {
        "name",
        "description",
        "communication_type",
        "language",
        "subject",
        "body",
        "is_active",
        "is_notice",
        "overshadows",
        "asks_for_payment",
    }
)


class SubjectMissing(DomainError):
    """Mail has a subject."""

    status = 422
    code = "required"
    field = "subject"
    message = "An e-mail template needs a subject."


class TemplateInUse(DomainError):
    """What was sent, or shall be, keeps its template."""

    message = "This template is used by a strategy rule or a message; make it inactive instead."


def create(**values: Any) -> CommunicationTemplate:
    """Keep a new template.

    :raises BadPlaceholder: if its text has a placeholder that nobody can fill in
    :raises SubjectMissing: if it is for mail and has no subject
    :raises Duplicate: if there is one of this name in this language
    """
    return _save(CommunicationTemplate(**_known(values)))


def amend(template: CommunicationTemplate, **values: Any) -> CommunicationTemplate:
    """Change some of a template's fields; refuses what ``create`` refuses."""
    for name, value in _known(values).items():
        setattr(template, name, value)
    return _save(template)


def delete(template: CommunicationTemplate) -> None:
    """Delete a template that nothing uses.

    :raises TemplateInUse: if a rule or a message does
    """
    if CommunicationLog.objects.filter(template=template).exists():
        raise TemplateInUse  # Django would load each message first.
    with deleting(TemplateInUse):
        CommunicationTemplate.objects.filter(pk=template.pk).delete()


def choose(variants: Iterable[CommunicationTemplate], language: str | None) -> CommunicationTemplate | None:
    """Pick the active variant for a language: exact tag, else base language, else English, else the oldest."""
    active = sorted((v for v in variants if v.is_active), key=lambda v: (v.created_at, v.pk))
    tag = (language or _FALLBACK).lower()
    for wanted in (tag, tag.split("-")[0], _FALLBACK):
        for variant in active:
            if variant.language.lower() == wanted:
                return variant
    return active[0] if active else None


def variants_of(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[CommunicationTemplate]]:
    """Return all variants by (name, channel), for many of them in one query."""
    wanted = set(keys)
    found: dict[tuple[str, str], list[CommunicationTemplate]] = {key: [] for key in wanted}
    for variant in CommunicationTemplate.objects.filter(name__in={name for name, _ in wanted}):
        if (key := (variant.name, variant.communication_type)) in found:
            found[key].append(variant)
    return found


def named(name: str, channel: Channel, *, language: str | None) -> CommunicationTemplate | None:
    """Return the active template of a name for a channel, in the language or what comes nearest."""
    return choose(variants_of([(name, channel)])[(name, channel)], language)


def current_versions(templates: Iterable[CommunicationTemplate]) -> dict[uuid.UUID, CommunicationTemplateVersion]:
    """Return each template's text as it is now, by the template's id. A text that has no version yet gets one."""
    wanted = {template.pk: template for template in templates}
    newest = CommunicationTemplateVersion.objects.filter(template__in=wanted).order_by("template_id", "-number")
    found = {version.template_id: version for version in newest.distinct("template_id")}
    for pk, template in wanted.items():
        if pk not in found or not _is_text_of(found[pk], template):
            found[pk] = _keep_version(pk)
    return found


@transaction.atomic
def _keep_version(template_id: uuid.UUID) -> CommunicationTemplateVersion:
    """Make a version of a template's text, unless its newest has it; locked, so that versions follow one another."""
    template = CommunicationTemplate.objects.select_for_update(no_key=True).get(pk=template_id)
    newest = template.versions.order_by("-number").first()
    if newest and _is_text_of(newest, template):
        return newest
    return CommunicationTemplateVersion.objects.create(
        template=template,
        number=newest.number + 1 if newest else 1,
        language=template.language,
        subject=template.subject,
        body=template.body,
    )


def _is_text_of(version: CommunicationTemplateVersion, template: CommunicationTemplate) -> bool:
    return all(getattr(version, name) == getattr(template, name) for name in ("language", "subject", "body"))


def _known(values: dict[str, Any]) -> dict[str, Any]:
    if unknown := values.keys() - _FIELDS:
        raise TypeError(f"a template has no {', '.join(sorted(unknown))}")
    return values


def _save(template: CommunicationTemplate) -> CommunicationTemplate:
    if template.communication_type == Channel.EMAIL and not (template.subject or "").strip():
        raise SubjectMissing
    placeholders.check(template.subject or "", field="subject")
    placeholders.check(template.body, field="body")
    taken = Duplicate("There is a template of this name in this language already.", field="name")
    with refusing({"template_name_is_unique_per_language": taken}):
        template.save()
        _keep_version(template.pk)
    return template
