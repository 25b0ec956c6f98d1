"""The filters of the list of arrangements."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from arrangements.models import Arrangement
from casework.worklists import broken_lately
from creditors.models import Creditor
from ddc.common.admin.workflow import ConditionFilter

Status = Arrangement.Status
_MOST = 50


class StateFilter(ConditionFilter):
    title, parameter_name = "work", "state"
    conditions = {
        "approve": ("To approve", Q(status=Status.PENDING_APPROVAL)),
        "attention": ("Broken lately, or for a person", Arrangement.NEEDS_ATTENTION),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        agent: Any = request.user
        found = super().queryset(request, queryset)
        return found.filter(broken_lately(agent, now())) if self.value() == "attention" else found


class CreditorFilter(admin.SimpleListFilter):
    """One of the first creditors by name; the search box finds the others by their id."""

    title, parameter_name = "creditor", "creditor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Creditor.objects.order_by("name").values_list("pk", "name")[:_MOST]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {value for value, _ in self.lookup_choices}
        return queryset.filter(creditor=self.value()) if self.value() in known else queryset
