"""Pages of rows that workers write and agents act on."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ddc.common.admin import ReadOnlyAdmin, RuledAdmin


class WorklistAdmin(ReadOnlyAdmin, RuledAdmin):
    """Rows that nobody writes here, with actions that call rules on them."""

    actions: Sequence[str] = ()


class OpenFilter(admin.SimpleListFilter):
    """What is still to be done, unless asked otherwise: the rows in which a field is empty."""

    field: str
    still_open: str
    done: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), ("yes", self.done)]

    def choices(self, changelist: Any) -> Any:
        for value, title in ((None, self.still_open), *self.lookup_choices):
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() != "yes"})
