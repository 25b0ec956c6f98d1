"""The back office's pages about what is said: templates, and every message as it went."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from communications import placeholders, templates
from communications.models import (
    Circuit,
    CommunicationLog,
    CommunicationTemplate,
    CommunicationTemplateVersion,
    MessageAttempt,
    ProviderEvent,
    Settlement,
)
from ddc.common.admin import ReadOnlyAdmin, RuledAdmin
from ddc.common.admin_forms import RuleForm
from debtors.models import Debtor

_HELP = "Placeholders: " + ", ".join(f"{{{{{name}}}}}" for name in sorted(placeholders.NAMES))
#: Nothing in a message that is looked at here is fetched or run: a pixel would count an opening.
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def as_written(text: str) -> SafeString:
    """Show a text as it is, with its own lines."""
    return format_html('<div style="white-space:pre-wrap">{}</div>', text)


class TemplateForm(RuleForm):
    body = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}), help_text=_HELP, strip=False)


@admin.register(CommunicationTemplate)
class CommunicationTemplateAdmin(RuledAdmin):
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
        "description",
        "subject",
        "body",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return (*self.fields, "example") if obj else self.fields

    def matches(self, words: str) -> Q:
        return Q(name__icontains=words) | Q(description__icontains=words)

    @admin.display(description="With example values")
    def example(self, template: CommunicationTemplate) -> SafeString | str:
        text = placeholders.render(template.body, placeholders.EXAMPLES)
        return as_written(text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> CommunicationTemplate:
        return templates.create(**fields)

    def amend(self, request: HttpRequest, obj: CommunicationTemplate, changes: dict[str, Any]) -> CommunicationTemplate:
        return templates.amend(obj, **changes)

    def remove(self, request: HttpRequest, obj: CommunicationTemplate) -> None:
        templates.delete(obj)


@admin.register(CommunicationLog)
class CommunicationLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "communication_type", "status", "debtor", "address", "subject", "purpose")
    list_filter = ("status", "communication_type", "direction", "purpose", "created_at")
    list_select_related = ("debtor",)
    search_fields = ("id",)
    search_help_text = "Part of the debtor's name or e-mail address; a whole address or phone number; an id"
    readonly_fields = ("text", "html_part")
    fields = (
        ("debtor", "debt"),
        ("communication_type", "template"),
        ("direction", "purpose"),
        ("status", "attempts"),
        "failure_reason",
        "address",
        ("created_at", "due_at"),
        ("sent_at", "delivered_at"),
        ("opened_at", "open_count"),
        ("provider", "provider_message_id"),
        "expires_at",
        "subject",
        "text",
        "html_part",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "communications_communicationlog_changelist":
            return found.defer("body", "html")
        return found.select_related("debtor", "debt", "template")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for line in self.fields for name in ((line,) if isinstance(line, str) else line)]

    def matches(self, words: str) -> Q:
        return Q(address=words) | Q(debtor__in=Debtor.objects.matching(words).values("pk"))

    @admin.display(description="Text")
    def text(self, log: CommunicationLog) -> SafeString | str:
        return as_written(log.body) if log.body else "-"

    @admin.display(description="HTML part")
    def html_part(self, log: CommunicationLog) -> SafeString | str:
        if not log.html:
            return "-"
        frame = (
            '<iframe sandbox="" srcdoc="{}" title="HTML part" referrerpolicy="no-referrer"'
            ' style="width:100%;height:24rem;background:#fff"></iframe>'
        )
        return format_html(frame, _POLICY + log.html)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "provider", "event_id")
    list_filter = ("received_at",)
    search_fields = ("event_id",)
    search_help_text = "The whole id"

    def matches(self, words: str) -> Q:
        return Q(event_id=words)


@admin.register(CommunicationTemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    list_display = ("template", "number", "language", "subject", "created_at")
    list_select_related = ("template",)
    ordering = ("-created_at", "-id")


@admin.register(MessageAttempt)
class MessageAttemptAdmin(ReadOnlyAdmin):
    list_display = ("ended_at", "log", "number", "provider", "result", "answer")
    list_select_related = ("log",)
    list_filter = ("result", "provider")
    ordering = ("-id",)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    list_display = ("at", "log", "decision", "by", "why", "sent_again_as")
    list_select_related = ("log", "by", "sent_again_as")
    list_filter = ("decision",)
    ordering = ("-at", "-id")


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    list_display = ("provider", "opened_at", "open_until", "failures", "words")
