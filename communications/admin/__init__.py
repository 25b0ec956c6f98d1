"""The back office's pages of templates and providers; the other modules have the pages of messages, callbacks and calls."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from communications.admin import calls, inbound, inbox, messages, template_preview  # noqa: F401 - Each registers its own pages.
from communications.admin.text import as_written, framed
from communications.models import Circuit, CommunicationTemplate, CommunicationTemplateVersion, DatabaseRestore
from communications.texts import composition, placeholders, required_lines, sms, templates
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import ReadOnlyAdmin, column, when
from debtors.channels import Channel

_HELP = (
    "Placeholders are below. A message whose values are not all known is not sent, unless the template gives words for a "
    'missing one: {{debt_due_date|"as agreed"}}.'
)


class TemplateForm(DomainForm):
    body = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}), help_text=_HELP, strip=False)
    #: For the buttons below the form that insert one.
    catalogue = placeholders.CATALOGUE


@admin.register(CommunicationTemplate)
class CommunicationTemplateAdmin(DomainAdmin):
    form = TemplateForm
    list_display = ("name", "language", "communication_type", "description", "is_active", "updated_at")
    list_filter = ("communication_type", "is_active", "language")
    search_fields = ("name",)
    search_help_text = "Part of the name or the description"
    ordering = ("name", "language")
    readonly_fields = ("example",)
    fields = (
        ("name", "language"),
        ("communication_type", "is_active"),
        "is_validation_notice",
        "overshadows",
        "asks_for_payment",
        "description",
        "subject",
        "body",
    )

    actions_detail = ("preview",)
    change_form_after_template = "communications/template_placeholders.html"

    @action(description="Preview and test")  # type: ignore[untyped-decorator]
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return template_preview.page(self, request, object_id)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return (*self.fields, "example") if obj else self.fields

    def search_filter(self, text: str) -> Q:
        return Q(name__icontains=text) | Q(description__icontains=text)

    def listings(self, request: HttpRequest, obj: CommunicationTemplate) -> list[Listing]:
        versions = obj.versions.order_by("-number")
        columns = {
            "Version": lambda version: version.number,
            "Since": lambda version: when(version.created_at),
            "Subject": lambda version: version.subject or "-",
        }
        return [listing("Versions", versions, columns, template__id__exact=obj.pk)]

    @admin.display(description="Preview with example values")
    def example(self, template: CommunicationTemplate) -> SafeString | str:
        channel, language = template.communication_type, template.language
        body = required_lines.add(template.body, channel=channel, language=language)
        text = composition.compose(template.subject, body, placeholders.EXAMPLES, channel=channel, language=language)
        if channel == Channel.EMAIL:
            return framed(text.html or "")
        if channel != Channel.SMS:
            return as_written(text.body)
        parts = sms.parts(text.body)
        count = f"{parts.segments} part{'' if parts.segments == 1 else 's'}"
        return format_html("{}<p><strong>{} in {}</strong></p>", as_written(text.body), count, parts.alphabet)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> CommunicationTemplate:
        return templates.create(**fields)

    def amend(self, request: HttpRequest, obj: CommunicationTemplate, changes: dict[str, Any]) -> CommunicationTemplate:
        return templates.amend(obj, **changes)

    def remove(self, request: HttpRequest, obj: CommunicationTemplate) -> None:
        templates.delete(obj)


@admin.register(CommunicationTemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    """Versions of templates. A message refers to the version that it was written from."""

    list_display = ("template", "number", "subject", "created_at")
    list_select_related = ("template",)
    list_filter = ("language", "created_at")
    search_fields = ("template",)
    search_help_text = "Part of the template's name"
    ordering = ("-created_at", "-id")
    fields = (("template", "number"), ("language", "created_at"), "subject", "text")

    def search_filter(self, text: str) -> Q:
        return Q(template__name__icontains=text)

    def id_filter(self, key: uuid.UUID) -> Q:
        return Q(template=key)

    text = column("Text", lambda version: as_written(version.body))


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """Circuit breakers: which provider is down, since when, and its last error."""

    list_display = ("provider", "state", "opened_at", "open_until", "failures", "last_error")

    state = column("State", lambda circuit: "down" if circuit.opened_at else "works")


@admin.register(DatabaseRestore)
class DatabaseRestoreAdmin(ReadOnlyAdmin):
    """Restores that the command after_restore has handled."""

    list_display = ("dump_taken_at", "stopped_at", "handled_at")
