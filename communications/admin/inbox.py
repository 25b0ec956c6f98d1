"""The back office's pages about callbacks of providers: all of them, and those that an agent has to look at."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from communications.callbacks import inbox
from communications.models import ProviderEvent
from ddc.common.admin.event_inbox import EventInboxAdmin, EventStateFilter
from ddc.common.admin.workflow import offered


@admin.register(ProviderEvent)
class ProviderEventAdmin(EventInboxAdmin):
    event_name, content_column = "callback", "payload"
    act_retry, act_close = staticmethod(inbox.INBOX.retry), staticmethod(inbox.INBOX.close)
    list_filter = (EventStateFilter, "kind", "received_at")
    actions = ("retry_selected", "close_selected")
    deferred = ("payload",)

    has_rerun_permission = offered(Q(), "communications.rerun_providerevent")

    @admin.action(description="Retry", permissions=["rerun"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> None:
        self.each_selected(request, queryset, self.act_retry, done="retried")

    @admin.action(description="Close", permissions=["rerun"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[ProviderEvent]) -> None:
        self.each_selected(request, queryset, self.act_close, done="closed")
