"""Admin pages of parked rows of placement files: both persons side by side, and the decision."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action

from collection.models import ParkedPlacement
from collection.placements import decisions
from collection.placements.file import OF_DEBTOR
from ddc.common import normal_forms
from ddc.common.admin.listings import Listing
from ddc.common.admin.pages import column, unbroken
from ddc.common.admin.workflow import OpenFilter, WorkflowAdmin, offered
from debtors import emails, phones, search
from debtors.models import Debtor

_FORMS = {"email": emails.normal_form, "mobile_phone": phones.normal_form}
_AMOUNT = ("originalBalance", "currencyCode")


class WaitingFilter(OpenFilter):
    title = "decision"
    parameter_name = "decided"
    field = "decided_at"
    still_open = "Waiting"
    done = "Decided"


@admin.register(ParkedPlacement)
class ParkedPlacementAdmin(WorkflowAdmin):
    list_display = ("name", "debtor", "differs", "creditor", "amount", "created_at", "decision", "outcome")
    list_filter = (WaitingFilter, "decision", "outcome", "created_at")
    list_select_related = ("debtor", "decided_by", "debt__creditor")
    search_fields = ("id",)
    search_help_text = "The known debtor's name, e-mail address, phone or postcode, or an id"
    empty_text = "Rows of placement files arrive here if a person has to decide whether they name a known debtor."
    actions = ()
    actions_detail = ("same", "another")
    fieldsets = (
        (None, {"fields": (("name", "debtor"), ("creditor", "amount"), ("reference", "row_of_file"))}),
        ("Decision", {"fields": (("decision", "decided_at", "decided_by"), ("outcome", "debt"), "reason")}),
    )
    # The rows that wait come first, the oldest at the top.
    ordering = ("decided_at", "created_at", "id")

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: ParkedPlacement | None = None) -> Any:
        return self.fieldsets if obj and obj.decision else self.fieldsets[:1]

    # --- Columns

    row_of_file = column("Imported", lambda row: f"{row.placed_on}, line {row.line} of the file")
    name = column("Name in the file", lambda row: row.name or "-")
    differs = column("Differs in", lambda row: ", ".join(label for label, *_, is_same in _compared(row) if not is_same))
    creditor = column("Creditor", lambda row: row.cell("originalCreditor"))
    amount = column("Amount", lambda row: unbroken(" ".join(row.cell(name) or "" for name in _AMOUNT)))
    reference = column("Reference", lambda row: row.cell("externalReference") or "-")

    def listings(self, request: HttpRequest, obj: ParkedPlacement) -> list[Listing]:
        rows = [
            [label, in_file or "-", known or "-", "" if is_same else "differs"]
            for label, in_file, known, is_same in _compared(obj, everything=True)
        ]
        url = reverse("admin:debtors_debtor_change", args=[obj.debtor_id])
        headers = ["Column", "In the file", "Known debtor", "Comparison"]
        return [Listing("Both persons", headers, rows, url, more_label="Open the known debtor")]

    # --- Actions

    has_decide_permission = offered(Q(decision=None), "collections.decide_parkedplacement")

    @action(description="Same person", permissions=["decide"])  # type: ignore[untyped-decorator]
    def same(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Place this debt for the known debtor: both are the same person"
        return self.step(request, object_id, forms.Form, decisions.same_person, title=title, button="Same person")

    @action(description="Another person", permissions=["decide"])  # type: ignore[untyped-decorator]
    def another(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = "Place this debt for another person, who does not get the shared address"
        return self.step(request, object_id, forms.Form, decisions.another_person, title=title, button="Another person")


def _compared(row: ParkedPlacement, *, everything: bool = False) -> list[tuple[str, str, str, bool]]:
    """Return what the row and the known debtor say, and whether it is the same: all that the row says, or name and birth only."""
    found = []
    names = {field: name for name, field in OF_DEBTOR.items()}
    for model_field in Debtor.input_fields():
        field = model_field.name
        in_file, known = row.cell(names[field]) or "", str(getattr(row.debtor, field) or "")
        if everything or field in ("first_name", "last_name", "legal_entity", "dob"):
            form = _FORMS.get(field, normal_forms.name)
            is_same = not (in_file and known) or form(in_file) == form(known)
            if in_file or known:
                found.append((str(model_field.verbose_name).capitalize(), in_file, known, is_same))
    return found
