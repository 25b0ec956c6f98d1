"""Query parameters: an empty one is absent, an unknown one is ignored, an invalid one is refused."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from ddc.common.api.routes import AnyCaseUUID


class _UUIDFormField(forms.CharField):
    def clean(self, value: Any) -> uuid.UUID | None:
        if not value:
            return None
        if not re.fullmatch(AnyCaseUUID.regex, str(value)):
            raise ValidationError("This must be a UUID.", code="uuid")
        return uuid.UUID(str(value))


class IdFilter(django_filters.Filter):
    """Filter rows by the id that they refer to."""

    field_class = _UUIDFormField


class WordFilter(django_filters.ChoiceFilter):
    """Filter rows by a field with a few choices."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        super().__init__(choices=[(choice, choice) for choice in choices], **kwargs)


class YesNoFilter(WordFilter):
    """Filter rows by a flag, ``true`` or ``false``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(("true", "false"), **kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, {"true": True, "false": False}.get(value, value))


FilterSet = django_filters.FilterSet
