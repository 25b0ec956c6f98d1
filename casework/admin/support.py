"""Admin pages of hardship, complaints and documents of debtors."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from casework import support
from casework.models import Document, SupportRequest
from collection import search
from communications.admin.text import as_written
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin, column, when
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from debtors.models import Debtor
from portal.requests_api import attachment

Status = SupportRequest.Status
_OPEN = ~Q(status=Status.ANSWERED)


class AnswerForm(forms.Form):
    answer = forms.CharField(
        max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}), help_text="The debtor sees it."
    )


class StateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {"open": ("Open", _OPEN), "answered": ("Answered", ~_OPEN)}


@admin.register(SupportRequest)
class SupportRequestAdmin(WorkflowAdmin):
    """Hardship and complaints. Debtors send them; agents take and answer them."""

    list_display = ("subject", "person", "excerpt", "age", "status", "begun_by")
    list_display_links = ("subject",)
    list_filter = (StateFilter, "kind", "created_at")
    list_select_related = ("debtor", "hold", "begun_by", "answered_by")
    search_fields = ("id",)
    search_help_text = "Name, e-mail address, phone or reference of the person; an id of a request or a person"
    empty_text = "What debtors ask for in the portal arrives here: help because they cannot pay, and complaints."
    actions = ()
    actions_detail = ("begin", "answer")
    # Open ones come first, the oldest at the top.
    ordering = (
        Case(When(status=Status.ANSWERED, then=Value(1)), default=Value(0)),
        Case(When(_OPEN, then=F("created_at"))),
        "-created_at",
        "-id",
    )
    fieldsets = (
        (None, {"fields": (("person", "subject"), "as_written", ("created_at", "status"), "hold_link")}),
        ("Answer", {"fields": (("begun_at", "begun_by"), ("answered_at", "answered_by"), "answer")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    subject = column("Subject", lambda request: request.get_kind_display().capitalize(), ordering="kind")
    person = column("Person", lambda request: link(request.debtor))
    excerpt = column("In their words", lambda request: Truncator(request.text).chars(90))
    as_written = column("In their words", lambda request: as_written(request.text))
    hold_link = column("Hold", lambda request: link(request.hold) if request.hold else "-")
    age = column("Age", lambda request: timesince(request.created_at, now(), depth=1), ordering="created_at")

    has_begin_permission = offered(Q(status=Status.SENT), "casework.change_supportrequest")
    has_answer_permission = offered(_OPEN, "casework.change_supportrequest")

    @action(description="Start", permissions=["begin"])  # type: ignore[untyped-decorator]
    def begin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Look at this request", "The debtor sees that you are looking at it."
        return self.step(request, object_id, forms.Form, support.begin, title=title, button="Start", done=done)

    @action(description="Answer", permissions=["answer"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def answer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Answer and close", "The answer is in the portal, and the debtor is told."
        return self.step(request, object_id, AnswerForm, support.answer, title=title, button="Answer", done=done)

    def listings(self, request: HttpRequest, obj: SupportRequest) -> list[Listing]:
        return [documents_of(obj.debtor)]


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin, DomainAdmin):
    """Files of debtors. Opening one downloads it; it is never shown in the browser."""

    list_display = ("name", "person", "content_type", "kilobytes", "created_at")
    list_select_related = ("debtor", "dispute__debt")
    list_filter = ("created_at",)
    search_fields = ("id",)
    search_help_text = "Name, e-mail address, phone or reference of the person; an id of a document or a person"
    empty_text = "Files that debtors hand in with a dispute arrive here."
    fields = (("name", "person"), ("content_type", "kilobytes"), "evidence_for", ("created_at", "digest"))
    actions_detail = ("download",)

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    person = column("Person", lambda document: link(document.debtor))
    kilobytes = column("Size", lambda document: f"{document.size / 1000:,.0f} KB", ordering="size")
    evidence_for = column("Evidence for", lambda document: link(document.dispute) if document.dispute else "-")

    @action(description="Download")  # type: ignore[untyped-decorator]
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the file; the permission to view documents is enough."""
        return attachment(self.one(request, object_id))


_DOCUMENT_COLUMNS: dict[str, Any] = {
    "File": lambda document: document.name,
    "Type": lambda document: document.content_type,
    "Handed in": lambda document: when(document.created_at),
}


def documents_of(debtor: Debtor) -> Listing:
    """List the files of a debtor."""
    return listing("Documents", Document.objects.filter(debtor=debtor), _DOCUMENT_COLUMNS, q=debtor.pk)


def of_debtor(debtor: Debtor) -> Listing:
    """List what a debtor asked a person for."""
    columns: dict[str, Any] = {
        "Sent": lambda request: when(request.created_at),
        "Subject": lambda request: request.get_kind_display(),
        "Status": lambda request: request.get_status_display(),
    }
    return listing("Hardship and complaints", SupportRequest.objects.filter(debtor=debtor), columns, q=debtor.pk)
