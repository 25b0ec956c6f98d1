"""Make a payment link on a person's page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from casework.admin.words import sum_of
from collection.models import Debt
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DecimalField, ReferenceField
from ddc.common.admin.pages import SMALLEST
from debtors.models import Debtor
from portal import payment_links

_MOST_DEBTS = 50


class PaymentLinkForm(forms.Form):
    """A debt, or all of them, and a sum unless the person chooses it."""

    debt = ReferenceField(
        queryset=Debt.objects.none(), required=False, empty_label="All debts", widget=UnfoldAdminSelectWidget()
    )
    amount = DecimalField(
        min_value=SMALLEST, required=False, widget=UnfoldAdminDecimalFieldWidget(),
        help_text="In the debt's currency. Empty: the person chooses.",
    )  # fmt: skip

    def __init__(self, debtor: Debtor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["debt"]
        field.queryset = Debt.objects.open().filter(debtor=debtor)
        shown = field.queryset.select_related("creditor").order_by("due_date", "created_at")[:_MOST_DEBTS]
        labels = [
            (debt.pk, f"{debt}, {debt.creditor}: {sum_of(debt.current_balance, debt.currency_code)}") for debt in shown
        ]
        field.widget.choices = [("", "All debts"), *labels]


def page(admin: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask for the debt and the sum, and show the link, which is nowhere else."""
    agent: Any = request.user

    def act(debtor: Debtor, fields: dict[str, Any]) -> None:
        debts = [fields["debt"]] if fields["debt"] else []
        link = payment_links.create(debtor, debts=debts, amount=fields["amount"], by=agent, now=now())
        text = "The payment link is valid until {}. Copy it now, it is not shown again: {}"
        messages.success(request, format_html(text, f"{link.expires_at:%Y-%m-%d %H:%M} UTC", link.url))

    return admin.do_to_one(
        request,
        object_id,
        PaymentLinkForm(admin.one(request, object_id), request.POST or None, initial={"debt": request.GET.get("debt")}),
        act,
        title="Make a payment link",
        button="Make the link",
        done="",
    )
