"""The page of an inbox of events, for a subclass: all of them, and those that an agent has to look at."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import action
from unfold.enums import ActionVariant

from ddc.common.admin.pages import column
from ddc.common.admin.workflow import ConditionFilter, WorklistAdmin


def as_json(value: object) -> SafeString:
    """Show a JSON value as it is read best."""
    text = json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="message-text">{}</pre>', text)


class EventStateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {
        "waiting": ("Waiting", Q(processed_at__isnull=True, failed_at__isnull=True)),
        "failed": ("Needs review", Q(failed_at__isnull=False)),
        "done": ("Done", Q(processed_at__isnull=False)),
    }


class EventInboxAdmin(WorklistAdmin):
    """A page of the rows of an ``EventInbox``.

    A subclass names an event for agents, the column of its content, and the functions that retry and close a failed one.
    """

    event_name: str
    content_column: str
    act_retry: Callable[..., object]
    act_close: Callable[..., object]
    list_display = ("received_at", "provider", "kind", "state", "attempts", "outcome", "event_id")
    search_fields = ("event_id",)
    search_help_text = "The whole id"
    ordering = ("-received_at", "-id")
    actions_detail = ("retry", "close")
    actionable = Q(failed_at__isnull=False)
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
    def state(self, event: Any) -> str:
        if event.failed_at:
            return "Needs review"
        return "Done" if event.processed_at else "Waiting"

    outcome = column("Result", lambda event: Truncator(event.error or event.result or "-").chars(80))

    @admin.display(description="Content")
    def content(self, event: Any) -> SafeString:
        return as_json(getattr(event, self.content_column))

    @action(description="Retry", permissions=["rerun"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = f"Retry this {self.event_name}?", f"The {self.event_name} is processed again."
        return self.step(request, object_id, forms.Form, self.act_retry, title=title, button="Retry", done=done)

    @action(description="Close", permissions=["rerun"])  # type: ignore[untyped-decorator]
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = f"Close this {self.event_name} without any effect?", f"The {self.event_name} is closed."
        return self.step(request, object_id, forms.Form, self.act_close, title=title, button="Close", done=done)
