"""Back-office pages of the limits of roles. The change log keeps who changed one."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from agents.models import RoleLimit
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.pages import column
from ddc.common.errors import Duplicate, refusing

_TAKEN = Duplicate("This role has a limit of this kind already. Change that one.", field="kind")


@admin.register(RoleLimit)
class RoleLimitAdmin(DomainAdmin):
    list_display = ("kind", "role", "limit")
    list_filter = ("role",)
    fields = (("role", "kind"), "value")
    limit = column("Limit", str, ordering="value")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> RoleLimit:
        return self._save(RoleLimit(**fields))

    def amend(self, request: HttpRequest, obj: RoleLimit, changes: dict[str, Any]) -> RoleLimit:
        for name, value in changes.items():
            setattr(obj, name, value)
        return self._save(obj)

    def remove(self, request: HttpRequest, obj: RoleLimit) -> None:
        obj.delete()

    def _save(self, limit: RoleLimit) -> RoleLimit:
        with refusing({"role_limit_is_unique": _TAKEN}):
            limit.save()
        return limit
