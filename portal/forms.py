"""Forms of the portal's pages."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from collection.models import Debt
from ddc.common import money
from ddc.common.errors import DomainError
from debtors import emails, phones
from debtors.models import Debtor


class PortalForm(forms.Form):
    """A form that shows a refusal at its field, or above all fields."""

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
        help_text="Such as +44 7700 900123. We send a code to it.",
        max_length=40,
        error_messages={"required": "Please enter your mobile phone number."},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )

    def address(self) -> str:
        """Return the phone in E.164.

        :raises InvalidPhone: if it cannot be a phone number
        """
        return phones.as_typed(self.cleaned_data["mobile_phone"])


class EmailForm(PortalForm):
    email = forms.CharField(
        label="Your e-mail address",
        help_text="The address to which we write. We send a code to it.",
        max_length=254,
        error_messages={"required": "Please enter your e-mail address."},
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "inputmode": "email"}),
    )

    def address(self) -> str:
        """Return the e-mail address.

        :raises InvalidEmail: if it is none
        """
        address: str = self.cleaned_data["email"]
        emails.check(address, field="email")
        return address


class CodeForm(PortalForm):
    otp_code = forms.CharField(
        label="Code from our message",
        help_text="The code is valid for 5 minutes.",
        max_length=20,
        error_messages={"required": "Please enter the code."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_otp_code(self) -> str:
        """Take out the blanks and hyphens with which people copy a code, and read digits of other scripts."""
        code: str = unicodedata.normalize("NFKC", self.cleaned_data["otp_code"])
        marks = "-\N{NON-BREAKING HYPHEN}\N{EN DASH}"
        digits = (letter for letter in code if letter.isprintable() and not letter.isspace() and letter not in marks)
        return "".join(str(unicodedata.decimal(letter, letter)) for letter in digits)


class DebtForm(PortalForm):
    """A form for one debt; each debt on the page has its own."""

    prefix_of_ids: ClassVar[str]

    debt = forms.ModelChoiceField(
        Debt.objects.none(),
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "This debt does not exist."),
    )

    def __init__(self, *args: Any, debtor: Debtor, debt: Debt | None = None, **kwargs: Any) -> None:
        if debt is not None:
            kwargs["auto_id"] = f"{self.prefix_of_ids}_%s_{debt.pk.hex}"
        super().__init__(*args, **kwargs)
        field = self.fields["debt"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Debt.objects.filter(debtor=debtor)
        if debt is not None:
            self.initial["debt"] = debt.pk


def _reason(label: str, help_text: str) -> forms.CharField:
    """Return a field for a reason of the length that the domain functions require."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        min_length=10,
        max_length=1000,
        error_messages={
            "required": "Please tell us why.",
            "min_length": "Please write at least 10 characters.",
            "max_length": "Please write at most 1,000 characters.",
        },
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class DeferralForm(DebtForm):
    prefix_of_ids = "id"

    requested_deferral_days = forms.IntegerField(
        label="How many more days do you need?",
        help_text="A number from 1 to 365.",
        min_value=1,
        max_value=365,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), "Please enter a number of days from 1 to 365."
        ),
    )
    reason = _reason("Why do you need more time?", "At least 10 characters. We read every request.")


class DisputeForm(DebtForm):
    prefix_of_ids = "dispute"

    portion = forms.CharField(
        label="How much do you dispute?",
        help_text="An amount such as 120.50. Leave empty to dispute the whole debt.",
        required=False,
        empty_value=None,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    reason = _reason("What is wrong with it?", "At least 10 characters.")
    evidence = forms.CharField(
        label="Evidence (optional)",
        help_text="For example a receipt with its number, or a letter with its date.",
        required=False,
        empty_value=None,
        max_length=1000,
        error_messages={"max_length": "Please write at most 1,000 characters."},
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_portion(self) -> Decimal | None:
        text = self.cleaned_data["portion"]
        try:
            portion = money.read(text.strip()) if text else None
        except money.BadAmount as error:
            raise forms.ValidationError("Please enter an amount, such as 120.50.") from error
        if portion is not None and portion <= 0:
            raise forms.ValidationError("Please enter an amount above 0.")
        return portion


#: A draft is what was typed after the sign-in had expired. Its names in the pages that sign in again begin with this.
_PREFIX = "draft-"
_KIND = f"{_PREFIX}form"
_KINDS: dict[str, type[DebtForm]] = {"deferral": DeferralForm, "dispute": DisputeForm}
#: No field of these forms takes more.
_LENGTH = 1_000


def draft_of(posted: Mapping[str, str], kind: type[DebtForm]) -> dict[str, str]:
    """Return the input of a form as a draft, for a debtor whose sign-in has expired.

    Hidden fields of the pages that sign in again keep it, so that the server stores nothing for strangers.
    """
    (name,) = (name for name, known in _KINDS.items() if known is kind)
    typed = {f"{_PREFIX}{field}": posted.get(field, "")[:_LENGTH] for field in kind.base_fields}
    return {_KIND: name, **typed}


def carried_draft(posted: Mapping[str, str]) -> dict[str, str]:
    """Return the draft that a request carries on; empty if there is none."""
    kind = _KINDS.get(posted.get(_KIND, ""))
    if kind is None:
        return {}
    names = [_KIND, *(f"{_PREFIX}{field}" for field in kind.base_fields)]
    return {name: posted.get(name, "")[:_LENGTH] for name in names}


def drafted_form(draft: Mapping[str, str]) -> tuple[type[DebtForm], dict[str, str]] | None:
    """Return the form of a draft and its input; None for no draft."""
    kind = _KINDS.get(draft.get(_KIND, ""))
    return (kind, {name.removeprefix(_PREFIX): value for name, value in draft.items()}) if kind else None
