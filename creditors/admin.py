"""Admin pages of creditors and their names."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from agency.admin import LookForm
from collection.models import Debt
from creditors import creditors
from creditors.models import Creditor, CreditorLook, CreditorName
from ddc.common import normal_forms
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import BackOffice, ReadOnlyAdmin, amount, column
from strategy.withdrawal_admin import WithdrawalPage


class CreditorForm(DomainForm):
    aliases = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Other spellings in placement files, one on each line. A former name is kept as an alias.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["aliases"] = "\n".join(self.instance.aliases)

    def clean_aliases(self) -> list[str]:
        aliases = [line.strip() for line in self.cleaned_data["aliases"].splitlines() if line.strip()]
        if any(len(alias) > 255 for alias in aliases):
            raise forms.ValidationError("An alias has at most 255 characters.")
        return aliases


@admin.register(Creditor)
class CreditorAdmin(WithdrawalPage):
    withdrawal_selector = "creditor"
    actions_detail = ("withdraw_messages",)
    form = CreditorForm
    list_display = ("name", "code", "debts", "other_names", "created_at")
    search_fields = ("name",)
    search_help_text = "Part of a name or alias, the code, or an id"
    fields = (("name", "code"), ("debt_kind", "allocation_policy"), "aliases")

    def search_filter(self, text: str) -> Q:
        names = CreditorName.objects.filter(normal_form__contains=normal_forms.name(text))
        return Q(code=text) | Q(pk__in=names.values("creditor"))

    def annotate_rows(self, rows: list[Any]) -> None:
        counted = Debt.objects.filter(creditor__in=[row.pk for row in rows]).order_by().values_list("creditor")
        counts: dict[Any, int] = dict(counted.annotate(Count("pk")))
        names = Creditor.objects.prefetch_related("names").in_bulk([row.pk for row in rows])
        for row in rows:
            row.debts_count, row.alias_names = counts.get(row.pk, 0), names[row.pk].aliases

    debts = column("Debts", lambda creditor: int(creditor.debts_count))
    other_names = column("Aliases", lambda creditor: ", ".join(creditor.alias_names) or "-")

    def listings(self, request: HttpRequest, obj: Creditor) -> list[Listing]:
        columns: dict[str, Any] = {
            "Debt": str,
            "Debtor": lambda debt: debt.debtor,
            "Balance": lambda debt: amount(debt.current_balance, debt.currency_code),
            "Status": lambda debt: debt.get_current_status_display(),
        }
        debts = Debt.objects.filter(creditor=obj).select_related("debtor", "creditor")
        return [listing(f"Debts ({debts.count()})", debts, columns, creditor__id__exact=obj.pk)]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Creditor:
        return creditors.create(**fields)

    def amend(self, request: HttpRequest, obj: Creditor, changes: dict[str, Any]) -> Creditor:
        return creditors.amend(obj, **changes)

    def remove(self, request: HttpRequest, obj: Creditor) -> None:
        creditors.delete(obj)


@admin.register(CreditorName)
class CreditorNameAdmin(ReadOnlyAdmin):
    list_display = ("name", "normal_form", "creditor")
    list_select_related = ("creditor",)
    ordering = ("normal_form",)


class CreditorLookForm(LookForm):
    class Meta:
        model = CreditorLook
        fields = ("creditor", "name", "address", "phone", "email", "hours", "licence", "notice", "colour")


@admin.register(CreditorLook)
class CreditorLookAdmin(BackOffice):
    """How the portal looks to debtors of one creditor. An empty field stands for the agency's value."""

    form = CreditorLookForm
    list_display = ("creditor", "name", "phone", "email", "updated_at")
    list_select_related = ("creditor",)
    search_fields = ("creditor__name",)
    search_help_text = "Part of the creditor's name"
    autocomplete_fields = ("creditor",)
    fieldsets = (
        ("Creditor", {"fields": ("creditor", "name", "address", ("phone", "email"), "hours")}),
        ("Foot of the pages", {"fields": ("licence", "notice")}),
        ("Look", {"fields": ("colour", "new_logo", "remove_logo")}),
    )

    def search_filter(self, text: str) -> Q:
        names = CreditorName.objects.filter(normal_form__contains=normal_forms.name(text))
        return Q(creditor__in=names.values("creditor"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        for name, value in form.logo_values().items():
            setattr(obj, name, value)
        obj.save()
