"""The back office's pages about calls: what agents are asked to call, and how it went."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from communications import calls
from communications.models import CallOutcome, CallTask, Channel, MessageStatus
from ddc.common.admin_worklist import WorklistAdmin
from debtors.models import Debtor


class OutcomeForm(forms.Form):
    """How a call went."""

    outcome = forms.ChoiceField(
        label="How it went",
        choices=[(value, label[:1].upper() + label[1:]) for value, label in CallOutcome.choices],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    notes = forms.CharField(max_length=1000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


class DoneFilter(admin.SimpleListFilter):
    """The calls that are still to be made, unless asked otherwise."""

    title = "done"
    parameter_name = "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), ("yes", "Done")]

    def choices(self, changelist: Any) -> Any:
        for value, title in ((None, "To be made"), *self.lookup_choices):
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(outcome__isnull=self.value() != "yes")


@admin.register(CallTask)
class CallTaskAdmin(WorklistAdmin):
    list_display = ("debtor", "address", "asked_at", "outcome", "outcome_at", "outcome_by")
    list_display_links = ("debtor",)
    list_filter = (DoneFilter, "outcome", "outcome_at")
    list_select_related = ("debtor", "outcome_by")
    search_fields = ("address",)
    search_help_text = "Part of the debtor's name; a whole phone number; an id"
    # Whoever has waited longest comes first.
    ordering = ("sent_at", "id")
    actions_detail = ("finish",)
    fields = (
        ("debtor", "debt"),
        ("address", "asked_at"),
        "script",
        "outcome",
        ("outcome_at", "outcome_by"),
        "outcome_notes",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = (
            super().get_queryset(request).filter(communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT)
        )
        if request.resolver_match and request.resolver_match.url_name == "communications_calltask_changelist":
            return found.defer("body", "html")
        return found.select_related("debtor", "debt", "outcome_by")

    def matches(self, words: str) -> Q:
        return Q(address=words) | Q(debtor__in=Debtor.objects.matching(words).values("pk"))

    @admin.display(description="Since", ordering="sent_at")
    def asked_at(self, task: CallTask) -> Any:
        return task.sent_at

    @admin.display(description="Script")
    def script(self, task: CallTask) -> SafeString:
        return format_html('<div style="white-space:pre-wrap">{}</div>', task.body or "-")

    def has_finish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("communications.finish_calltask")

    @action(description="How it went", permissions=["finish"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            OutcomeForm(request.POST or None),
            lambda task, said: calls.finish(
                task,
                outcome=said["outcome"],
                notes=said["notes"],
                by=request.user,  # type: ignore[arg-type]
                now=now(),
            ),
            title="How did the call go?",
            button="Save",
            done="The call is done.",
        )
