"""What debtors type on the portal's pages."""

from typing import Any

from django import forms

from collection.models import Debt
from ddc.common.errors import DomainError
from debtors.models import Debtor


class PortalForm(forms.Form):
    """A form that shows a broken rule at the field at fault, or above them all."""

    error_css_class = "wrong"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"{self[name].auto_id}_about"

    def refuse(self, error: DomainError) -> None:
        self.add_error(error.field if error.field in self.fields else None, error.message)


class PhoneForm(PortalForm):
    mobile_phone = forms.CharField(
        label="Your mobile phone number",
        help_text="With the country code, such as +44 7700 900123. We send a code to it.",
        max_length=40,
        error_messages={"required": "Please enter your mobile phone number."},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )


class CodeForm(PortalForm):
    otp_code = forms.CharField(
        label="The code from our message",
        help_text="It is good for 5 minutes.",
        max_length=20,
        error_messages={"required": "Please enter the code."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class DeferralForm(PortalForm):
    debt = forms.ModelChoiceField(
        Debt.objects.none(),
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "There is no such debt."),
    )
    requested_deferral_days = forms.IntegerField(
        label="How many more days do you need?",
        help_text="From 1 to 365.",
        min_value=1,
        max_value=365,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), "Please enter a number of days from 1 to 365."
        ),
    )
    reason = forms.CharField(
        label="Why do you need more time?",
        help_text="In at least 10 characters. We read every request.",
        min_length=10,
        max_length=1000,
        error_messages={
            "required": "Please tell us why.",
            "min_length": "Please write at least 10 characters.",
            "max_length": "Please write 1,000 characters at most.",
        },
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, debtor: Debtor, debt: Debt | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["debt"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Debt.objects.filter(debtor=debtor)
        if debt is not None:
            self.initial["debt"] = debt.pk
            self.auto_id = f"id_%s_{debt.pk.hex}"
            for name in self.fields:
                self.fields[name].widget.attrs["aria-describedby"] = f"{self[name].auto_id}_about"
