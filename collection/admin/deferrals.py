"""Admin pages of deferral requests: pending ones come first and are reviewed one by one or in bulk."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from collection import deferrals, search
from collection.models import DeferralRequest
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DomainForm, NotesForm
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import amount, column, unbroken
from ddc.common.admin.workflow import offered
from ddc.common.errors import DomainError

_PENDING = DeferralRequest.Status.PENDING


class DecisionRequired(DomainError):
    message = "Nothing was decided. Approve or reject the request."


class ReviewForm(DomainForm):
    review_notes = forms.CharField(
        label="Notes",
        max_length=1000,
        required=False,
        empty_value=None,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Required to reject. The debtor sees them.",
    )


class EarlyEndForm(forms.Form):
    why = forms.CharField(
        label="Reason",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The debt is due as before the deferral.",
    )


@admin.register(DeferralRequest)
class DeferralRequestAdmin(DomainAdmin):
    list_display = ("debtor", "owed", "balance", "days", "why", "age", "earlier", "status")
    form = ReviewForm
    list_display_links = ("debtor",)
    list_filter = ("status", "created_at", "reviewed_at")
    list_select_related = ("debtor", "debt", "reviewer")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"
    # Pending requests come first, the oldest at the top; then reviewed ones, the newest at the top.
    ordering = (
        Case(When(status=_PENDING, then=Value(0)), default=Value(1)),
        Case(When(status=_PENDING, then=F("created_at"))),
        "-created_at",
        "-id",
    )
    actions = ("approve_selected", "reject_selected")
    actions_submit_line = ("approve", "reject")
    actions_detail = ("end_early",)
    fields = (
        ("debtor", "debt"),
        ("balance", "due"),
        ("days", "age"),
        "reason",
        "status",
        "review_notes",
        ("reviewer", "reviewed_at", "closed_by"),
    )
    always_fixed = (
        "debtor", "debt", "balance", "due", "days", "age", "reason", "status", "reviewer", "reviewed_at", "closed_by",
    )  # fmt: skip

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))

    def annotate_rows(self, rows: list[Any]) -> None:
        times: dict[Any, list[datetime]] = defaultdict(list)
        of_debtors = DeferralRequest.objects.filter(debtor__in={row.debtor_id for row in rows}).order_by()
        for debtor, requested_at in of_debtors.values_list("debtor", "created_at"):
            times[debtor].append(requested_at)
        for row in rows:
            row.earlier = sum(requested_at < row.created_at for requested_at in times[row.debtor_id])

    # --- Columns

    balance = column(
        "Balance", lambda deferral: unbroken(amount(deferral.debt.current_balance, deferral.debt.currency_code))
    )
    owed = column("Debt", lambda deferral: unbroken(deferral.debt))
    due = column("Due", lambda deferral: deferral.debt.due_date)
    days = column(
        "Days requested", lambda deferral: deferral.requested_deferral_days, ordering="requested_deferral_days"
    )
    why = column("Reason", lambda deferral: Truncator(deferral.reason).chars(70))
    age = column("Age", lambda deferral: timesince(deferral.created_at, now(), depth=1), ordering="created_at")
    earlier = column("Earlier requests", lambda deferral: int(deferral.earlier))

    # --- Permissions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Debtors request deferrals in the portal.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("collections.review_deferralrequest")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_review_permission(request)

    # --- One by one

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        reviewed = obj is not None and obj.status != _PENDING
        return (*self.always_fixed, "review_notes") if reviewed else self.always_fixed

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        buttons = {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        return super().change_view(request, object_id, form_url, {**buttons, **(extra_context or {})})

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> Any:
        obj = self.get_object(request, str(object_id))
        is_pending = obj is not None and obj.status == _PENDING
        return super().get_actions_submit_line(request, object_id) if is_pending else []

    def save_model(self, request: HttpRequest, obj: Any, form: DomainForm, change: bool) -> None:
        if "review_notes" not in form.fields:
            raise deferrals.AlreadyReviewed
        for button in super().get_actions_submit_line(request, obj.pk):
            if button.action_name in request.POST:
                button.method(request, obj)
                return
        raise DecisionRequired

    @action(description="Approve", permissions=["review"], variant=ActionVariant.SUCCESS)  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, obj: DeferralRequest) -> None:
        deferrals.approve(obj, by=request.user, notes=obj.review_notes, now=now())  # type: ignore[arg-type]

    @action(description="Reject", permissions=["review"], variant=ActionVariant.DANGER)  # type: ignore[untyped-decorator]
    def reject(self, request: HttpRequest, obj: DeferralRequest) -> None:
        deferrals.reject(obj, by=request.user, notes=obj.review_notes, now=now())  # type: ignore[arg-type]

    has_end_permission = offered(
        Q(status=DeferralRequest.Status.APPROVED, hold__ended_at__isnull=True), "collections.review_deferralrequest"
    )

    @action(description="End early", permissions=["end"])  # type: ignore[untyped-decorator]
    def end_early(self, request: HttpRequest, object_id: str) -> HttpResponse:
        words = {"title": "End this deferral early", "button": "End", "done": "The deferral has ended."}
        return self.step(request, object_id, EarlyEndForm, deferrals.end, **words)

    # --- In bulk

    @admin.action(description="Approve selected requests", permissions=["review"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[DeferralRequest]) -> HttpResponse | None:
        return self._review(request, queryset, deferrals.approve, button="Approve", done="approved")

    @admin.action(description="Reject selected requests", permissions=["review"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[DeferralRequest]) -> HttpResponse | None:
        return self._review(request, queryset, deferrals.reject, button="Reject", done="rejected")

    def _review(
        self, request: HttpRequest, queryset: QuerySet[DeferralRequest], review: Any, *, button: str, done: str
    ) -> HttpResponse | None:
        if self.too_many(request, queryset):
            return None
        confirmed = "confirmed" in request.POST
        form = NotesForm(request.POST if confirmed else None)
        if review is deferrals.reject:
            form.fields["review_notes"].required = True
        if not (confirmed and form.is_valid()):
            title = f"{button} these requests"
            return self.ask(
                request, title=title, form=form, rows=list(queryset), button=button, action=f"{button.lower()}_selected"
            )
        notes = form.cleaned_data["review_notes"] or None

        def decide(deferral: DeferralRequest) -> None:
            review(deferral, by=request.user, notes=notes, now=now())
            self.log_change(request, deferral, f"{button}: {notes or '-'}")

        self.each(request, list(queryset.order_by("created_at", "pk")), decide, done=done)
        return None

    def listings(self, request: HttpRequest, obj: DeferralRequest) -> list[Listing]:
        others = DeferralRequest.objects.filter(debtor=obj.debtor_id).exclude(pk=obj.pk)
        return [listing_of(others, title="Other requests of this debtor", debtor__id__exact=obj.debtor_id)]


def listing_of(requests: QuerySet[DeferralRequest], *, title: str = "Deferral requests", **filters: Any) -> Listing:
    """List these deferral requests on another page."""
    columns: dict[str, Any] = {
        "Requested": lambda deferral: f"{deferral.created_at:%Y-%m-%d %H:%M}",
        "Debt": lambda deferral: deferral.debt,
        "Days": lambda deferral: deferral.requested_deferral_days,
        "Status": lambda deferral: deferral.get_status_display(),
        "By": lambda deferral: deferral.reviewer or "-",
        "Notes": lambda deferral: deferral.review_notes or "-",
    }
    return listing(title, requests.select_related("debt", "reviewer"), columns, **filters)
