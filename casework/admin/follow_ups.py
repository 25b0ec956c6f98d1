"""The back office's worklist of follow-ups: done, moved to another day or dropped."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from agents.models import Agent
from casework import claims, follow_ups
from casework.models import DUE, FollowUp
from collection import search
from collection.models import Debt
from ddc.common.admin.forms import DomainForm, ReferenceField
from ddc.common.admin.listings import link
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import WorkflowAdmin, offered
from ddc.common.days import agency_today
from debtors.models import Debtor

#: A follow-up on a person's page chooses from so many debts, the newest.
_MOST_DEBTS = 50
_OPEN = Q(outcome__isnull=True)
_MINE, _ANYONE = "mine", "any"


class FollowUpForm(forms.Form):
    """A follow-up for the person of a page."""

    text = forms.CharField(
        label="To do",
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For example: call about the receipt.",
    )
    due_on = forms.DateField(label="Day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    debt = ReferenceField(
        queryset=Debt.objects.none(),
        required=False,
        empty_label="No debt in particular",
        widget=UnfoldAdminSelectWidget(),
    )
    owner = forms.ChoiceField(
        label="For", choices=[(_MINE, "Me"), (_ANYONE, "Any agent")], initial=_MINE, widget=UnfoldAdminSelectWidget()
    )

    def __init__(
        self, debtor: Debtor, agent: Agent, *args: Any, debts: Iterable[Debt] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.agent = agent
        today = agency_today(now())
        self.fields["due_on"].widget.attrs["min"] = today.isoformat()
        self.initial.setdefault("due_on", today + timedelta(days=7))
        field: Any = self.fields["debt"]
        field.queryset = Debt.objects.filter(debtor=debtor)
        shown = field.queryset[:_MOST_DEBTS] if debts is None else debts
        field.widget.choices = [("", field.empty_label), *((debt.pk, str(debt)) for debt in shown)]

    def clean_owner(self) -> Agent | None:
        return self.agent if self.cleaned_data["owner"] == _MINE else None


class NewFollowUpForm(DomainForm):
    class Meta:
        model = FollowUp
        fields = ("debtor", "debt", "text", "due_on", "owner")


class ClosingForm(forms.Form):
    note = forms.CharField(
        max_length=500, required=False, widget=UnfoldAdminTextInputWidget(), help_text="What came of it, or why."
    )


class MoveForm(ClosingForm):
    due_on = forms.DateField(label="New day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    field_order = ("due_on", "note")


class StateFilter(admin.SimpleListFilter):
    """Show the follow-ups that are due by default."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Due, for me"), ("later", "Open, later"), ("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        for value, title in ((None, "Due"), *self.lookup_choices):
            selected, query = self.value() == value, changelist.get_query_string({self.parameter_name: value})
            yield {"selected": selected, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {
            "mine": DUE & (Q(owner=request.user.pk) | Q(owner=None)),
            "later": _OPEN & ~DUE,
            "closed": ~_OPEN,
            "all": Q(),
        }
        return queryset.filter(conditions.get(self.value() or "", DUE))


@admin.register(FollowUp)
class FollowUpAdmin(WorkflowAdmin):
    form = NewFollowUpForm
    list_display = ("due", "to_do", "person", "debt", "owner", "in_work")
    list_display_links = ("to_do",)
    list_filter = (StateFilter, "owner", "due_on")
    list_select_related = ("debtor", "debt", "owner", "closed_by")
    search_fields = ("id",)
    search_help_text = "Name, e-mail address, phone or reference of the person; an id of a follow-up or a person"
    autocomplete_fields = ("debtor", "debt")
    ordering = ("due_on", "id")
    actions = ("finish_selected", "drop_selected")
    actions_detail = ("finish", "move", "drop")
    entered = (("debtor", "debt"), "text", ("due_on", "owner"))
    fieldsets = (
        (None, {"fields": (("person", "debt"), "text", ("due_on", "owner"), ("by", "created_at"))}),
        ("Closed", {"fields": (("outcome", "closed_at"), ("closed_by", "closing_note"), "next")}),
    )

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    def annotate_rows(self, rows: list[Any]) -> None:
        in_force = claims.in_force(Debtor._meta.label, {row.debtor_id for row in rows}, now=now())
        for row in rows:
            row.claim = in_force.get(row.debtor_id)

    def page_of(self, object_id: Any) -> str:
        """Return the page of the person: follow-ups are worked on there."""
        debtor = FollowUp.objects.values_list("debtor", flat=True).get(pk=object_id)
        return reverse("admin:debtors_debtor_change", args=[debtor])

    due = column("Day", lambda follow_up: _day(follow_up.due_on), ordering="due_on")
    to_do = column("To do", lambda follow_up: follow_up.text)
    person = column("Person", lambda follow_up: link(follow_up.debtor))
    in_work = column("In work", lambda follow_up: str(follow_up.claim.agent) if follow_up.claim else "-")

    @admin.display(description="Continued by")
    def next(self, follow_up: FollowUp) -> str:
        later = FollowUp.objects.filter(continues=follow_up).first()
        return link(later, later.due_on) if later else "-"

    has_close_permission = offered(_OPEN, "casework.change_followup")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> FollowUp:
        debtor = fields.pop("debtor")
        return follow_ups.set_for(debtor, **fields, by=request.user, now=now())  # type: ignore[arg-type]

    @action(description="Finish", permissions=["close"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            object_id,
            ClosingForm,
            follow_ups.finish,
            title="Finish follow-up",
            button="Finish",
            done="Finished.",
        )

    @action(description="Move", permissions=["close"])  # type: ignore[untyped-decorator]
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request, object_id, MoveForm, follow_ups.move, title="Move to another day", button="Move", done="Moved."
        )

    @action(description="Drop", permissions=["close"])  # type: ignore[untyped-decorator]
    def drop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            object_id,
            ClosingForm,
            follow_ups.drop,
            title="Drop this follow-up",
            button="Drop",
            done="Dropped.",
        )

    @admin.action(description="Finish", permissions=["close"])
    def finish_selected(self, request: HttpRequest, queryset: QuerySet[FollowUp]) -> None:
        self.each_selected(request, queryset, follow_ups.finish, done="done")

    @admin.action(description="Drop", permissions=["close"])
    def drop_selected(self, request: HttpRequest, queryset: QuerySet[FollowUp]) -> None:
        self.each_selected(request, queryset, follow_ups.drop, done="dropped")


def _day(day: date) -> str:
    late = (agency_today(now()) - day).days
    return f"{day}, {late} day{'' if late == 1 else 's'} late" if late > 0 else str(day)
