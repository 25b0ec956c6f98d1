"""Record a payment on a person's page."""

from typing import Any

from django import forms
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from casework.admin.words import sum_of
from collection.models import Debt, DebtStatus
from ddc.common.admin.forms import DecimalField, ReferenceField
from ddc.common.admin.pages import SMALLEST
from ddc.common.days import agency_today, begun
from debtors.models import Debtor
from payments import posting
from payments.models import Payment, PaymentMethod

_MOST_DEBTS = 50


class PaymentForm(forms.Form):
    """A completed payment for one of the person's open debts. The undisputed one due first is chosen."""

    debt = ReferenceField(queryset=Debt.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget())
    amount = DecimalField(
        min_value=SMALLEST, widget=UnfoldAdminDecimalFieldWidget(), help_text="In the debt's currency."
    )
    payment_method = forms.ChoiceField(
        label="Method", choices=PaymentMethod.choices, initial=PaymentMethod.CARD, widget=UnfoldAdminSelectWidget()
    )
    payment_date = forms.DateField(label="Date", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def __init__(self, debtor: Debtor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("payment_date", agency_today(now()))
        field: Any = self.fields["debt"]
        field.queryset = Debt.objects.open().filter(debtor=debtor)
        is_disputed = ExpressionWrapper(Q(current_status=DebtStatus.DISPUTED), output_field=BooleanField())
        due_first = field.queryset.select_related("creditor").order_by(is_disputed, "due_date", "created_at")[
            :_MOST_DEBTS
        ]
        field.widget.choices = [(debt.pk, _label(debt)) for debt in due_first]


def _label(debt: Debt) -> str:
    due = f", due {debt.due_date}" if debt.due_date else ""
    return f"{debt}, {debt.creditor}: {sum_of(debt.current_balance, debt.currency_code)}{due}"


def record(request: HttpRequest, fields: dict[str, Any]) -> Payment:
    """Record the payment of a valid form."""
    moment = now()
    return posting.record(**fields, by=request.user, today=agency_today(moment), begun=begun(moment))  # type: ignore[arg-type]
