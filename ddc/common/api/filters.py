"""Query parameters: empty is absent, unknown is ignored, impossible is refused."""

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
    """Rows whose reference has this id."""

    field_class = _UUIDFormField


class WordFilter(django_filters.ChoiceFilter):
    """Rows whose field has one of a few words."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], **kwargs)


class YesNoFilter(WordFilter):
    """Rows whose flag is ``true`` or ``false``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(("true", "false"), **kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, {"true": True, "false": False}.get(value, value))


FilterSet = django_filters.FilterSet
