"""Admin pages of deferral requests: a list with tabs, a page with all that a decision needs, and decisions in bulk."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from agents.models import Agent
from casework.admin.deferrals import bulk, deciding, listing
from casework.admin.deferrals.deciding import DecisionForm
from casework.admin.deferrals.request_page import RequestPage
from casework.worklists import BY_KIND
from collection import deferral_limits, deferral_undo, deferrals, search
from collection.models import DeferralRequest
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import offered
from ddc.common.errors import DomainError

_PENDING = DeferralRequest.Status.PENDING
_WORKLIST = BY_KIND["deferrals"]


class EarlyEndForm(forms.Form):
    why = forms.CharField(
        label="Reason",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The debt is due as before the deferral.",
    )


def _cell(template: str) -> Any:
    """Return the content of a column, from a template of the row."""
    return lambda row: SafeString(render_to_string(f"casework/deferrals/cell_{template}.html", {"row": row}))


@admin.register(DeferralRequest)
class DeferralRequestAdmin(DomainAdmin):
    list_display = ("waits", "person", "owes", "asks", "words", "history", "suggestion")
    list_display_links = None
    list_filter = (listing.TabFilter, "status", "created_at", "reviewed_at")
    list_filter_submit = True
    list_select_related = ("debtor", "debt__creditor", "reviewer", "first_approver", "escalated_by")
    list_per_page = 25
    change_list_template = "casework/deferrals/list.html"
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"
    empty_text = "Debtors ask for more time in the portal."
    # Pending requests come first, the oldest at the top; then reviewed ones, the newest at the top.
    ordering = (
        Case(When(status=_PENDING, then=Value(0)), default=Value(1)),
        Case(When(status=_PENDING, then=F("created_at"))),
        "-created_at",
        "-id",
    )
    actions = ("approve_selected", "reject_selected")

    waits = column("Waiting", _cell("waits"), ordering="created_at")
    person = column("Person", _cell("person"))
    owes = column("Owes", _cell("owes"))
    asks = column("Asks for", _cell("asks"), ordering="requested_deferral_days")
    words = column("In their words", _cell("words"))
    history = column("Earlier requests", _cell("record"))
    suggestion = column("Decision", _cell("suggestion"))

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))

    def annotate_rows(self, rows: list[Any]) -> None:
        listing.annotate(rows)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        agent: Any = request.user
        context = {
            "request_tabs": listing.tabs(agent, listing.chosen(request), at=now()),
            "undo": undoable(agent),
            "may_review": self.has_review_permission(request),
            **(extra_context or {}),
        }
        answer: HttpResponse = super().changelist_view(request, context)
        if isinstance(answer, TemplateResponse) and "cl" in (answer.context_data or {}):
            listing.add_powers(answer.context_data["cl"].result_list, agent)  # type: ignore[index]
        return answer

    # --- Permissions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Debtors request deferrals in the portal.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(deferral_limits.REVIEW)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_review_permission(request)

    # --- One by one

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "collections_deferralrequest"
        return [
            path("<uuid:object_id>/preview/", view(self.preview), name=f"{name}_preview"),
            path("<uuid:object_id>/undo/", view(require_POST(self.undo)), name=f"{name}_undo"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, obj)
        if not self.has_review_permission(request):
            raise PermissionDenied
        return self._decide(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found.select_related(*self.list_select_related)

    def _page(self, request: HttpRequest, obj: DeferralRequest, form: DecisionForm | None = None) -> HttpResponse:
        agent: Any = request.user
        shown = RequestPage(request, obj, agent, now(), form)
        obj.debt.debtor = obj.debtor
        ending = obj.status == DeferralRequest.Status.APPROVED and self.has_end_permission(request, obj.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{obj.debtor} asks for {obj.requested_deferral_days} days",
            "opts": self.opts,
            "shown": shown,
            "undo": undoable(agent),
            "next_url": _WORKLIST.next_url(obj) if self.has_review_permission(request) else "",
            "may_review": self.has_review_permission(request),
            "end_url": reverse("admin:collections_deferralrequest_end_early", args=[obj.pk]) if ending else "",
        }
        return TemplateResponse(request, "casework/deferrals/request.html", context)

    def _decide(self, request: HttpRequest, obj: DeferralRequest) -> HttpResponse:
        form = DecisionForm(request.POST)
        agent: Any = request.user
        try:
            if not form.is_valid():
                raise deciding.NoDecision("; ".join(str(text) for some in form.errors.values() for text in some))
            with transaction.atomic():
                decided = deciding.decide(obj, form.cleaned_data, by=agent, now=now())
                text = deciding.said(decided, form.cleaned_data)
                self.log_change(request, decided, text)
        except deferrals.AlreadyReviewed:
            return HttpResponseRedirect(self.page_of(obj.pk))  # The page shows who decided what, and when.
        except DomainError as refusal:
            messages.error(request, refusal.message)
            if "from_list" in request.GET:
                return HttpResponseRedirect(self.page_of(obj.pk))
            return self._page(request, obj, form)
        if undoable(agent) is None:  # Else the page shows it beside the button that undoes it.
            messages.success(request, text)
        return HttpResponseRedirect(self._next(request, obj))

    def _next(self, request: HttpRequest, obj: DeferralRequest) -> str:
        agent: Any = request.user
        is_list = "from_list" in request.GET
        if not is_list and _WORKLIST.next_after(obj, agent, now=now()) is not None:
            return _WORKLIST.next_url(obj)
        return _WORKLIST.list_url()

    def preview(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Answer the part of the page with the message that a decision would send."""
        obj = self.one(request, str(object_id))
        if not self.has_review_permission(request):
            raise PermissionDenied
        form = DecisionForm(request.GET)
        form.is_valid()
        shown = deciding.show(obj, form.cleaned_data, now=now())
        return TemplateResponse(request, "casework/deferrals/preview.html", {"preview": shown, "asked": obj})

    def undo(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Undo the agent's own decision of a moment ago."""
        obj, agent = self.one(request, str(object_id)), request.user
        try:
            with transaction.atomic():
                deferral_undo.undo(obj, by=agent, now=now())  # type: ignore[arg-type]
                self.log_change(request, obj, "Undid the decision.")
            messages.success(request, f"Undone: {obj.debtor.name}. Nothing was sent.")
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(self.page_of(obj.pk))

    has_end_permission = offered(
        Q(status=DeferralRequest.Status.APPROVED, hold__ended_at__isnull=True), deferral_limits.REVIEW
    )
    actions_detail = ("end_early",)

    @action(description="End early", permissions=["end"])  # type: ignore[untyped-decorator]
    def end_early(self, request: HttpRequest, object_id: str) -> HttpResponse:
        words = {"title": "End this deferral early", "button": "End", "done": "The deferral has ended."}
        return self.step(request, object_id, EarlyEndForm, deferrals.end, **words)

    # --- In bulk

    @admin.action(description="Grant selected requests", permissions=["review"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[DeferralRequest]) -> HttpResponse | None:
        return None if self.too_many(request, queryset) else bulk.page(self, request, queryset, deciding.GRANT)

    @admin.action(description="Refuse selected requests", permissions=["review"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[DeferralRequest]) -> HttpResponse | None:
        return None if self.too_many(request, queryset) else bulk.page(self, request, queryset, deciding.REFUSE)


def undoable(agent: Agent) -> dict[str, Any] | None:
    """Return the agent's last decision while it can be undone, with the seconds that are left."""
    moment = now()
    since = moment - deferral_undo.LASTS
    mine = Q(reviewer=agent.pk, reviewed_at__gt=since)
    first = Q(first_approver=agent.pk, first_approved_at__gt=since, status=_PENDING)
    found = DeferralRequest.objects.filter(mine | first).select_related("debtor").order_by("-updated_at").first()
    if found is None:
        return None
    decided_at = found.reviewed_at or found.first_approved_at or since
    decision = deciding.REFUSE if found.status == DeferralRequest.Status.REJECTED else deciding.GRANT
    text = deciding.said(found, {"decision": decision})
    url = reverse("admin:collections_deferralrequest_undo", args=[found.pk])
    return {"text": text, "url": url, "seconds": max(0, int((decided_at - since).total_seconds()))}
