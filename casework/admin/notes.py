"""The back office's pages of notes: found by their words, pinned and struck out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from casework import notes
from casework.models import Note
from communications.admin.text import as_written
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import link
from ddc.common.admin.pages import column, when
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from debtors.search import newest

_IN_FORCE = Q(struck_at__isnull=True)


def _text_field() -> forms.CharField:
    return forms.CharField(
        label="Note", max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), required=False
    )


class NoteForm(forms.Form):
    """A note on the person of a page."""

    text = _text_field()
    pinned = forms.BooleanField(label="Pin above the timeline", required=False, widget=UnfoldBooleanWidget())


class NewNoteForm(DomainForm):
    text = _text_field()


class StateFilter(ConditionFilter):
    title = "state"
    parameter_name = "state"
    conditions = {
        "pinned": ("Pinned", Q(pinned=True)),
        "struck": ("Struck out", ~_IN_FORCE),
        "kept": ("Not struck out", _IN_FORCE),
    }


@admin.register(Note)
class NoteAdmin(WorkflowAdmin):
    """Notes are written once. A wrong one is struck out and stays readable."""

    form = NewNoteForm
    list_display = ("created_at", "excerpt", "person", "by", "state")
    list_display_links = ("excerpt",)
    list_filter = (StateFilter, "created_at")
    list_select_related = ("debtor", "by", "struck_by")
    search_fields = ("text",)
    search_help_text = "Words of the note; an id of a note or a person"
    autocomplete_fields = ("debtor",)
    actions = ()
    actions_detail = ("pin", "unpin", "strike_out")
    entered = ("debtor", "text", "pinned")
    fieldsets = ((None, {"fields": ("person", "as_written", ("by", "created_at"), "state")}),)

    def search_filter(self, text: str) -> Q:
        return Q(pk__in=newest(Note.objects.matching(text)))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    def page_of(self, object_id: Any) -> str:
        """Return the page of the note's person: notes are worked on there."""
        debtor = Note.objects.values_list("debtor", flat=True).get(pk=object_id)
        return reverse("admin:debtors_debtor_change", args=[debtor])

    person = column("Person", lambda note: link(note.debtor))
    excerpt = column("Note", lambda note: Truncator(note.text).chars(100))
    as_written = column("Note", lambda note: as_written(note.text))

    @admin.display(description="State")
    def state(self, note: Note) -> str:
        if note.struck_at:
            return f"Struck out by {note.struck_by}, {when(note.struck_at)}"
        return "Pinned" if note.pinned else "-"

    has_pin_permission = offered(_IN_FORCE & Q(pinned=False), "casework.change_note")
    has_unpin_permission = offered(_IN_FORCE & Q(pinned=True), "casework.change_note")

    def has_strike_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        note = Note.objects.filter(_IN_FORCE, pk=object_id).first()
        return note is not None and notes.may_strike_out(note, request.user)  # type: ignore[arg-type]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Note:
        return notes.write(**fields, by=request.user, now=now())  # type: ignore[arg-type]

    @action(description="Pin", permissions=["pin"])  # type: ignore[untyped-decorator]
    def pin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._pin(request, object_id, pinned=True, title="Pin this note", done="The note is pinned.")

    @action(description="Unpin", permissions=["unpin"])  # type: ignore[untyped-decorator]
    def unpin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._pin(request, object_id, pinned=False, title="Unpin this note", done="The note is unpinned.")

    def _pin(self, request: HttpRequest, object_id: str, *, pinned: bool, title: str, done: str) -> HttpResponse:
        def act(note: Note, **by_and_now: Any) -> None:
            notes.pin(note, pinned=pinned, **by_and_now)

        return self.step(request, object_id, forms.Form, act, title=title, button=title.split()[0], done=done)

    @action(description="Strike out", permissions=["strike"])  # type: ignore[untyped-decorator]
    def strike_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Strike this note out? It stays readable.", "The note is struck out."
        return self.step(request, object_id, forms.Form, notes.strike_out, title=title, button="Strike out", done=done)
