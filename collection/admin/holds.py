"""Admin pages of holds: opened from a debtor's or a debt's page, approved, moved, reviewed and ended."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from collection import search
from collection.holds import amendments, holds
from collection.holds.reasons import AWAITING_APPROVAL, DUE_FOR_REVIEW, POLICIES, Block
from collection.models import Debt, Hold, HoldEvent
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, adding, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin, column, unbroken, when
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from ddc.common.days import agency_today
from debtors import calendars
from debtors.models import Debtor

_BLOCKS = [(block.value, block.replace("_", " ")) for block in Block]
_NOT_ENDED = Q(ended_at__isnull=True)
_MANUAL = [reason for reason, policy in POLICIES.items() if policy.is_manual]
_MOVABLE = [reason for reason in _MANUAL if not POLICIES[reason].length_is_fixed]


def _note_field(label: str = "Note", **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **options)


class HoldForm(DomainForm):
    """The input for a new hold."""

    reason = forms.ChoiceField(
        choices=[("", "—"), *((reason.value, reason.label) for reason in _MANUAL)], widget=UnfoldAdminSelectWidget()
    )
    blocks = forms.MultipleChoiceField(
        choices=_BLOCKS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: the default of the reason.",
    )
    starts_on = forms.DateField(
        label="From",
        required=False,
        widget=UnfoldAdminDateWidget(),
        help_text="By the debtor's calendar; empty: today.",
    )
    source = forms.CharField(
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The sender and the medium: a letter, a call, a file number.",
    )
    why = _note_field(required=False)

    class Meta:
        model = Hold
        fields = ("debtor", "debt", "reason", "starts_on", "ends_on", "review_on", "source")


class NoteForm(forms.Form):
    why = _note_field(help_text="The reason for this change, for the hold's history.")


class ApprovalForm(forms.Form):
    why = _note_field(required=False)


class EndForm(NoteForm):
    ends_on = forms.DateField(
        label="Until",
        required=False,
        widget=UnfoldAdminDateWidget(),
        help_text="The first day without the hold; empty: open-ended.",
    )
    field_order = ("ends_on", "why")


class TreatmentForm(NoteForm):
    last_day = forms.DateField(
        label="Last day of treatment", widget=UnfoldAdminDateWidget(), help_text="The hold ends 30 days later."
    )
    field_order = ("last_day", "why")


class ReviewForm(NoteForm):
    review_on = forms.DateField(
        label="Next review", required=False, widget=UnfoldAdminDateWidget(), help_text="Empty: none."
    )
    why = _note_field("Finding")


class StateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {
        "active": ("Active or scheduled", _NOT_ENDED),
        "review": ("Due for review", DUE_FOR_REVIEW),
        "waiting": ("Waiting for approval", AWAITING_APPROVAL),
        "ended": ("Ended", ~_NOT_ENDED),
    }


@admin.register(Hold)
class HoldAdmin(WorkflowAdmin):
    form = HoldForm
    list_display = ("who", "owed", "reason", "state", "begins", "ends", "review", "by", "approved_by")
    list_display_links = ("who",)
    list_filter = (StateFilter, "reason", "starts_on", "ends_on", "review_on")
    list_select_related = ("debtor", "debt__debtor", "by", "approved_by", "ended_by")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of the reference, or an id"
    autocomplete_fields = ("debtor", "debt")
    actions = ("approve_selected",)
    actions_detail = ("approve", "review_it", "move", "end_treatment", "end")
    entered = (("debtor", "debt"), "reason", "source", "why", ("starts_on", "ends_on"), "review_on", "blocks")
    fieldsets = (
        (None, {"fields": (("who", "owed"), ("reason", "state"), "blocks")}),
        ("Period", {"fields": (("starts_on", "ends_on"), ("review_on", "ended_at"))}),
        ("Agents", {"fields": ("source", ("by", "created_at"), ("approved_by", "ended_by"))}),
    )

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text)) | Q(debtor__in=search.debtors(text))

    def id_filter(self, key: uuid.UUID) -> Q:
        """Find a hold by its id, or all holds on the debtor or the debt with this id."""
        of_person = Q(debtor__debts=key) | Q(debtor=key)
        return Q(pk__in=Hold.objects.filter(of_person | Q(debt=key) | Q(debt__debtor=key) | Q(pk=key)).values("pk"))

    # --- Columns

    who = column("Debtor", lambda hold: str(hold.person))
    owed = column("Debt", lambda hold: unbroken(hold.debt) if hold.debt else "all")

    @admin.display(description="State")
    def state(self, hold: Hold) -> str:
        if hold.ended_at:
            return "Ended"
        if hold.approved_by_id is None and POLICIES[Hold.Reason(hold.reason)].needs_approval:
            return "Waiting for approval"
        return "Scheduled" if hold.starts_on > max(calendars.days(hold.person, at=now())) else "Active"

    begins = column("From", lambda hold: unbroken(hold.starts_on), ordering="starts_on")
    ends = column("Until", lambda hold: unbroken(hold.ends_on or "-"), ordering="ends_on")

    @admin.display(description="Review", ordering="review_on")
    def review(self, hold: Hold) -> str:
        if hold.review_on is None or hold.ended_at:
            return "-"
        return unbroken(f"{hold.review_on}, due" if hold.review_on <= agency_today(now()) else hold.review_on)

    blocks = column(
        "Blocks", lambda hold: ", ".join(label for name, label in _BLOCKS if getattr(hold, f"blocks_{name}"))
    )

    # --- Permissions

    has_approve_permission = offered(AWAITING_APPROVAL, "collections.change_hold")
    has_review_permission = offered(_NOT_ENDED, "collections.add_hold")
    has_move_permission = offered(_NOT_ENDED & Q(reason__in=_MOVABLE), "collections.add_hold")
    has_treatment_permission = offered(
        _NOT_ENDED & Q(reason=Hold.Reason.MENTAL_HEALTH_MORATORIUM), "collections.change_hold"
    )
    has_end_permission = offered(_NOT_ENDED & Q(reason__in=_MANUAL), "collections.change_hold")

    # --- Actions

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Hold:
        return holds.open_hold(**fields, by=request.user, now=now())  # type: ignore[arg-type]

    @admin.action(description="Approve selected holds", permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        def approve(hold: Hold) -> None:
            amendments.approve(hold, by=request.user, now=now())  # type: ignore[arg-type]

        if not self.too_many(request, queryset):
            self.each(request, queryset, approve, done="approved")

    @action(description="Approve", permissions=["approve"], variant=ActionVariant.SUCCESS)  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request, object_id, ApprovalForm, amendments.approve, title="Approve this hold", button="Approve"
        )

    @action(description="Record review", permissions=["review"])  # type: ignore[untyped-decorator]
    def review_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(request, object_id, ReviewForm, amendments.review, title="Record a review", button="Save")

    @action(description="Change end", permissions=["move"])  # type: ignore[untyped-decorator]
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request, object_id, EndForm, amendments.move, title="Change the end of this hold", button="Change"
        )

    @action(description="Record end of treatment", permissions=["treatment"])  # type: ignore[untyped-decorator]
    def end_treatment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request, object_id, TreatmentForm, amendments.end_treatment, title="End of treatment", button="Save"
        )

    @action(description="End hold", permissions=["end"], variant=ActionVariant.DANGER)  # type: ignore[untyped-decorator]
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(request, object_id, NoteForm, amendments.end, title="End this hold", button="End hold")

    def listings(self, request: HttpRequest, obj: Hold) -> list[Listing]:
        events = HoldEvent.objects.filter(hold=obj).select_related("by")
        columns: dict[str, Any] = {
            "Time": lambda event: when(event.at),
            "Event": lambda event: event.get_kind_display().capitalize(),
            "By": lambda event: event.by or "System",
            "Until": lambda event: event.ends_on or "-",
            "Note": lambda event: event.why or "-",
        }
        return [listing("History", events, columns, hold__id__exact=obj.pk)]


@admin.register(HoldEvent)
class HoldEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "hold", "kind", "by", "ends_on", "why")
    list_filter = ("kind", "at")
    list_select_related = ("hold__debtor", "hold__debt__debtor", "by")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"
    fields = ("hold", ("kind", "at"), ("by", "ends_on"), "why")

    def search_filter(self, text: str) -> Q:
        return Q(hold__debt__in=search.debts(text)) | Q(hold__debtor__in=search.debtors(text))


def of_debtor(request: HttpRequest, debtor: Debtor) -> Listing:
    """List the holds on a debtor and on the debtor's debts."""
    found = Hold.objects.filter(Q(debtor=debtor) | Q(debt__debtor=debtor)).select_related("debt")
    return _of(request, found, {"debtor": debtor.pk}, q=debtor.pk)


def of_debt(request: HttpRequest, debt: Debt) -> Listing:
    """List the holds on a debt and on its debtor."""
    return _of(request, Hold.objects.on(debt).select_related("debt"), {"debt": debt.pk}, q=debt.pk)


def _of(request: HttpRequest, found: QuerySet[Hold], on: dict[str, Any], **filters: Any) -> Listing:
    columns: dict[str, Any] = {
        "Reason": lambda hold: hold.get_reason_display(),
        "On": lambda hold: link(hold.debt) if hold.debt else "All debts",
        "From": lambda hold: hold.starts_on,
        "Until": lambda hold: hold.ends_on or "-",
        "State": lambda hold: "Ended" if hold.ended_at else "Active",
    }
    may_open = request.user.has_perm("collections.add_hold")
    return listing("Holds", found, columns, add=adding(Hold, **on) if may_open else None, **filters)
