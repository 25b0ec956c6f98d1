"""Query parameters: an empty one is absent, an unknown one is ignored, an invalid one is refused."""

from collections.abc import Iterable
from typing import Any, ClassVar

import django_filters
from django.core.validators import RegexValidator

from ddc.common.api.routes import AnyCaseUUID


class PatternFilter(django_filters.CharFilter):
    """Filter rows by a text that has to match a pattern entirely."""

    validator: ClassVar[RegexValidator]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, validators=[self.validator], **kwargs)


class IdFilter(PatternFilter):
    """Filter rows by the id that they refer to."""

    validator = RegexValidator(rf"\A({AnyCaseUUID.regex})\Z", "This must be a UUID.", "uuid")


class WordFilter(django_filters.ChoiceFilter):
    """Filter rows by a field with a few choices."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        super().__init__(choices=[(choice, choice) for choice in choices], **kwargs)


class YesNoFilter(PatternFilter):
    """Filter rows by a flag, ``true`` or ``false``."""

    validator = RegexValidator(r"\A(true|false)\Z", "This must be true or false.", "boolean")

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, {"true": True, "false": False}.get(value, value))


FilterSet, CharFilter = django_filters.FilterSet, django_filters.CharFilter
