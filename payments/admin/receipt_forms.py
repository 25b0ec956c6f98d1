"""The forms on the page of a receipt."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from collection.models import Debt
from ddc.common.admin.forms import DecimalField, ReferenceField
from ddc.common.admin.pages import SMALLEST
from payments.models import Payment


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
    to_credit = forms.BooleanField(label="As credit of the person, not to the debt", required=False)


class RefundForm(forms.Form):
    amount = DecimalField(min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget())
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget())
