"""The page that downloads a list of the back office as a CSV file, and the list of these downloads."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminTextInputWidget

from audit import exports
from audit.models import ListExport, SystemCheck
from ddc.common.admin import csv_files
from ddc.common.admin import exports as listed
from ddc.common.admin.pages import BackOffice, ReadOnlyAdmin, column

PERMISSION = "audit.export_lists"


class ExportForm(forms.Form):
    """Why the list is downloaded; many rows need a reason."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget())

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        limit = f"{exports.ROWS_WITHOUT_REASON:,}"
        self.fields["reason"].help_text = (
            f"These are more than {limit} rows, which need a reason. Auditors read it."
            if needs_reason
            else f"Only needed for more than {limit} rows."
        )


def export(request: HttpRequest, app: str, model: str) -> HttpResponseBase:
    """Ask for a reason, and download the rows of a list with the filters and the order of the query."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    page: Any = _page(app, model)
    if not page.has_view_permission(request):
        raise PermissionDenied
    request.reads_all_rows = True  # type: ignore[attr-defined]
    changes = page.get_changelist_instance(request)
    if isinstance(changes, HttpResponseRedirect):
        return changes
    found = changes.queryset
    count = found.order_by().values("pk")[: exports.ROWS_WITHOUT_REASON + 1].count()
    is_large = count > exports.ROWS_WITHOUT_REASON
    name = capfirst(str(page.opts.verbose_name_plural))
    form = ExportForm(request.POST if request.method == "POST" else None, needs_reason=is_large)
    if request.method != "POST" or not form.is_valid():
        size = f"More than {exports.ROWS_WITHOUT_REASON:,}" if is_large else f"{count:,}"
        context = {
            **admin.site.each_context(request),
            "title": f"Download {name.lower()}",
            "opts": page.opts,
            "form": form,
            "rows": [f"{size} rows, with the search, filters and order of the list"],
            "button": "Download CSV",
        }
        return TemplateResponse(request, "admin/ask.html", context)
    user: Any = request.user
    record = exports.begin(
        agent_id=user.pk,
        agent_name=user.username,
        list_name=name,
        filters=request.GET.urlencode(),
        reason=form.cleaned_data["reason"],
    )
    columns = [column for column in page.get_list_display(request) if column != "action_checkbox"]
    rows = listed.rows(page, found, columns, done=lambda sent: exports.finish(record, rows=sent))
    return csv_files.download(name, listed.headers(page, columns), rows)


def _page(app: str, model: str) -> BackOffice:
    try:
        page = admin.site._registry.get(apps.get_model(app, model))
    except LookupError as error:
        raise Http404 from error
    if not isinstance(page, BackOffice):
        raise Http404
    return page


@admin.register(ListExport)
class ListExportAdmin(ReadOnlyAdmin):
    """Downloads of lists: by which person, when, and why."""

    list_display = ("at", "agent_name", "list_name", "sent", "reason", "filters")
    list_filter = ("at", "list_name")
    list_filter_submit = False
    fields = ("at", ("agent_name", "agent_id"), "list_name", "filters", "reason", "sent", "finished_at")

    sent = column("Rows", lambda row: f"{row.rows:,}" if row.finished_at else "not finished", ordering="rows")


@admin.register(SystemCheck)
class SystemCheckAdmin(ReadOnlyAdmin):
    """The checks of the database with their results; they are started on the health page."""

    list_display = ("asked_at", "kind", "status", "found", "agent_name", "finished_at")
    list_filter = ("kind", "status")
    fields = (
        ("kind", "status"),
        ("asked_at", "agent_name"),
        ("started_at", "finished_at"),
        "found",
        "differences",
        "error",
    )

    @admin.display(description="First differences")
    def differences(self, row: SystemCheck) -> str:
        return format_html_join("", "<p>{} {}</p>", row.findings) if row.findings else "-"
