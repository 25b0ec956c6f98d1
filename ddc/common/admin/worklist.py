"""Pages of rows that workers write and agents act on."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ddc.common.admin.pages import ReadOnlyAdmin, RuledAdmin


class WorklistAdmin(ReadOnlyAdmin, RuledAdmin):
    """Rows that nobody writes here, with actions that call rules on them. Lines of a page that say nothing are left out."""

    actions: Sequence[str] = ()
    fields: Sequence[str | tuple[str, ...]]
    #: By fields of the page that are no attributes, the attribute without which they say nothing; what is not here always shows.
    visible_if: dict[str, str] = {}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        lines = ((line,) if isinstance(line, str) else line for line in self.fields)
        return [line for line in lines if obj is None or any(self._says(obj, name) for name in line)]

    def _says(self, obj: Any, name: str) -> bool:
        about = self.visible_if.get(name, name)
        # A relation that isn't there has no attribute; nor has a field that the page makes up.
        return getattr(obj, about, None if about != name else True) not in (None, "", 0)


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
