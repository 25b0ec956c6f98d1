"""The back office's page of the change log, for Supervisors and Auditors."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from agents.models import Agent
from audit import describe
from audit.models import AuditEvent
from collection import search
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin, column, when
from debtors.models import Debtor

_PERMISSION = "audit.view_auditevent"


def _filtered(name: str, key: uuid.UUID | None, text: str) -> str:
    """Link to the list of the changes that have this id in a column."""
    if key is None:
        return text
    query = urlencode({f"{name}__exact": str(key)})
    return format_html(
        '<a class="underline" href="{}?{}">{}</a>', reverse("admin:audit_auditevent_changelist"), query, text
    )


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm(_PERMISSION)


def of_debtor(request: HttpRequest, debtor: Debtor) -> list[Listing]:
    """List the newest changes of a debtor's data, for those who may see them."""
    if not may_see(request):
        return []
    columns = {
        "Time": lambda event: when(event.at, seconds=True),
        "Actor": describe.actor,
        "Data": lambda event: f"{describe.table(event)} {event.get_operation_display()}",
        "Change": describe.summary,
    }
    return [listing("Changes", AuditEvent.objects.filter(person_id=debtor.pk), columns, person_id__exact=debtor.pk)]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Changes of personal data: by which person, when, before and after."""

    list_display = ("at", "who", "source", "data", "person", "change")
    list_filter = ("source", "actor_kind", "operation", "table_name", "at")
    search_fields = ("actor_name",)
    search_help_text = (
        "An agent's user name; a debtor's name, e-mail address or phone; the id of a person, an actor or a row"
    )
    fields = (
        ("at", "request_id"),
        ("who", "actor_kind", "source"),
        ("data", "row_id"),
        "person_now",
        "changes",
    )

    def search_filter(self, text: str) -> Q:
        agents = list(Agent.objects.filter(username=text).values_list("pk", flat=True))
        return Q(actor_id__in=agents) | Q(person_id__in=search.debtors(text))

    def id_filter(self, key: uuid.UUID) -> Q:
        return Q(pk=key) | Q(person_id=key) | Q(actor_id=key) | Q(row_id=str(key)) | Q(actor_name=str(key))

    def annotate_rows(self, rows: list[Any]) -> None:
        names = {person.pk: person.name for person in Debtor.objects.filter(pk__in={row.person_id for row in rows})}
        for row in rows:
            row.person_name = names.get(row.person_id, "deleted")

    who = column("Actor", lambda event: _filtered("actor_id", event.actor_id, describe.actor(event)))
    data = column(
        "Data", lambda event: f"{describe.table(event)} {event.get_operation_display()}", ordering="table_name"
    )
    change = column("Change", describe.summary)

    @admin.display(description="Person")
    def person(self, event: Any) -> str:
        return _filtered("person_id", event.person_id, event.person_name) if event.person_id else "-"

    @admin.display(description="Person")
    def person_now(self, event: AuditEvent) -> str:
        if event.person_id is None:
            return "-"
        debtor = Debtor.objects.filter(pk=event.person_id).first()
        every = _filtered("person_id", event.person_id, "all changes")
        return format_html("{} ({})", link(debtor) if debtor else f"{event.person_id}, deleted", every)

    @admin.display(description="Before and after")
    def changes(self, event: AuditEvent) -> str:
        rows = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>', describe.lines(event))
        head = format_html("<tr><th>{}</th><th>{}</th><th>{}</th></tr>", "Field", "Before", "After")
        return format_html('<table class="changes"><thead>{}</thead><tbody>{}</tbody></table>', head, rows)
