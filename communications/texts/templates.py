"""Templates: create, change, delete, and choose the variant for a debtor's language."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from communications.models import CommunicationLog, CommunicationTemplate, CommunicationTemplateVersion
from communications.texts import composition, limits, placeholders, required_lines
from communications.texts.placeholders import BadPlaceholder
from ddc.common.errors import DomainError, Duplicate, deleting, refusing
from debtors.channels import Channel

_FALLBACK = "en"
MAX_BODY = 100_000
#: The HTML parser's time grows with the square of the nesting: 3,000 tags take at most 0.1 seconds.
MAX_TAGS = 3_000


class SubjectMissing(DomainError):
    """An e-mail template has a subject."""

    status = 422
    code = "required"
    field = "subject"
    message = "An e-mail template needs a subject. Enter one."


class TextTooLong(DomainError):
    """A template's text has more characters, or more HTML tags, than a message can have."""

    status = 422
    code = "maxLength"
    field = "body"


class TemplateInUse(DomainError):
    """A message or a strategy rule keeps its template."""

    message = "A strategy rule or a message uses this template. Make it inactive instead."


def create(**values: Any) -> CommunicationTemplate:
    """Create a template.

    :raises BadPlaceholder: if its text contains an unknown placeholder
    :raises TextTooLong: if its body has too many characters or tags, or its channel does not take the text with long values
    :raises SubjectMissing: if it is for e-mail and has no subject
    :raises Duplicate: if its name is taken in this language
    """
    return _save(CommunicationTemplate(**values))


def amend(template: CommunicationTemplate, **values: Any) -> CommunicationTemplate:
    """Change fields of a template; raises what ``create`` raises."""
    for name, value in values.items():
        setattr(template, name, value)
    return _save(template)


def delete(template: CommunicationTemplate) -> None:
    """Delete a template.

    :raises TemplateInUse: if a strategy rule or a message uses it
    """
    if CommunicationLog.objects.filter(template=template).exists():
        raise TemplateInUse  # Django would load each message first.
    with deleting(TemplateInUse):
        CommunicationTemplate.objects.filter(pk=template.pk).delete()


def choose(variants: Iterable[CommunicationTemplate], language: str | None) -> CommunicationTemplate | None:
    """Choose the active variant for a language: exact tag, else base language, else English, else the oldest."""
    active = sorted((v for v in variants if v.is_active), key=lambda v: (v.created_at, v.pk))
    tag = (language or _FALLBACK).lower()
    for wanted in (tag, tag.split("-")[0], _FALLBACK):
        for variant in active:
            if variant.language.lower() == wanted:
                return variant
    return active[0] if active else None


def variants_of(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[CommunicationTemplate]]:
    """Return all variants by (name, channel) in one query."""
    wanted = set(keys)
    found: dict[tuple[str, str], list[CommunicationTemplate]] = {key: [] for key in wanted}
    for variant in CommunicationTemplate.objects.filter(name__in={name for name, _ in wanted}):
        if (key := (variant.name, variant.communication_type)) in found:
            found[key].append(variant)
    return found


def named(name: str, channel: Channel, *, language: str | None) -> CommunicationTemplate | None:
    """Return the active template with this name for a channel, in the nearest language."""
    return choose(variants_of([(name, channel)])[(name, channel)], language)


def current_versions(templates: Iterable[CommunicationTemplate]) -> dict[uuid.UUID, CommunicationTemplateVersion]:
    """Return the version of each template's current text by the template's id; create it if there is none yet."""
    wanted = {template.pk: template for template in templates}
    newest = CommunicationTemplateVersion.objects.filter(template__in=wanted).order_by("template_id", "-number")
    found = {version.template_id: version for version in newest.distinct("template_id")}
    for pk, template in wanted.items():
        if pk not in found or not _is_text_of(found[pk], template):
            found[pk] = _save_version(pk)
    return found


@transaction.atomic
def _save_version(template_id: uuid.UUID) -> CommunicationTemplateVersion:
    """Save the template's text as a version unless it is the newest; under a lock, so that numbers have no gaps."""
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


def _save(template: CommunicationTemplate) -> CommunicationTemplate:
    channel = template.communication_type
    if channel == Channel.EMAIL and not (template.subject or "").strip():
        raise SubjectMissing
    if len(template.body) > MAX_BODY:
        raise TextTooLong(f"The body has more than {MAX_BODY:,} characters. Shorten it.")
    if channel == Channel.EMAIL and template.body.count("<") > MAX_TAGS:
        raise TextTooLong(f"The body has more than {MAX_TAGS:,} HTML tags. Simplify it.")
    placeholders.check(template.subject or "", field="subject")
    placeholders.check(template.body, field="body")
    if channel != Channel.EMAIL and "unsubscribe_url" in placeholders.used(template.body):
        raise BadPlaceholder("{{unsubscribe_url}} is for e-mail only. Remove it.", field="body")
    _check_length(template)
    taken = Duplicate("This name is taken in this language. Choose another name or language.", field="name")
    with refusing({"template_name_is_unique_per_language": taken}):
        template.save()
        _save_version(template.pk)
    return template


def _check_length(template: CommunicationTemplate) -> None:
    """Refuse a text that its channel does not take with long values and with the lines that the law demands."""
    channel, language = template.communication_type, template.language
    body = "" if channel == Channel.EMAIL else required_lines.add(template.body, channel=channel, language=language)
    text = composition.compose(template.subject, body, limits.long_values(), channel=channel, language=language)
    if found := limits.problem(text, channel):
        field, problem = found
        raise TextTooLong(f"With long values: {problem} Shorten it.", field=field)
