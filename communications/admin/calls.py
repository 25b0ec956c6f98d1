"""The back office's pages of call tasks: begin a call and record its outcome."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from collection import search
from collection.models import Debt
from communications.admin.text import as_written
from communications.calls import records, start
from communications.models import CallOutcome, CallTask
from contact import explain, facts
from contact.admin import panel
from contact.engine.decision import Decision, Verdict
from ddc.common.admin.listings import Listing
from ddc.common.admin.pages import column, when
from ddc.common.admin.workflow import OpenFilter, WorklistAdmin, offered
from ddc.common.days import begun

_SHOWN_LATER = "Shown when the call is begun"


class OutcomeForm(forms.Form):
    """The outcome of a call."""

    outcome = forms.ChoiceField(label="Outcome", widget=UnfoldAdminRadioSelectWidget())
    notes = forms.CharField(max_length=1000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def offer(self, outcomes: Iterable[CallOutcome]) -> None:
        """Offer these outcomes."""
        field: Any = self.fields["outcome"]
        field.choices = [(outcome.value, outcome.label[:1].upper() + outcome.label[1:]) for outcome in outcomes]


class DoneFilter(OpenFilter):
    """Show calls to make by default."""

    title = "done"
    parameter_name = "done"
    field = "outcome"
    still_open, done = "To call", "Done"


@admin.register(CallTask)
class CallTaskAdmin(WorklistAdmin):
    list_display = ("debtor", "asked_at", "warning", "begun_by", "outcome", "outcome_at", "outcome_by")
    list_display_links = ("debtor",)
    list_filter = (DoneFilter, "outcome", "outcome_at")
    list_select_related = ("debtor", "begun_by", "outcome_by")
    search_fields = ("address",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of a reference, or an id"
    empty_text = "Strategy runs queue calls."
    ordering = ("sent_at", "id")
    actions_detail = ("begin", "finish")
    actionable = Q(outcome__isnull=True)
    deferred = ("body", "html")
    fields = (
        ("debtor", "debt"),
        "limitation",
        ("asked_at", "may_be_called"),
        ("begun_at", "begun_by"),
        "number",
        "script",
        "outcome",
        ("outcome_at", "outcome_by"),
        "outcome_notes",
    )

    def search_filter(self, text: str) -> Q:
        return search.of_debtor_or_address(text)

    def annotate_rows(self, rows: list[Any]) -> None:
        debts = Debt.objects.select_related("debtor").in_bulk({row.debt_id for row in rows if row.debt_id})
        limitations = facts.limitations(debts.values(), now=now())
        for row in rows:
            row.known_limitation = limitations.get(row.debt_id)

    @admin.display(description="Warning")
    def warning(self, task: Any) -> str:
        known = task.known_limitation
        return f"Time-barred since {known.last_day}" if known and known.is_over(begun(now())) else "-"

    @admin.display(description="Limitation period")
    def limitation(self, task: CallTask) -> str:
        known = facts.limitations([task.debt], now=now()).get(task.debt.pk) if task.debt else None
        return explain.limitation(known, now()) or "-"

    asked_at = column("Waiting since", lambda task: when(task.sent_at), ordering="sent_at")
    number = column("Number", lambda task: task.address or "-" if _is_begun(task) else _SHOWN_LATER)
    script = column("Script", lambda task: as_written(task.body or "-") if _is_begun(task) else _SHOWN_LATER)

    @admin.display(description="Contact now")
    def may_be_called(self, task: CallTask) -> SafeString | str:
        if task.outcome:
            return "-"
        decision = start.may_call(task, now=now())
        if decision.verdict == Verdict.ALLOW:
            return "Allowed"
        reasons = panel.reasons(decision)
        return format_html("{}{}", explain.VERDICTS[decision.verdict], reasons)

    def listings(self, request: HttpRequest, obj: CallTask) -> list[Listing]:
        return [panel.of_message(obj.pk)]

    has_finish_permission = offered(Q(), "communications.finish_calltask")

    @action(description="Begin call", permissions=["finish"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def begin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            forms.Form(request.POST or None),
            lambda task, _: self._show_decision(request, start.begin(task, by=request.user, now=now())),  # type: ignore[arg-type]
            title="Begin this call? The contact policies are checked again.",
            button="Begin",
            done="",
        )

    def _show_decision(self, request: HttpRequest, decision: Decision) -> None:
        match decision.verdict:
            case Verdict.ALLOW:
                self.message_user(request, "You may call now.", messages.SUCCESS)
            case Verdict.POSTPONE:
                self.message_user(request, f"The call must wait. {decision.reason}", messages.WARNING)
            case Verdict.DENY:
                self.message_user(
                    request, f"The call is not allowed and was withdrawn. {decision.reason}", messages.ERROR
                )

    @action(description="Record outcome", permissions=["finish"])  # type: ignore[untyped-decorator]
    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = OutcomeForm(request.POST or None)
        form.offer(CallOutcome if _is_begun(self.one(request, object_id)) else (CallOutcome.NOT_CALLED,))
        title, done = "Outcome of the call", "The outcome is recorded."
        return self.step(request, object_id, form, records.finish, title=title, button="Save", done=done)


def _is_begun(task: CallTask) -> bool:
    return bool(task.begun_at or task.outcome)
