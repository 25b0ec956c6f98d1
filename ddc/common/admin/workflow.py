"""Back office pages of rows that agents act on step by step, and lists of work that is open."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.pages import ReadOnlyAdmin


def offered(condition: Q, permission: str, *more: str) -> Callable[..., bool]:
    """Return the check of an action's permission: the row is in the right state, and the agent has the permissions.

    A bulk action is offered in any state; each row is checked when it runs.
    """

    def check(page: ModelAdmin, request: HttpRequest, object_id: Any = None) -> bool:
        is_next = (
            object_id is None or not condition or page.model._default_manager.filter(condition, pk=object_id).exists()
        )
        return is_next and request.user.has_perms((permission, *more))

    return check


class WorkflowAdmin(DomainAdmin):
    """A row that is entered once and then read-only: its actions change it, each offered while it is the next step."""

    #: The fields of the form that enters a row, and of its page.
    entered: Any = ()
    fieldsets: Any = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else ((None, {"fields": self.entered}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(flatten_fieldsets(self.fieldsets)) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class WorklistAdmin(ReadOnlyAdmin, DomainAdmin):
    """Rows that only workers write, with actions of agents. A page leaves out fields without a value."""

    actions: Sequence[str] = ()
    fields: Sequence[str | tuple[str, ...]]
    #: For a field that is computed by the page, the attribute that it depends on. Other computed fields are always shown.
    visible_if: dict[str, str] = {}
    #: Large columns that lists do not load.
    deferred: Sequence[str] = ()
    #: The rows that offer the actions of a page.
    actionable: Q = Q()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        is_list = request.resolver_match and (request.resolver_match.url_name or "").endswith("_changelist")
        return found.defer(*self.deferred) if is_list else found

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        is_actionable = self.model._default_manager.filter(self.actionable, pk=object_id).exists()
        return super().get_actions_detail(request, object_id) if is_actionable else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        lines = ((line,) if isinstance(line, str) else line for line in self.fields)
        shown = (tuple(name for name in line if obj is None or self._is_visible(obj, name)) for line in lines)
        return [line for line in shown if line]

    def _is_visible(self, obj: Any, name: str) -> bool:
        attribute = self.visible_if.get(name, name)
        # A missing relation has no attribute; neither has a computed field.
        return bool(getattr(obj, attribute, attribute == name))


class ConditionFilter(admin.SimpleListFilter):
    """Filter rows by one of several conditions, each with its label."""

    conditions: dict[str, tuple[str, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, condition = self.conditions.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class OpenFilter(admin.SimpleListFilter):
    """Show open rows by default: those in which a field is empty."""

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
