"""Pages that import a placement file: upload, preview, confirmation and result."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from collection.models import ParkedPlacement, PlacementImport
from collection.placements import imports
from collection.placements.file import ENCODINGS
from ddc.common.admin import csv_files
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, link
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import WorkflowAdmin, offered
from ddc.common.process.live import Progress

_SHOWN = 20
Status = PlacementImport.Status
_WORKING = (Status.CHECKING, Status.LOADING)
_CHECKED = Q(status=Status.CHECKED)


class UploadForm(DomainForm):
    """A placement file with what it does not say itself."""

    placement_file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        allow_empty_file=True,
        help_text=f"CSV, at most {imports.MAX_BYTES // 1_000_000} MB. It is checked first; nothing is placed before you confirm.",
    )
    creditor = forms.CharField(
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The creditor of rows that name none.",
    )
    encoding = forms.ChoiceField(
        required=False,
        choices=[("", "UTF-8, or as the file says"), *((name, name) for name in ENCODINGS[1:])],
        widget=UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = PlacementImport
        fields = ("creditor", "encoding")


@admin.register(PlacementImport)
class PlacementImportAdmin(WorkflowAdmin):
    class Media:
        js = ("common/live.js",)

    form = UploadForm
    list_display = ("file_name", "step_name", "created_at", "uploaded_by", "placed", "parked", "refused")
    list_filter = ("status", "created_at")
    list_select_related = ("uploaded_by", "confirmed_by")
    search_fields = ("file_name",)
    search_help_text = "Part of the file's name, or an id"
    entered = ("placement_file", "creditor", "encoding")
    fieldsets = (
        (None, {"fields": (("file_name", "state"), ("created_at", "uploaded_by", "confirmed_by"))}),
        ("Result", {"fields": (("rows", "placed", "debtors"), ("known", "parked", "refused"), "ignored")}),
    )
    actions = ()
    actions_detail = ("confirm", "discard", "refused_rows")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found.defer("file", "refusals")

    def search_filter(self, text: str) -> Q:
        return Q(file_name__icontains=text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> PlacementImport:
        uploaded: Any = fields.pop("placement_file")
        user: Any = request.user
        content = uploaded.read(imports.MAX_BYTES + 1)
        return imports.upload(content, name=uploaded.name or "placements.csv", by=user, **fields)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, {**one_button, **(extra_context or {})})
        return answer

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(self.page_of(obj.pk))

    def get_urls(self) -> list[URLPattern]:
        name = "collections_placementimport_progress"
        return [
            path("<uuid:object_id>/progress/", self.admin_site.admin_view(self.progress), name=name),
            *super().get_urls(),
        ]

    def progress(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Answer the progress of the worker in words, and 204 once a person has to look again."""
        kept = self.one(request, str(object_id))
        return (
            HttpResponse(_progress(kept), content_type="text/plain")
            if kept.status in _WORKING
            else HttpResponse(status=204)
        )

    def listings(self, request: HttpRequest, obj: PlacementImport) -> list[Listing]:
        found = []
        if obj.refusals:
            rows = [[each["line"], each["column"] or "-", each["reason"]] for each in obj.refusals[:_SHOWN]]
            url = reverse("admin:collections_placementimport_refused_rows", args=[obj.pk])
            title = "Refused rows" if len(rows) == len(obj.refusals) else f"The first {_SHOWN} reasons of refused rows"
            found.append(Listing(title, ["Line", "Column", "Reason"], rows, url, more_label="Download all as CSV"))
        if parked := (obj.report or {}).get("parked"):
            rows = [[_parked_line(each), each["column"], each["reason"]] for each in parked[:_SHOWN]]
            url = reverse("admin:collections_parkedplacement_changelist")
            title = "Parked rows" if len(rows) == len(parked) else f"The first {_SHOWN} parked rows"
            label = "Open all that wait for a decision"
            found.append(Listing(title, ["Line", "Column", "Reason"], rows, url, more_label=label))
        return found

    # --- Columns and lines

    step_name = column("Status", lambda row: capfirst(row.get_status_display()), ordering="status")
    rows = column("Rows", lambda row: _number(row, "rows"))
    debtors = column("New debtors", lambda row: _number(row, "debtors"))
    known = column("Already there", lambda row: _number(row, "known"))
    refused = column("Refused", lambda row: _number(row, "refused"))
    parked = column("Parked", lambda row: f"{len(row.report['parked']):,}" if row.report else "-")
    ignored = column("Ignored columns", lambda row: ", ".join((row.report or {}).get("ignored", ())) or "-")

    @admin.display(description="Accepted")
    def placed(self, row: PlacementImport) -> str:
        return _number(row, "accepted")

    @admin.display(description="State")
    def state(self, row: PlacementImport) -> str:
        if row.status in _WORKING:
            url = reverse("admin:collections_placementimport_progress", args=[row.pk])
            return SafeString(render_to_string("admin/live.html", {"url": url, "text": _progress(row)}))
        if row.status == Status.CHECKED:
            return "This is a preview: nothing was written. Confirm to place the accepted rows."
        return f"{row.get_status_display()}. {row.error}".removesuffix(" ")

    # --- Actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(imports.PERMISSION))

    has_step_permission = offered(_CHECKED, imports.PERMISSION)
    has_refused_permission = offered(~Q(refusals=[]), "collections.view_placementimport")

    @action(description="Place the accepted rows", permissions=["step"])  # type: ignore[untyped-decorator]
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kept = self.one(request, object_id)
        title = f"Place the accepted rows of {kept.file_name}: {_number(kept, 'accepted')}"
        return self.step(request, object_id, forms.Form, imports.confirm, title=title, button="Place them", done="")

    @action(description="Discard the file", permissions=["step"])  # type: ignore[untyped-decorator]
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Discard the file. Nothing was written from it."
        return self.step(request, object_id, forms.Form, imports.discard, title=title, button="Discard", done="")

    @action(description="Download refused rows", permissions=["refused"])  # type: ignore[untyped-decorator]
    def refused_rows(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        kept = self.one(request, object_id)
        rows = ([each["line"], each["column"] or "", each["reason"]] for each in kept.refusals)
        return csv_files.download(f"refused rows of {kept.file_name}", ["line", "column", "reason"], rows)


def _progress(kept: PlacementImport) -> str:
    return Progress(kept.pk).read() or ("Waits for a worker" if kept.started_at is None else "Under way")


def _number(row: PlacementImport, name: str) -> str:
    return f"{row.report[name]:,}" if row.report else "-"


def _parked_line(parked: dict[str, Any]) -> str:
    if parked["id"] is None:
        return format_html("{}", parked["line"])
    return link(ParkedPlacement(pk=parked["id"]), parked["line"])
