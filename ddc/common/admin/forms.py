"""Form fields of the back office: exact amounts, countries, currencies, languages; and refusals at their fields."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import construct_instance
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from ddc.common import money
from ddc.common.errors import DomainError
from ddc.common.reference import countries, languages
from ddc.common.reference.currencies import DECIMALS


class DecimalField(forms.DecimalField):
    """A number as the API accepts it. Django's field would also accept ``1_000``, ``1E+2`` and digits of other scripts."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if value in self.empty_values:
            return None
        try:
            return money.read(value.strip() if isinstance(value, str) else value)
        except money.BadAmount as error:
            raise ValidationError(error.message, code=error.code) from error


class LanguageField(forms.CharField):
    """A language, as a BCP 47 code or by its English name."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        code = languages.read(text)
        if code is None:
            raise ValidationError(
                "Unknown language. Enter a code such as en or pt-BR, or an English name.", code="enum"
            )
        return code


class ReferenceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A row of another table. A text that is not an id selects nothing; Django's widget would fail on it."""

    def prepare_value(self, value: Any) -> Any:
        return None if isinstance(value, str) and not _is_id(value) else super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value and not _is_id(value):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})
        return super().to_python(value)


def _is_id(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


class UnchangedSinceField(forms.CharField):
    """The ``updated_at`` of the row that a page showed, sent back hidden for the domain function to compare."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError as error:
            raise ValidationError("This page is damaged. Load it again.") from error


def currency_field(**kwargs: Any) -> forms.TypedChoiceField:
    """Return a field with the currencies of ISO 4217."""
    codes = [(code, code) for code in sorted(DECIMALS)]
    return _choice(codes, **kwargs)


def country_field(**kwargs: Any) -> forms.TypedChoiceField:
    """Return a field with the countries of ISO 3166-1."""
    by_name = sorted(countries.names().items(), key=lambda country: country[1])
    return _choice([(code, f"{name} ({code})") for code, name in by_name], **kwargs)


def _choice(choices: list[tuple[str, str]], **kwargs: Any) -> forms.TypedChoiceField:
    kwargs = {"widget": UnfoldAdminSelectWidget(), "empty_value": None, **kwargs}
    return forms.TypedChoiceField(choices=[("", "—"), *choices], **kwargs)


class DomainForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form for a row that a domain function writes. It checks single fields, and shows a refusal at its field.

    Unique values and constraints are checked by the domain function and the database, when they write.
    """

    #: The refusal of the same input by the domain function; see ``DomainAdmin.changeform_view``.
    refusal: DomainError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = getattr(self.instance, "currency_code", None)
        for name, value in self.initial.items():
            if isinstance(value, Decimal) and currency in DECIMALS and name != "p2p_score":
                self.initial[name] = money.rounded(value, currency)

    def _post_clean(self) -> None:
        """Validate as Django does, without unique values and constraints."""
        exclude = self._get_validation_exclusions()  # type: ignore[attr-defined]
        try:
            self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
            self.instance.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]
        if self.refusal is not None:
            add_refusal(self, self.refusal)


class UnchangedSinceForm(DomainForm):
    """A form that refuses to change money if the row has changed since the page was shown."""

    if_unchanged_since = UnchangedSinceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["if_unchanged_since"] = self.instance.updated_at.isoformat()


class NotesForm(forms.Form):
    """The notes of a decision."""

    review_notes = forms.CharField(label="Notes", max_length=1000, required=False, widget=UnfoldAdminTextareaWidget())


def add_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Show a refusal at its field, or above the form if it has no such field."""
    name = (refusal.field or "").split(".")[-1]
    field = next((known for known in (name, name.removesuffix("_id")) if known in form.fields), None)
    form.add_error(field, ValidationError(refusal.message, code=refusal.code))
