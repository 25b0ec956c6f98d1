"""The base of the portal's forms, and the forms of the sign-in."""

import unicodedata
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ddc.common.errors import DomainError
from debtors import emails, phones
from portal.pages import refusals


class PortalForm(forms.Form):
    """A form that shows a refusal at its field, or above all fields."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        super().full_clean()
        self._describe()

    def refuse(self, error: DomainError) -> None:
        """Show a domain function's refusal."""
        self.add_error(error.field if error.field in self.fields else None, refusals.translated(error))
        self._describe()

    def _describe(self) -> None:
        """Tell screen readers of the hint and the errors of each field, and of what is wrong."""
        for name, field in self.fields.items():
            ident = self[name].auto_id
            texts = [f"{ident}_hint"] if field.help_text else []
            texts += [f"{ident}_error"] if self.errors.get(name) else []
            if texts:
                field.widget.attrs["aria-describedby"] = " ".join(texts)
            if self.errors.get(name):
                field.widget.attrs["aria-invalid"] = "true"


def own_words(label: Any, help_text: Any, most: int) -> forms.CharField:
    """Return a field for the debtor's own words: 10 characters at least, without control characters."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        min_length=10,
        max_length=most,
        validators=[printable],
        error_messages={
            "required": _("Please tell us what happened."),
            "min_length": _("Please write at least 10 characters."),
            "max_length": _("This text is too long. Please make it shorter."),
        },
        widget=forms.Textarea(attrs={"rows": 5}),
    )


def printable(text: str) -> None:
    """Refuse characters that nobody sees, but for line breaks and tabs.

    :raises ValidationError: if there is one
    """
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") and letter not in "\r\n\t" for letter in text):
        raise forms.ValidationError(_("This text has characters that we cannot read. Please type it again."))


def phone_field(label: Any, **attrs: str) -> forms.CharField:
    """Return the field of a mobile number, with more attributes of its input."""
    return forms.CharField(
        label=label,
        help_text=_("A number from another country starts with a plus, such as +44."),
        max_length=40,
        error_messages={"required": _("Please enter your mobile number.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"} | attrs),
    )


def email_field(label: Any, help_text: Any = "") -> forms.CharField:
    """Return the field of an e-mail address. It is checked after it was sent."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=254,
        error_messages={"required": _("Please enter your e-mail address.")},
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "inputmode": "email", "dir": "ltr"}),
    )


class PhoneForm(PortalForm):
    mobile_phone = phone_field(_("Your mobile number"), **{"class": "tel-in"})

    def __init__(self, *args: Any, region: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.region = region

    def address(self) -> str:
        """Return the phone in E.164.

        :raises InvalidPhone: if it cannot be a phone number
        """
        return phones.as_typed(self.cleaned_data["mobile_phone"], region=self.region)


class EmailForm(PortalForm):
    email = email_field(_("Your e-mail address"), _("The address to which we write. We send a code to it."))

    def address(self) -> str:
        """Return the e-mail address.

        :raises InvalidEmail: if it is none
        """
        address: str = self.cleaned_data["email"]
        emails.check(address, field="email")
        return address


class CodeForm(PortalForm):
    otp_code = forms.CharField(
        label=_("Code"),
        help_text=_("The code is valid for 5 minutes."),
        max_length=20,
        error_messages={"required": _("Please enter the code.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code-in", "dir": "ltr"}
        ),
    )

    def clean_otp_code(self) -> str:
        return _digits(self.cleaned_data["otp_code"])


def _digits(text: str) -> str:
    """Take out the blanks and hyphens with which people copy a code, and read digits of other scripts."""
    marks = "-\N{NON-BREAKING HYPHEN}\N{EN DASH}"
    letters = unicodedata.normalize("NFKC", text)
    kept = (letter for letter in letters if letter.isprintable() and not letter.isspace() and letter not in marks)
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in kept)


class BirthDateForm(PortalForm):
    """The birth date in three fields, because people type it faster than they find it in a calendar."""

    day = forms.CharField(label=_("Day"), max_length=4)
    month = forms.CharField(label=_("Month"), max_length=4)
    year = forms.CharField(label=_("Year"), max_length=6)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = _("Please enter day, month and year.")
            field.widget.attrs |= {"inputmode": "numeric", "autocomplete": f"bday-{name}"}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if len(values) == 3:
            try:
                values["answer"] = date(*(int(_digits(values[name])) for name in ("year", "month", "day"))).isoformat()
            except (ValueError, OverflowError):
                self.add_error("day", _("This is no date. Enter it like 27 3 1984."))
        return values


class PostcodeForm(PortalForm):
    answer = forms.CharField(
        label=_("Your postcode"),
        help_text=_("That of the address to which we write."),
        max_length=20,
        error_messages={"required": _("Please enter your postcode.")},
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "dir": "ltr"}),
    )
