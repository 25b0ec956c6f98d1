"""The forms on the page of a receipt."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from collection.claims.components import NAMES
from collection.models import Debt
from ddc.common.admin.forms import DecimalField, ReferenceField
from ddc.common.admin.pages import SMALLEST
from payments.models import Payment


def direction_field() -> forms.TypedChoiceField:
    """Return the field of what the debtor wants to pay first; a payment of the API may name several components."""
    return forms.TypedChoiceField(
        label="Debtor pays first",
        choices=[("", "By law or contract"), *((name, name.capitalize()) for name in NAMES)],
        coerce=lambda value: value.split(","),
        empty_value=[],  # type: ignore[arg-type]
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="As the debtor named it, where the law lets the debtor choose.",
    )


def show_direction(form: forms.BaseForm, allocation: Sequence[str]) -> None:
    """Show a payment's direction in its field."""
    value = ",".join(allocation)
    field: Any = form.fields["allocation"]
    if value not in dict(field.choices):
        field.choices = [*field.choices, (value, ", ".join(allocation).capitalize())]
    form.initial["allocation"] = value


class BookForm(forms.Form):
    """A debt that is not proposed; without an amount, what is open on it, and the rest as credit."""

    debt = ReferenceField(
        queryset=Debt.objects.all(), widget=AutocompleteSelect(Payment._meta.get_field("debt"), admin.site)
    )
    amount = DecimalField(
        min_value=SMALLEST,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="Empty: what is open on the debt, and the rest as credit of its person.",
    )
    allocation = direction_field()
    to_credit = forms.BooleanField(label="As credit of the person, not to the debt", required=False)


class RefundForm(forms.Form):
    amount = DecimalField(min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget())
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget())
