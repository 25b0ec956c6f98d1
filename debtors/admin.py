"""Back-office pages for debtors: their list and their form; ``casework/admin/person`` makes a page of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import EmailValidator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from collection import search
from collection.balances import totals
from communications.admin import recorded_calls
from contact import explain, facts
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.pages import amount, column
from ddc.common.days import agency_today
from debtors import debtors
from debtors.contact_point_admin import ContactPointAdmin  # noqa: F401
from debtors.models import Debtor
from debtors.places import places
from strategy.withdrawal_admin import WithdrawalPage


class DebtorForm(DomainForm):
    email = forms.CharField(max_length=254, validators=[EmailValidator()], widget=UnfoldAdminTextInputWidget())
    mobile_phone = forms.CharField(
        max_length=40,
        required=False,
        empty_value=None,
        widget=UnfoldAdminTextInputWidget(),
        help_text="International, or in the national format of the debtor's country.",
    )

    def _get_validation_exclusions(self) -> set[str]:
        # The domain function shortens it to E.164.
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclude | {"mobile_phone"}


@admin.register(Debtor)
class DebtorAdmin(WithdrawalPage):
    withdrawal_selector = "debtor"
    form = DebtorForm
    list_display = ("name", "email", "mobile_phone", "country_code", "outstanding", "created_at")
    list_filter = ("created_at", ("mobile_phone", admin.EmptyFieldListFilter))
    search_fields = ("search",)
    search_help_text = "Name, company, e-mail address, phone or its last digits, postcode, a debt's reference, or an id"
    empty_text = "Debtors arrive with their debts in placement files."
    empty_link = ("collections.import_placements", "admin:collections_placementimport_add", "Import a placement file.")
    actions_detail: tuple[str, ...] = ("record_call", "withdraw_messages", "sign_out")
    readonly_fields: tuple[str, ...] = ("location", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("first_name", "last_name"), "legal_entity", "dob")}),
        ("Contact", {"fields": ("email", "mobile_phone", "language_preference")}),
        (
            "Address",
            {
                "fields": (
                    ("address_line1", "address_line2"),
                    ("city", "postal_code"),
                    ("region_state", "country_code"),
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        derived = (
            ("Location", {"fields": ("location",)}),
            ("Record", {"fields": (("created_at", "updated_at"),)}),
        )
        return (*self.fieldsets, *derived) if obj else self.fieldsets

    def search_filter(self, text: str) -> Q:
        return Q(pk__in=search.debtors(text))

    def annotate_rows(self, rows: list[Any]) -> None:
        sums = totals.outstanding([row.pk for row in rows], today=agency_today(now()))
        for row in rows:
            row.outstanding = sums[row.pk]

    def option_label(self, obj: Debtor) -> str:
        return f"{obj.name}, {obj.email}"

    name = column("Name", lambda debtor: debtor.name, ordering="last_name")

    @admin.display(description="Open")
    def outstanding(self, debtor: Any) -> str:
        sums: totals.Outstanding = debtor.outstanding
        if not sums.by_currency:
            return "-"
        beside = sums.by_currency if sums.amount is None else sums.unconverted
        parts = [] if sums.amount is None else [amount(sums.amount, sums.currency_code)]
        return " + ".join(parts + [amount(part.amount, part.currency_code) for part in beside])

    @admin.display(description="By address and phone")
    def location(self, debtor: Debtor) -> str:
        """Tell what contact law takes for the debtor's location, and a region that no table has."""
        known = "; ".join(sorted(explain.place(where) for where in facts.locations(debtor))) or "Unknown"
        text = places.find(debtor.country_code, debtor.region_state).unknown_region
        unknown = f" There is no region “{text}” in this country." if text else ""
        return f"{known}. {explain.clocks(facts.zones(debtor), now())}.{unknown}"

    def has_record_call_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return recorded_calls.may_record(request)

    @action(description="Record a call", permissions=["record_call"])  # type: ignore[untyped-decorator]
    def record_call(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return recorded_calls.record(self, request, object_id)

    def has_sign_out_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("debtors.change_debtor")

    @action(description="Sign out everywhere", permissions=["sign_out"])  # type: ignore[untyped-decorator]
    def sign_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = (
            "Sign this debtor out everywhere",
            "The debtor is signed out on every device and needs a new code.",
        )
        return self.step(
            request, object_id, forms.Form, debtors.sign_out_everywhere, title=title, button="Sign out", done=done
        )

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Debtor:
        return debtors.create(**fields, today=agency_today(now()))

    def amend(self, request: HttpRequest, obj: Debtor, changes: dict[str, Any]) -> Debtor:
        return debtors.amend(obj, **changes, today=agency_today(now()))

    def remove(self, request: HttpRequest, obj: Debtor) -> None:
        debtors.delete(obj)
