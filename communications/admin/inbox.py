"""The back office's pages about callbacks of providers: all of them, and those that an agent has to look at."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import action
from unfold.enums import ActionVariant

from communications.callbacks import inbox
from communications.models import ProviderEvent
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import ConditionFilter, WorklistAdmin, offered


class StateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {
        "waiting": ("Waiting", Q(processed_at__isnull=True, failed_at__isnull=True)),
        "failed": ("Needs review", Q(failed_at__isnull=False)),
        "done": ("Done", Q(processed_at__isnull=False)),
    }


@admin.register(ProviderEvent)
class ProviderEventAdmin(WorklistAdmin):
    list_display = ("received_at", "provider", "kind", "state", "attempts", "outcome", "event_id")
    list_filter = (StateFilter, "kind", "received_at")
    search_fields = ("event_id",)
    search_help_text = "The whole id"
    ordering = ("-received_at", "-id")
    actions = ("retry_selected", "close_selected")
    actions_detail = ("retry", "close")
    actionable = Q(failed_at__isnull=False)
    deferred = ("payload",)
    fields = (
        ("provider", "kind"),
        "event_id",
        ("received_at", "due_at"),
        ("processed_at", "failed_at", "attempts"),
        "result",
        "error",
        "content",
    )

    def search_filter(self, text: str) -> Q:
        return Q(event_id=text)

    def id_filter(self, key: Any) -> Q:
        return Q(event_id=str(key))

    @admin.display(description="State")
    def state(self, event: ProviderEvent) -> str:
        if event.failed_at:
            return "Needs review"
        return "Done" if event.processed_at else "Waiting"

    outcome = column("Result", lambda event: Truncator(event.error or event.result or "-").chars(80))

    @admin.display(description="Content")
    def content(self, event: ProviderEvent) -> SafeString:
        text = json.dumps(event.payload, indent=1, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="message-text">{}</pre>', text)

    has_rerun_permission = offered(Q(), "communications.rerun_providerevent")

    @admin.action(description="Retry", permissions=["rerun"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> None:
        self.each_selected(request, queryset, inbox.retry, done="retried")

    @admin.action(description="Close", permissions=["rerun"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> None:
        self.each_selected(request, queryset, inbox.close, done="closed")

    @action(description="Retry", permissions=["rerun"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Retry this callback?", "The callback is processed again."
        return self.step(request, object_id, forms.Form, inbox.retry, title=title, button="Retry", done=done)

    @action(description="Close", permissions=["rerun"])  # type: ignore[untyped-decorator]
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Close this callback without any effect?", "The callback is closed."
        return self.step(request, object_id, forms.Form, inbox.close, title=title, button="Close", done=done)
