"""The back office's pages about contact preferences."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from collection import search
from contact import explain, preferences
from contact.models import WEEKDAYS, ContactPreference
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, adding, listing
from ddc.common.admin.pages import column, when
from ddc.common.admin.workflow import WorkflowAdmin, offered
from debtors.channels import Channel
from debtors.models import Debtor


class PreferenceForm(DomainForm):
    """The debtor's words, and what the contact gate applies of them."""

    statement = forms.CharField(
        label="Debtor's words", max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For example: not before six in the evening.",
    )  # fmt: skip
    channels = forms.MultipleChoiceField(
        choices=Channel.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: all channels.",
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Convenient days",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: every day.",
    )
    opens = forms.TimeField(
        label="Not before", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "time"})
    )
    closes = forms.TimeField(
        label="Not after", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "time"})
    )

    class Meta:
        model = ContactPreference
        fields = (
            "debtor", "statement", "channels", "no_contact", "opens", "closes", "weekdays", "time_zone", "work_address"
        )  # fmt: skip


@admin.register(ContactPreference)
class ContactPreferenceAdmin(WorkflowAdmin):
    form = PreferenceForm
    list_display = ("debtor", "statement", "effect", "created_at", "withdrawn_at", "by")
    list_display_links = ("debtor", "statement")
    list_filter = ("no_contact", ("withdrawn_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("debtor", "by")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of a reference"
    autocomplete_fields = ("debtor",)
    actions = ()
    actions_detail = ("withdraw",)
    details = ("no_contact", ("opens", "closes"), "weekdays", "time_zone", "work_address")
    entered = ("debtor", "statement", "channels", *details)
    fieldsets: Any = (
        (None, {"fields": ("debtor", "statement", "effect", ("created_at", "by"), "withdrawn_at")}),
        ("As recorded", {"fields": ("channels", *details)}),
    )

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    has_end_permission = offered(Q(), "contact.change_contactpreference")
    effect = column("Effect", explain.preference)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ContactPreference:
        return preferences.record(fields.pop("debtor"), by=request.user, now=now(), **fields)  # type: ignore[arg-type]

    @action(description="Withdraw", permissions=["end"])  # type: ignore[untyped-decorator]
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Withdraw this preference", "The preference no longer applies."
        return self.step(
            request, object_id, forms.Form, preferences.withdraw, title=title, button="Withdraw", done=done
        )


def of_debtor(request: HttpRequest, debtor: Debtor) -> Listing:
    """List a debtor's preferences, with a link to add one."""
    may_add = request.user.has_perm("contact.add_contactpreference")
    columns = {
        "Debtor's words": lambda preference: preference.statement,
        "Effect": explain.preference,
        "Since": lambda preference: when(preference.created_at),
        "Withdrawn": lambda preference: when(preference.withdrawn_at),
    }
    return listing(
        "Contact preferences",
        ContactPreference.objects.filter(debtor=debtor),
        columns,
        add=adding(ContactPreference, debtor=debtor.pk) if may_add else None,
        debtor__id__exact=debtor.pk,
    )
