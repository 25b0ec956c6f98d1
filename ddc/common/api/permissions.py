"""Who may call. The default is staff with the model's permission; a public endpoint says so itself."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

_ACTIONS = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}


class StaffPermission(BasePermission):
    """Staff with the permission that the view names for the action, else with the model's own for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and getattr(user, "is_staff", False)):
            return False
        named: dict[str, str] = getattr(view, "required_permissions", {})
        if view.action is None:
            return True  # There is no such method here; the view itself answers 405.
        needed = named.get(view.action) or _of_model(view, request.method or "GET")
        return needed is None or bool(user.has_perm(needed))


def _of_model(view: Any, method: str) -> str | None:
    queryset = getattr(view, "queryset", None)
    if queryset is None:
        return None
    meta = queryset.model._meta
    return f"{meta.app_label}.{_ACTIONS[method]}_{meta.model_name}"
